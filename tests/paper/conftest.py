from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from reporting.models import Filing, Report
from reporting.sample import made_document
from tests.aggregation.sealed import Province, make_province
from tests.workflow.stage import Stage, make_stage
from unions.gate import Actor


@pytest.fixture(autouse=True)
def files_of_their_own(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


@pytest.fixture
def province(db: None) -> Province:
    """第1市 has two counties; everybody's figures are different numbers."""
    return make_province(cities=2, counties=(2,))


@pytest.fixture
def browse() -> Callable[[Actor], Client]:
    def logged_in(who: Actor) -> Client:
        client = Client()
        client.force_login(who.person)
        return client

    return logged_in


@pytest.fixture
def with_report() -> Callable[[Filing], None]:
    """Puts a file behind the report that the stage only names."""

    def put(filing: Filing) -> None:
        report = Report.objects.get(pk=filing.current_report_id)
        report.file.save("report.docx", ContentFile(made_document("一、总体情况。")), save=True)

    return put

"""Sealing: bound to its place, changes noticed, and what happens when keys are missing, wrong or renewed."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.urls import reverse

from delegations.models import PersonalData, Visit
from delegations.personal import disclosure, households
from delegations.personal.sealing import Unreadable
from reporting.errors import Refused
from tests.delegations.records import CLEAR, TELEPHONE
from tests.delegations.stage import NAME, PlanStage, make_plan_stage

REASON = "入户前核对住址"


@pytest.fixture
def household(plan: PlanStage) -> Visit:
    """哈尔滨's first household with all five facts."""
    visit = plan.visit("household")
    disclosure.write(visit=visit, values=CLEAR, by=plan.liaison)
    return visit


def data_of(visit: Visit) -> PersonalData:
    return PersonalData.objects.get(visit=visit)


def page(visit: Visit) -> str:
    return reverse("household", args=[visit.pk])


def show(visit: Visit) -> str:
    return reverse("reveal_household", args=[visit.pk])


def test_the_same_fact_twice_is_sealed_differently(plan: PlanStage, household: Visit) -> None:
    other = Visit.objects.filter(kind="household").exclude(pk=household.pk)[0]
    disclosure.write(visit=other, values=CLEAR, by=plan.office)
    for field in PersonalData.FIELDS:
        assert bytes(getattr(data_of(household), field)) != bytes(getattr(data_of(other), field))


def test_sealed_values_do_not_open_in_another_row_or_column(plan: PlanStage, household: Visit) -> None:
    other = Visit.objects.filter(kind="household").exclude(pk=household.pk)[0]
    sealed = data_of(household)
    PersonalData.objects.filter(visit=other).update(name=sealed.name)
    assert households.read(data_of(other))["name"] == households.UNREADABLE
    PersonalData.objects.filter(visit=household).update(illness=sealed.name)
    assert households.read(data_of(household)) == CLEAR | {"illness": households.UNREADABLE}


@pytest.mark.parametrize("at", [0, 1, 2, 13, 14, -1])
def test_a_changed_byte_is_noticed(household: Visit, at: int) -> None:
    sealed = bytearray(bytes(data_of(household).name))
    sealed[at] ^= 1
    PersonalData.objects.filter(visit=household).update(name=bytes(sealed))
    assert households.read(data_of(household))["name"] == households.UNREADABLE


@pytest.mark.parametrize("length", [1, 2, 5, 14, 20])
def test_a_cut_value_is_noticed(household: Visit, length: int) -> None:
    PersonalData.objects.filter(visit=household).update(name=bytes(data_of(household).name)[:length])
    assert households.read(data_of(household))["name"] == households.UNREADABLE


# -- keys ---------------------------------------------------------------------------------------------------


def test_with_a_wrong_key_pages_say_so_and_nothing_is_lost(
    plan: PlanStage, household: Visit, browse: Any, settings: Any
) -> None:
    right = settings.PERSONAL_DATA_KEYS
    settings.PERSONAL_DATA_KEYS = {max(right): secrets.token_bytes(32)}
    client = browse(plan.liaison)
    answer = client.get(page(household))
    assert answer.status_code == 200 and "有的内容无法解密" in answer.content.decode()
    for name in ("record", "destination"):
        seen = client.get(reverse(name, args=[plan.harbin.pk]))
        assert seen.status_code == 200 and "密钥不可用" in seen.content.decode()
    assert "密钥不可用" in client.post(show(household), {"reason": REASON}).content.decode()
    # Sealing with the wrong key what the right one could not open later would lose it.
    refused = client.post(page(household), {"illness": "腰伤"})
    assert refused.status_code == 422 and "无法解密" in refused.content.decode()
    settings.PERSONAL_DATA_KEYS = right
    assert households.read(data_of(household)) == CLEAR


def test_without_the_keys_version_it_is_the_same(household: Visit, settings: Any) -> None:
    settings.PERSONAL_DATA_KEYS = {9: secrets.token_bytes(32)}
    assert set(households.read(data_of(household)).values()) == {households.UNREADABLE}


def test_a_fact_that_no_longer_opens_can_be_cleared_and_filled_in_again(
    plan: PlanStage, household: Visit
) -> None:
    PersonalData.objects.filter(visit=household).update(name=b"\x00\x01broken")
    with pytest.raises(Refused, match="已登记的姓名现在无法解密"):
        disclosure.write(visit=household, values={"name": "李大山"}, by=plan.liaison)
    disclosure.write(visit=household, values={"name": ""}, by=plan.liaison)
    disclosure.write(visit=household, values={"name": "李大山"}, by=plan.liaison)
    assert households.read(data_of(household)) == CLEAR | {"name": "李大山"}


def test_a_new_key_seals_everything_anew_and_the_old_one_can_go(
    plan: PlanStage, household: Visit, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    old = settings.PERSONAL_DATA_KEYS
    new = {7: secrets.token_bytes(32)}
    settings.PERSONAL_DATA_KEYS = old | new
    # Filled in between: one fact under the new key, four still under the old one.
    disclosure.write(visit=household, values={"illness": "腰伤"}, by=plan.liaison)
    assert data_of(household).key_version == max(old)
    count = PersonalData.objects.count()
    assert disclosure.rotate(batch=2) == count > 4
    settings.PERSONAL_DATA_KEYS = new
    assert households.read(data_of(household)) == CLEAR | {"illness": "腰伤"}
    for data in PersonalData.objects.all():
        assert households.read(data)["name"] == NAME and data.key_version == 7
    call_command("rotate_personal_keys")
    assert "0 户" in capsys.readouterr().out, "a second run finds nothing to do"


def test_a_household_that_does_not_open_holds_up_no_other(household: Visit, settings: Any) -> None:
    old = settings.PERSONAL_DATA_KEYS
    PersonalData.objects.filter(visit=household).update(name=b"\x00\x01broken")
    settings.PERSONAL_DATA_KEYS = old | {7: secrets.token_bytes(32)}
    with pytest.raises(Unreadable, match=f"另有 1 户打不开（走访对象 {household.pk}："):
        disclosure.rotate(batch=2)
    assert list(PersonalData.objects.filter(key_version__lt=7)) == [data_of(household)]
    with pytest.raises(CommandError, match="旧密钥还不能撤下"):
        call_command("rotate_personal_keys")
    assert households.read(data_of(household))["telephone"] == TELEPHONE, "nothing of it was changed"


@pytest.mark.django_db(transaction=True)
def test_rotating_waits_for_who_is_writing_and_loses_nothing(settings: Any) -> None:
    """Read before and written after another's saving, the old facts would come back."""
    plan = make_plan_stage()
    visit, liaison = plan.visit("household"), plan.liaison
    settings.PERSONAL_DATA_KEYS = settings.PERSONAL_DATA_KEYS | {7: secrets.token_bytes(32)}
    started = threading.Event()

    def rotating() -> None:
        try:
            started.set()
            disclosure.rotate()
        finally:
            connection.close()

    thread = threading.Thread(target=rotating)
    with transaction.atomic():
        disclosure.write(visit=visit, values={"illness": "腰伤"}, by=liaison)
        thread.start()
        started.wait()
        time.sleep(0.5)
        assert thread.is_alive(), "it waits"
    thread.join(10)
    assert households.read(data_of(visit))["illness"] == "腰伤"
    assert set(PersonalData.objects.values_list("key_version", flat=True)) == {7}

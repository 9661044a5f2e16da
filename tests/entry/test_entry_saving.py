"""What the autosave promises: every typed text is kept, nobody's figure is overwritten unseen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reporting import workflow
from reporting.filling import working_row
from reporting.models import CellChange, Filing
from tests.cast import actor
from tests.entry.asking import post_json, save, save_head
from tests.entry.rounds import Scene, fill_with_zeros, type_into
from unions.models import Person

SignIn = Callable[[Person], Client]


@pytest.fixture
def client(scene: Scene, sign_in: SignIn) -> Client:
    return sign_in(scene.filler)


def test_a_typed_figure_is_stored_and_answered_as_it_now_reads(client: Client, scene: Scene) -> None:
    answer = save(client, scene.filing, ("B", "", "１２，３４５"))
    assert answer.status_code == 200
    data = answer.json()
    assert data["cells"] == {"B": "12345"}
    assert data["state"] == "draft" and len(data["at"]) == 5
    assert working_row(scene.filing, "warmth").B == 12345  # type: ignore[attr-defined]


def test_untouched_totals_follow_and_are_answered_too(client: Client, scene: Scene) -> None:
    data = save(client, scene.filing, ("A1", "", "1.5"), ("A2", "", "2")).json()
    assert data["cells"] == {"A1": "1.5", "A2": "2", "A": "3.5"}
    assert data["touched"] == []


def test_a_typed_total_stays_until_it_is_emptied(client: Client, scene: Scene) -> None:
    save(client, scene.filing, ("E1", "", "100"), ("E2", "", "17"))
    data = save(client, scene.filing, ("E", "117", "120")).json()
    assert (data["cells"], data["touched"]) == ({"E": "120"}, ["E"])
    assert save(client, scene.filing, ("E3", "", "1")).json()["cells"] == {"E3": "1"}
    data = save(client, scene.filing, ("E", "120", "")).json()
    assert (data["cells"], data["touched"]) == ({"E": "118"}, [])


def test_what_is_no_figure_stays_as_typed_with_its_sentence(client: Client, scene: Scene) -> None:
    data = save(client, scene.filing, ("B", "", "12a")).json()
    assert data["cells"] == {"B": "12a"}
    assert data["invalid"] == {"B": "“12a”不是数字，请只填阿拉伯数字。"}
    page = client.get(reverse("form_page", args=[scene.filing.pk, "warmth"])).content.decode()
    assert 'value="12a" class="invalid"' in page


def test_a_colleagues_other_figure_is_a_conflict_not_a_loss(
    client: Client, scene: Scene, sign_in: SignIn
) -> None:
    save(sign_in(scene.colleague), scene.filing, ("B", "", "7"))
    data = save(client, scene.filing, ("B", "", "8"), ("G", "", "1")).json()
    assert data["cells"] == {"G": "1"}
    (conflict,) = data["conflicts"]
    assert (conflict["code"], conflict["theirs"], conflict["yours"], conflict["by"]) == (
        "B",
        "7",
        "8",
        "哈尔滨填报员乙",
    )
    assert save(client, scene.filing, ("B", "7", "8")).json()["cells"] == {"B": "8"}


@pytest.mark.parametrize(
    ("before", "again"),
    [
        (("B", "", "１，２００"), ("B", "", "１，２００")),
        (("A1", "", "1.50"), ("A1", "", "1.50")),
        (("B", "", "12a"), ("B", "", "12a")),
    ],
)
def test_the_same_again_after_a_lost_answer_is_no_conflict(
    client: Client, scene: Scene, before: Any, again: Any
) -> None:
    save(client, scene.filing, before)
    data = save(client, scene.filing, again).json()
    assert data["conflicts"] == []
    assert CellChange.objects.count() == 1


def test_emptying_a_total_again_after_a_lost_answer_is_no_conflict(client: Client, scene: Scene) -> None:
    save(client, scene.filing, ("E1", "", "5"), ("E", "", "9"))
    save(client, scene.filing, ("E", "9", ""))
    data = save(client, scene.filing, ("E", "9", "")).json()
    assert (data["conflicts"], data["cells"].get("E", "5")) == ([], "5")


def test_each_change_leaves_a_trace_with_name_and_old_text(client: Client, scene: Scene) -> None:
    save(client, scene.filing, ("B", "", "7"))
    save(client, scene.filing, ("B", "7", "9"))
    traces = CellChange.objects.order_by("id").values_list("code", "old", "new", "by__name")
    assert list(traces) == [("B", "", "7", "哈尔滨填报员甲"), ("B", "7", "9", "哈尔滨填报员甲")]


def test_after_a_return_that_names_cells_only_these_are_open(client: Client, scene: Scene) -> None:
    Filing.objects.filter(pk=scene.filing.pk).update(state="returned", open_cells=["warmth:E", "warmth:E1"])
    data = save(client, scene.filing, ("E1", "", "5"), ("B", "", "7")).json()
    assert data["cells"] == {"E1": "5", "E": "5"}
    assert data["refused"] == {"B": "本次退回只开放指定的指标，此格不能修改。"}
    page = client.get(reverse("form_page", args=[scene.filing.pk, "warmth"])).content.decode()
    assert page.count(' readonly tabindex="-1"') == 46 - 2


def test_an_unknown_code_is_refused_by_name(client: Client, scene: Scene) -> None:
    assert "ZZ" in save(client, scene.filing, ("ZZ", "", "1")).json()["refused"]


def test_a_submitted_filing_answers_409_with_a_sentence(client: Client, scene: Scene) -> None:
    Filing.objects.filter(pk=scene.filing.pk).update(state="submitted")
    answer = save(client, scene.filing, ("B", "", "7"))
    assert answer.status_code == 409
    assert "已上报，不能再修改" in answer.json()["error"]


def test_values_kept_by_another_person_are_not_stored_under_my_name(client: Client, scene: Scene) -> None:
    answer = save(client, scene.filing, ("B", "", "7"), person=scene.colleague.pk)
    assert answer.status_code == 409
    assert "哈尔滨填报员甲" in answer.json()["error"]
    assert not CellChange.objects.exists()


def test_the_head_is_stored_and_a_wrong_date_is_refused(client: Client, scene: Scene) -> None:
    head = {"filler_name": ("", "哈尔滨填报员甲"), "filled_on": ("", "2021-01-20")}
    answer = save_head(client, scene.filing, **head).json()
    assert answer["fields"] == {"filler_name": "哈尔滨填报员甲", "filled_on": "2021-01-20"}
    answer = save_head(
        client,
        scene.filing,
        filled_on=("2021-01-20", "明天"),
        filler_name=("", "长" * 31),
        filler_phone=("", "1"),
    ).json()
    assert "不是日期" in answer["refused"]["filled_on"] and "现有 31 个" in answer["refused"]["filler_name"]
    assert answer["fields"] == {"filler_phone": "1"}
    filing = Filing.objects.get(pk=scene.filing.pk)
    assert (str(filing.filled_on), filing.filler_phone) == ("2021-01-20", "1")


def test_a_colleagues_other_head_is_a_conflict_field_by_field(
    client: Client, scene: Scene, sign_in: SignIn
) -> None:
    save_head(sign_in(scene.colleague), scene.filing, filler_phone=("", "1"), filler_name=("", "乙"))
    answer = save_head(
        client, scene.filing, filler_phone=("", "2"), filler_name=("", "乙"), filled_on=("", "2021-01-20")
    ).json()
    assert answer["conflicts"] == [{"code": "filler_phone", "theirs": "1", "yours": "2"}]
    assert answer["fields"] == {"filler_name": "乙", "filled_on": "2021-01-20"}
    assert save_head(client, scene.filing, filler_phone=("1", "2")).json()["fields"] == {"filler_phone": "2"}


def test_a_text_too_long_for_its_cell_is_refused_whole_and_holds_no_other(
    client: Client, scene: Scene
) -> None:
    data = save(client, scene.filing, ("B", "", "1" * 201), ("G", "", "4"), ("J1", "", "9" * 200)).json()
    assert data["refused"] == {"B": "最多 200 个字符，未保存。"}
    assert data["cells"] == {"G": "4", "J1": "9" * 200}


def test_what_the_page_itself_sent_before_is_no_conflict(client: Client, scene: Scene) -> None:
    save(client, scene.filing, ("B", "", "5"))
    cell = {"code": "B", "base": "", "value": "50", "sent": ["5"]}
    url = reverse("save_cells", args=[scene.filing.pk, "warmth"])
    assert post_json(client, url, {"cells": [cell]}).json()["cells"] == {"B": "50"}
    cell = {"code": "B", "base": "", "value": "7", "sent": ["5", "6"]}
    assert len(post_json(client, url, {"cells": [cell]}).json()["conflicts"]) == 1


def test_an_explanation_binds_to_its_figures(client: Client, scene: Scene) -> None:
    save(client, scene.filing, ("J1", "", "0"), ("J2", "", "3"))
    url = reverse("explain", args=[scene.filing.pk, "warmth"])
    answer = {
        "rule": "J2_without_J1",
        "text": "物资直接送到医院，未逐人统计",
        "shown": {"J1": "０", "J2": "3.0"},
    }
    short = post_json(client, url, answer | {"text": "属实"})
    assert (short.status_code, "现有 2 个" in short.json()["error"]) == (422, True)
    other = post_json(client, url, answer | {"shown": {"J1": "0", "J2": "2"}})
    assert (other.status_code, other.json()["error"]) == (409, "数据已改为 J2 3，请按现在的数据说明。")
    assert post_json(client, url, {"rule": "J2_without_J1", "text": answer["text"]}).status_code == 400
    told = post_json(client, url, answer)
    assert told.json()["text"] == "物资直接送到医院，未逐人统计"
    assert "J2_without_J1" in save(client, scene.filing, ("G", "", "1")).json()["explanations"]
    assert save(client, scene.filing, ("J2", "3", "4")).json()["explanations"] == {}
    assert "J2_without_J1" in save(client, scene.filing, ("J2", "4", "3")).json()["explanations"]


def test_the_facts_of_the_form_come_as_json_too(client: Client, scene: Scene) -> None:
    save(client, scene.filing, ("A1", "", "1.5"), ("B", "", "x"))
    url = reverse("form_page", args=[scene.filing.pk, "warmth"])
    facts = client.get(url, headers={"Accept": "application/json"}).json()
    assert (facts["texts"]["A"], facts["texts"]["B"], facts["texts"]["G"]) == ("1.5", "x", "")


def test_what_stands_after_many_saves_is_what_was_typed_last(client: Client, scene: Scene) -> None:
    """The law of the autosave, over all cells of both forms."""
    fill_with_zeros(scene.filing, scene.filler)
    for slug in ("warmth", "helpcenter"):
        row = working_row(scene.filing, slug)
        typed = {
            code: str(n) for n, (code, f) in enumerate(row.fields().items()) if not f.of and f.kind != "yesno"
        }
        data = save(client, scene.filing, *((c, row.text(c), v) for c, v in typed.items()), slug=slug).json()
        assert data["conflicts"] == [] and data["refused"] == {}
        again = working_row(scene.filing, slug)
        assert {code: again.text(code) for code in typed} == typed
        for code in row.totals_inside_out():
            parts = sum(getattr(again, part) for part in again.fields()[code].of)
            assert getattr(again, code) == parts, code


def test_a_withdrawn_filing_can_be_typed_into_again(client: Client, scene: Scene, sign_in: SignIn) -> None:
    type_into(scene.filing, "warmth", scene.filler, B="1")
    Filing.objects.filter(pk=scene.filing.pk).update(state="submitted")
    workflow.withdraw(filing=scene.filing, by=actor(scene.leader, scene.tree.harbin))
    assert save(client, scene.filing, ("B", "1", "2")).status_code == 200


def test_parts_too_large_for_a_count_still_have_a_sum(scene: Scene) -> None:
    saved = type_into(scene.filing, "warmth", scene.filler, E1="2147483647", E2="2147483647")
    assert saved.cells["E"] == "4294967294"
    assert working_row(scene.filing, "warmth").text("E") == "4294967294"

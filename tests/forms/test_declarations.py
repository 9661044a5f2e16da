"""The models are the forms of the notice, row for row."""

import csv
from pathlib import Path

import pytest
from django.core.checks import run_checks

from reporting.checks import check_form
from reporting.fields import PERSON_TIMES, WANYUAN, Count, Money, Total
from reporting.registry import all_forms
from reporting.rules import Query, SumRule
from reporting.sheets import plain_sheets

NOTICE = Path(__file__).parent.parent / "notice"
SHEETS = {sheet.form.number: sheet for sheet in plain_sheets()}


def printed_rows(number):
    with (NOTICE / f"attachment{number}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("number", SHEETS)
def test_every_row_stands_in_printed_order_with_its_wording(number):
    expected = [
        (r["code"], r["label"], r["unit"], int(r["section"]), r["parent"] or None, r["printed"])
        for r in printed_rows(number)
    ]
    found = [(r.code, r.label, r.unit, r.section, r.parent, r.printed) for r in SHEETS[number].rows]
    assert found == expected


@pytest.mark.parametrize("number", SHEETS)
def test_every_sum_of_the_notice_is_a_hard_rule(number):
    sums = {rule.total: list(rule.parts) for rule in SHEETS[number].rules if isinstance(rule, SumRule)}
    expected = {
        r["code"]: r["rule"].split(" (")[0].partition("=")[2].split("+")
        for r in printed_rows(number)
        if r["rule"].startswith(f"{r['code']}=")
    }
    assert sums == expected


@pytest.mark.parametrize("number", SHEETS)
def test_a_row_without_a_printed_code_shows_none(number):
    for row in SHEETS[number].rows:
        assert row.printed_code == ("" if row.printed == "label" else row.code)


def test_the_declarations_pass_their_own_checks():
    assert run_checks(tags=["reporting"]) == []


def declared(rows, rules=()):
    """A form as `check_form` reads one, without a table behind it."""
    fields = {}
    for code, field in rows.items():
        field.set_attributes_from_name(code)
        fields[code] = field
    return type("Made", (), {"fields": classmethod(lambda cls: fields), "rules": list(rules)})


@pytest.mark.parametrize(
    ("rows", "rules", "identifier"),
    [
        ({"A": Count("", unit=PERSON_TIMES, section=1)}, (), "E001"),
        ({"A": Total("甲", of="A1", section=1)}, (), "E002"),
        ({"A": Total("甲", of="A1", section=1), "A1": Money("乙", section=1)}, (), "E003"),
        (
            {
                "A": Total("甲", of="C", section=1, unit=WANYUAN),
                "B": Total("乙", of="C", section=1, unit=WANYUAN),
                "C": Money("丙", section=1),
            },
            (),
            "E004",
        ),
        ({"A": Total("甲", of="B", section=1), "B": Total("乙", of="A", section=1)}, (), "E005"),
        ({"A": Count("甲", section=1)}, [Query("q", lambda f: f.Z > 0, "", cells="Z")], "E006"),
        ({"A": Count("甲", section=1)}, [Query("q", lambda f: f.A > 0, "", cells="A")] * 2, "E006"),
        (
            {"A": Count("甲", section=1), "B": Count("乙", section=1)},
            [Query("q", lambda f: f.A > f.B, "", cells="A")],
            "E007",
        ),
    ],
)
def test_a_mistake_in_a_declaration_has_an_id_and_a_hint(rows, rules, identifier):
    errors = list(check_form(declared(rows, rules)))
    assert f"reporting.{identifier}" in {error.id for error in errors}
    assert all(error.hint for error in errors)


def test_two_forms_cannot_take_one_name():
    from reporting.registry import register

    impostor = type("Impostor", (), {"slug": all_forms()[0].slug})
    with pytest.raises(ValueError, match="two forms"):
        register(impostor)


def test_the_documentation_of_the_forms_is_generated_from_them():
    from reporting.management.commands.forms import document

    folder = Path(__file__).parents[2] / "docs" / "forms"
    for sheet in plain_sheets():
        assert (folder / f"{sheet.slug}.md").read_text(encoding="utf-8") == document(sheet), "运行 make docs"

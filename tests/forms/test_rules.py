"""The rules of both forms: what they catch, what they say, what they leave alone."""

import pytest

from reporting.models import SheetRow
from reporting.rules import HARD, QUERY, ExcelCell, Expr, SymbolicForm, as_excel, evaluate, total, wanyuan
from reporting.sheets import build_sheet, plain_sheets

WARMTH, HELPCENTER = plain_sheets()


def problems(sheet, reporter="city", **figures):
    return {p.rule: p for p in sheet.check(figures, reporter)}


def test_a_total_that_differs_says_by_how_much():
    found = problems(WARMTH, E=120, E1=117, E2=0, E3=0, E4=0, E5=0)
    assert found["sum_E"].message == "E 为 120，E1+…+E5 为 117，差 3"
    assert found["sum_E"].level == HARD


def test_money_differs_in_wanyuan_to_the_fen():
    found = problems(WARMTH, A=wanyuan("10.000001"), A1=wanyuan("10"))
    assert found["sum_A"].message == "A 为 10.000001，A1+…+A5 为 10，差 0.000001"


@pytest.mark.parametrize("pair", [("C", "D"), *((f"C{n}", f"D{n}") for n in range(1, 12))])
def test_every_pair_of_form_1_is_watched_for_one_without_the_other_and_for_the_ceiling(pair):
    people, money = pair
    assert problems(WARMTH, **{people: 0, money: 5})[f"{money}_without_{people}"].level == QUERY
    assert problems(WARMTH, **{people: 5, money: 0})[f"{people}_without_{money}"].level == QUERY
    at_ceiling = {people: 10, money: wanyuan("3")}
    assert f"{money}_per_head" not in problems(WARMTH, **at_ceiling)
    above = {people: 10, money: wanyuan("3.000001")}
    assert "人均超过 0.3 万元" in problems(WARMTH, **above)[f"{money}_per_head"].message


@pytest.mark.parametrize("pair", [("F", "G"), *((f"F{n}", f"G{n}") for n in range(1, 8))])
def test_every_pair_of_form_2_is_watched_for_one_without_the_other(pair):
    people, money = pair
    assert f"{money}_without_{people}" in problems(HELPCENTER, **{people: 0, money: 5})
    assert f"{people}_without_{money}" in problems(HELPCENTER, **{people: 5, money: 0})
    assert not problems(HELPCENTER, **{people: 5, money: 5}).keys() & {f"{money}_without_{people}"}


def test_the_other_queries_of_form_1():
    assert "J2_without_J1" in problems(WARMTH, J1=0, J2=1)
    assert "D_above_A" in problems(WARMTH, A=1, D=2)
    assert "I_without_H" in problems(WARMTH, H=0, I=1)
    assert "H_without_I" in problems(WARMTH, H=1, I=0)


def test_hard_rules_of_form_2():
    assert problems(HELPCENTER, D=3, D1=4)["D1_within_D"].level == HARD
    assert problems(HELPCENTER, I=0, J=1)["J_needs_I"].level == HARD
    assert "J_needs_I" not in problems(HELPCENTER, I=1, J=1)


@pytest.mark.parametrize(("reporter", "asked"), [("city", True), ("industry", True), ("province", False)])
def test_who_reports_centres_above_itself_is_asked_why(reporter, asked):
    found = problems(HELPCENTER, reporter, A1=1, B1=2, A2=2)
    assert ({"provincial_centres", "provincial_staff", "prefecture_centres"} <= found.keys()) is asked


def test_blank_is_not_zero():
    assert problems(WARMTH, C1=None, D1=5).keys() == set()
    assert problems(WARMTH, E=None, E1=3).keys() == set()


def test_an_explanation_is_bound_to_the_values():
    before = problems(WARMTH, C1=1, D1=wanyuan("9"))["D1_per_head"].digest
    assert problems(WARMTH, C1=1, D1=wanyuan("9"), E1=4)["D1_per_head"].digest == before
    assert problems(WARMTH, C1=2, D1=wanyuan("9"))["D1_per_head"].digest != before


def test_a_row_switched_off_leaves_sums_and_rules():
    off = {"C3": SheetRow(code="C3", is_off=True), "D3": SheetRow(code="D3", is_off=True)}
    sheet = build_sheet(WARMTH.form, 2020, off)
    assert "C3" not in sheet.fields
    assert "D3_per_head" not in {rule.id for rule in sheet.rules}
    assert "sum_C" in problems(sheet, C=5, C3=5)
    assert next(r for r in sheet.rows if r.code == "C").parts[2] == "C4"


def test_a_row_whose_print_survives_cannot_be_switched_off_or_relabelled():
    sheet = build_sheet(WARMTH.form, 2020, {"E1": SheetRow(code="E1", is_off=True, label="别的")})
    assert sheet.row["E1"].label == "其中：落实民生政策"


def test_the_year_in_the_wording_follows_the_campaign():
    sheet = build_sheet(HELPCENTER.form, 2026, {})
    assert sheet.row["E"].label == "2026年度县级以上帮扶中心资金来源总额"


def test_a_chained_comparison_in_a_rule_is_refused():
    with pytest.raises(TypeError):
        bool(SymbolicForm().A < SymbolicForm().B < 3)


def EXCEL(code):
    return ExcelCell(code, f"{code}?")


def test_an_expression_becomes_an_excel_formula():
    f = SymbolicForm()
    assert as_excel((f.D1 > f.C1 * 3).tree, EXCEL, "city") == "AND(D1?,C1?,(D1>(C1*3)))"
    assert as_excel((f.A != total(["A1", "A2"])).tree, EXCEL, "city") == "AND(A?,(A<>SUM(A1,A2)))"
    assert as_excel(f.reporter_in("city", "county").tree, EXCEL, "city") == "TRUE"
    assert as_excel(f.reporter_in("county").tree, EXCEL, "city") == "FALSE"


def test_arithmetic_is_exact_far_beyond_floating_point():
    f = SymbolicForm()
    big = 10**16 - 1
    assert evaluate((f.A == f.B + 1).tree, {"A": big, "B": big - 1}, "city") is True
    assert evaluate((f.A == f.B).tree, {"A": big, "B": big - 1}, "city") is False
    assert isinstance(f.A + 1, Expr)

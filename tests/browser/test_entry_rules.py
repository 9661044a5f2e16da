"""The browser and the server agree on every figure, every sentence and every broken rule.

Hundreds of made forms go into Chromium in one call, and are evaluated by the very files that people get.
"""

from __future__ import annotations

import json
import mimetypes
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.imports.test_pasted import BLOCKS, made_block, uploaded
from tests.rules.reckoning import SHEETS, parse, reckon
from tests.rules.test_vectors import VECTORS

pytestmark = pytest.mark.browser

JS = Path(__file__).parents[2] / "static" / "js"
REPORTERS = ["province", "city", "industry", "county", "grassroots"]
# What people type, what Excel pastes, and what somebody tries.
EDGES = [
    "", " ", "0", "1", "-0", "-0.0", "+0", "+5", "1.", ".5", ".", "-", "+", "--5", "5-", "1.2.3", "1.50", "0001",
    "1e309", "1E5", "NaN", "Infinity", "inf", "0x10", "12a", "一", "①", "½", "²", "Ⅳ", "１２，３４５", "１．５", "－３",
    "1,2,3", ",", "，", "1 234", "1\u00a0234", "1\u3000234", "1\u2009234", "1\u202f234", "\ufeff7", "7\u200b",
    "1\t2", "1\n2", "1\u00002", "\u0000", "😀", "😀" * 40, "字" * 40, "9" * 40, "9" * 41, "1." + "0" * 38,
    "1." + "0" * 37 + "1", "0." + "0" * 37 + "1", "-0." + "0" * 36 + "1", "2147483647", "2147483648", "2147483647.0",
    "10000000000", "9999999999.999999", "9999999999.9999999", "0.000001", "0.0000001", "1.2345678", "-1", "-0.1",
    "是", "否", "yes", "true", "是否", "是\n", "\u2028", "%", "<b>1</b>", "=1+1", "1_000", "٣", "１２３４５６７８９０１２",
]  # fmt: skip
HUNDREDS = 400

EVALUATE = """async ({parse: singles, forms, sheets}) => {
  const figures = await import("/js/figures.js");
  const rules = await import("/js/rules.js");
  const text = (figure) => (figure === null ? null : String(figure));
  const parse = (cell, typed) => {
    try {
      const figure = figures.parse(cell, typed);
      return {figure: text(figure), shown: figures.show(cell, figure), grouped: figures.grouped(cell, figure)};
    } catch (error) {
      if (!(error instanceof figures.NotAFigure)) throw error;
      return {error: error.message};
    }
  };
  const reckon = ({form, reporter, typed, touched}) => {
    const sheet = sheets[form], read = {}, invalid = {};
    for (const code of Object.keys(sheet.cells)) {
      const result = parse(sheet.cells[code], typed[code] ?? "");
      if ("error" in result) invalid[code] = result.error;
      read[code] = "error" in result || result.figure === null ? null : BigInt(result.figure);
    }
    rules.followParts(sheet, read, (code) => touched.includes(code) || code in invalid);
    const shown = {};
    for (const code of Object.keys(read)) shown[code] = text(read[code]);
    const problems = rules.check(sheet, read, reporter).map((p) => [p.rule, p.level, p.message, p.cells]);
    return {figures: shown, invalid, problems};
  };
  return {
    parse: singles.map(({kind, unit, typed}) => parse({kind, unit}, typed)),
    forms: forms.map(reckon),
  };
}"""


@pytest.fixture
def page(chromium: Browser) -> Any:
    """An empty page that can import our modules from the working copy; no server, no network."""

    def answer(route: Route) -> None:
        path = JS / route.request.url.rpartition("/js/")[2]
        if path.suffix == ".js" and path.is_file():
            route.fulfill(path=path, content_type=mimetypes.types_map.get(".js", "text/javascript"))
        else:
            route.fulfill(body="<!doctype html><title>rules</title>", content_type="text/html")

    context = chromium.new_context()
    made: Page = context.new_page()
    made.route("**/*", answer)
    made.goto("http://rules.test/")
    yield made
    context.close()


def made_forms(random: Random) -> list[dict[str, Any]]:
    """Forms as people might leave them: mostly figures, some blanks, some nonsense, some totals typed."""

    def text(kind: str) -> str:
        dice = random.random()
        if dice < 0.25:
            return ""
        if dice < 0.35:
            return "0"
        if dice < 0.4:
            return random.choice(EDGES)
        if kind == "yesno":
            return random.choice(["是", "否"])
        if kind == "money":
            return f"{random.randrange(10 ** random.randint(1, 10))}.{random.randrange(10**6):06d}"
        return str(random.randrange(10 ** random.randint(1, 9)))

    forms = []
    for _ in range(HUNDREDS):
        sheet = random.choice(list(SHEETS.values()))
        totals = [row.code for row in sheet.rows if row.parts]
        touched = [code for code in totals if random.random() < 0.4]
        typed = {row.code: text(row.kind) for row in sheet.rows if not row.parts or row.code in touched}
        # An emptied total is no longer touched: that is how it goes back to following.
        touched = [code for code in touched if typed[code].strip()]
        forms.append(
            {"form": sheet.slug, "reporter": random.choice(REPORTERS), "typed": typed, "touched": touched}
        )
    return forms


def test_the_browser_reckons_like_the_server(page: Page) -> None:
    random = Random(20201230)
    units = {"count": "人次", "money": "万元", "yesno": "是/否"}
    singles = [
        {"kind": kind, "unit": unit, "typed": typed} for kind, unit in units.items() for typed in EDGES
    ]
    singles += [{k: v[k] for k in ("kind", "unit", "typed")} for v in VECTORS["parse"]]
    forms = made_forms(random) + [
        {k: v[k] for k in ("form", "reporter", "typed", "touched")} for v in VECTORS["forms"]
    ]
    sheets = {slug: json.loads(json.dumps(sheet.as_json())) for slug, sheet in SHEETS.items()}
    found = page.evaluate(EVALUATE, {"parse": singles, "forms": forms, "sheets": sheets})

    for single, result in zip(singles, found["parse"], strict=True):
        assert result == parse(single["kind"], single["unit"], single["typed"]), single
    seen: set[str] = set()
    for form, result in zip(forms, found["forms"], strict=True):
        expected = reckon(form["form"], form["reporter"], form["typed"], form["touched"])
        assert result == expected, form
        seen |= {f"{form['form']}.{problem[0]}" for problem in expected["problems"]}
    # The made forms are worth something only if they break the rules.
    every = {f"{slug}.{rule.id}" for slug, sheet in SHEETS.items() for rule in sheet.rules}
    assert len(seen) > 0.9 * len(every), sorted(every - seen)


PLACE = """async ({blocks, sheets}) => {
  const {linesOf, placed, standsAs} = await import("/js/pasted-block.js");
  return blocks.map(({form, block, start}) => {
    const rows = sheets[form];
    const {cells, refused} = placed(linesOf(block.join("\\n")), rows, start ?? rows[0].code);
    const filled = {};
    for (const {code, raw, unit} of cells) {
      try {
        const text = raw && standsAs(rows.find((row) => row.code === code), raw, unit);
        if (text) filled[code] = text;
      } catch (error) {
        refused.push({what: code, why: error.message});
      }
    }
    return {filled, refused: refused.map(({what}) => what)};
  });
}"""


def test_a_pasted_block_goes_where_an_upload_puts_it_or_nowhere(page: Page) -> None:
    random = Random(20210212)
    made = [made_block(random) for _ in range(HUNDREDS)]
    sheets = {
        slug: [{"code": r.code, "label": r.label, **sheet.as_json()["cells"][r.code]} for r in sheet.rows]
        for slug, sheet in SHEETS.items()
    }
    blocks = [{"form": slug, "block": block} for slug, block in made]
    found = page.evaluate(PLACE, {"blocks": BLOCKS + blocks, "sheets": sheets})
    for vector, result in zip(BLOCKS, found, strict=False):
        assert result == {"filled": vector["filled"], "refused": vector["refused"]}, vector["about"]
    pasted = read = 0
    for (slug, block), result in zip(made, found[len(BLOCKS) :], strict=True):
        there = uploaded(slug, block)
        assert result["filled"].items() <= there.items(), "\n".join(block)
        pasted, read = pasted + len(result["filled"]), read + len(there)
    # Who pastes nothing is never wrong.
    assert pasted > 0.9 * read > HUNDREDS

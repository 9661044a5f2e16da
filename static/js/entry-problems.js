// The panel: everything the union still has to see to, each a sentence with its numbers. The same counting as
// FormAssessment in reporting/filling.py: all blanks together are one thing.

import { QUERY, check, figuresOf } from "./rules.js";

const MIN_EXPLANATION = 6;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

export class Problems {
  // drafts: the shelf of explanations being written
  // explain(rule, text, shown) → null or the sentence why not; shown: the texts it was written for
  constructor(cells, state, drafts, explain) {
    Object.assign(this, { cells, state, drafts, explain });
    this.list = document.getElementById("problems");
    this.items = new Map();
    this.rules = new Map(cells.sheet.rules.map((rule) => [rule.id, rule]));
    this.explained = new Map(); // rule → {text, figures}
  }

  // The explanations that bind to `figures`, as the server knows them.
  setExplanations(texts, figures) {
    for (const [rule, text] of Object.entries(texts)) {
      if (this.rules.has(rule)) this.explained.set(rule, { text, figures: figuresOf(this.rules.get(rule), figures) });
    }
  }

  explanationOf(rule, figures) {
    const given = this.explained.get(rule);
    return given && given.figures === figuresOf(this.rules.get(rule), figures) ? given.text : "";
  }

  draft(rule, text) {
    this.drafts.change((kept) => {
      if (text.trim() && text !== this.explained.get(rule)?.text) kept[rule] = text;
      else delete kept[rule];
    });
  }

  // Other figures made the question go away: what was being answered can't be seen any more.
  dropDrafts() {
    this.drafts.names().filter((rule) => !this.items.has(`rule-${rule}`)).forEach((rule) => this.draft(rule, ""));
  }

  // → how many things are left
  update({ figures, invalid }) {
    const { cells } = this;
    const broken = check(cells.sheet, figures, this.state.reporter).map((problem) => ({
      ...problem,
      explanation: problem.level === QUERY ? this.explanationOf(problem.rule, figures) : "",
    }));
    const blanks = cells.codes.filter((code) => figures[code] === null && !invalid.has(code));
    const things = [...invalid].map(([code, message]) => ({
      key: `invalid-${code}`, kind: "hard", label: "格式", message: `${code} ${message}`, cells: [code],
    }));
    if (blanks.length) {
      const some = blanks.slice(0, 6).join("、") + (blanks.length > 6 ? "等" : "");
      things.push({
        key: "blanks", kind: "blank", label: "空白", cells: blanks,
        message: `还有 ${blanks.length} 格空白（${some}），没有发生的请填 0`,
      });
    }
    const rank = (p) => (p.level !== QUERY ? 0 : p.explanation ? 2 : 1);
    for (const p of broken.slice().sort((a, b) => rank(a) - rank(b))) {
      const kind = ["hard", "query", "explained"][rank(p)];
      things.push({ ...p, key: `rule-${p.rule}`, kind, label: { hard: "强制", query: "核实", explained: "已说明" }[kind] });
    }
    this.render(things);
    this.mark(things);
    this.suggestTotals(broken, figures);
    return things.filter((thing) => thing.kind !== "explained").length;
  }

  render(things) {
    const keys = new Set(things.map((thing) => thing.key));
    for (const [key, item] of this.items) {
      if (!keys.has(key)) {
        item.remove();
        this.items.delete(key);
      }
    }
    things.forEach((thing, i) => {
      let item = this.items.get(thing.key);
      if (!item) {
        item = this.newItem(thing);
        this.items.set(thing.key, item);
      }
      this.fill(item, thing);
      // Moving an element takes the focus from the text being written in it.
      if (this.list.children[i] !== item) this.list.insertBefore(item, this.list.children[i] ?? null);
    });
    if (!things.length) {
      if (!this.list.querySelector(".none")) this.list.append(make("li", "none", "✓ 没有发现问题"));
    } else this.list.querySelector(".none")?.remove();
  }

  newItem(thing) {
    const item = make("li", "problem");
    const go = make("button", "problem-go");
    go.type = "button";
    go.append(make("span", "level"), make("span", "words"));
    go.addEventListener("click", () => this.go(item.thing));
    item.append(go);
    if (thing.level === QUERY) item.append(this.state.editable ? this.explanationBox(item) : make("p", "given"));
    return item;
  }

  explanationBox(item) {
    const box = make("div", "explain");
    const given = make("p", "given");
    const text = make("textarea");
    text.rows = 2;
    text.maxLength = 500;
    text.placeholder = "数据属实的原因，不少于 6 个字";
    text.setAttribute("aria-label", "情况说明");
    const save = make("button", "btn btn-plain btn-sm", "保存说明");
    save.type = "button";
    const edit = make("button", "btn-link-quiet", "修改");
    edit.type = "button";
    const hint = make("span", "hint", "数据再改动，说明即作废");
    const error = make("p", "head-error");
    error.hidden = true;
    const tell = (sentence) => {
      error.textContent = sentence;
      error.hidden = !sentence;
    };
    edit.addEventListener("click", () => {
      item.classList.add("editing");
      text.focus();
    });
    text.addEventListener("input", () => {
      tell("");
      this.draft(item.thing.rule, text.value);
    });
    save.addEventListener("click", async () => {
      const words = text.value.trim().replace(/\s+/g, " ");
      const length = Array.from(words).length;
      if (length < MIN_EXPLANATION) return tell(`说明须有 ${MIN_EXPLANATION} 至 500 个字，现有 ${length} 个。请写明数据属实的原因。`);
      const { rule, cells } = item.thing;
      save.disabled = true;
      const shown = Object.fromEntries(cells.map((code) => [code, this.cells.text(code)]));
      const refusal = await this.explain(rule, words, shown);
      save.disabled = false;
      tell(refusal ?? "");
      if (refusal !== null) return;
      item.classList.remove("editing");
      this.draft(rule, "");
    });
    const line = make("div", "explain-line");
    line.append(hint, save);
    box.append(given, edit, text, line, error);
    return box;
  }

  fill(item, thing) {
    item.thing = thing;
    item.classList.remove("hard", "blank", "query", "explained");
    item.classList.add(thing.kind);
    item.querySelector(".level").textContent = thing.label;
    item.querySelector(".words").textContent = thing.message;
    const given = item.querySelector(".given");
    if (given) given.textContent = thing.explanation ? `说明：${thing.explanation}` : "";
    const text = item.querySelector("textarea");
    if (text && document.activeElement !== text && !text.value) {
      const draft = this.drafts.all()[thing.rule];
      text.value = draft || thing.explanation || this.explained.get(thing.rule)?.text || "";
      item.classList.toggle("editing", Boolean(draft && thing.explanation));
    }
  }

  // Blanks one after another; else all the cells of the sentence, the first one in hand.
  go(thing) {
    let target = thing.cells[0];
    if (thing.kind === "blank") {
      const last = thing.cells.indexOf(this.lastBlank);
      target = thing.cells[(last + 1) % thing.cells.length];
      this.lastBlank = target;
    } else {
      thing.cells.forEach((code) => this.cells.rows.get(code).classList.add("shown"));
      setTimeout(() => thing.cells.forEach((code) => this.cells.rows.get(code).classList.remove("shown")), 2500);
    }
    document.body.classList.remove("panel-open");
    this.cells.focus(target);
  }

  mark(things) {
    const marks = new Map();
    for (const thing of things) {
      if (thing.kind === "blank" || thing.kind === "explained") continue;
      // A broken sum is shown at the total, not at eleven blameless parts.
      const codes = this.rules.get(thing.rule)?.total ? [thing.cells[0]] : thing.cells;
      for (const code of codes) if (marks.get(code) !== "hard") marks.set(code, thing.kind);
    }
    for (const [code, row] of this.cells.rows) {
      row.classList.toggle("has-hard", marks.get(code) === "hard");
      row.classList.toggle("has-query", marks.get(code) === "query");
    }
  }

  // Beside a typed total that differs: what its parts make, and one click to take it.
  suggestTotals(broken, figures) {
    const wrong = new Map(broken.filter((p) => this.rules.get(p.rule).total).map((p) => [p.cells[0], p]));
    for (const code of this.cells.sheet.totals) {
      const problem = wrong.get(code);
      if (!problem) {
        this.cells.note(code, "suggest", null);
        continue;
      }
      const gap = problem.message.slice(problem.message.lastIndexOf("差 "));
      const line = document.createDocumentFragment();
      const sum = this.cells.sumOf(code, figures) || "0";
      line.append(`应为 ${sum}，${gap}`);
      if (this.cells.isOpen(code)) {
        const adopt = make("button", "adopt", "采用");
        adopt.type = "button";
        adopt.dataset.adopt = code;
        adopt.title = "改为各分项之和，并随分项变动";
        line.append(adopt);
      }
      const shown = this.cells.rows.get(code).querySelector(".note.suggest");
      if (!shown || shown.dataset.sum !== sum + gap) {
        this.cells.note(code, "suggest", line);
        this.cells.rows.get(code).querySelector(".note.suggest").dataset.sum = sum + gap;
      }
    }
  }
}

// Pasting a block into the form: what goes where is shown first, and one click takes all of it back.

import { bar, button, make } from "./entry-filing.js";
import { NotAFigure, parse } from "./figures.js";
import { exactLines, linesOf, placed, standsAs } from "./pasted-block.js";
import { sumOfParts } from "./rules.js";

const MOST_LINES = 600; // as many as an upload looks at

// put(code, text): types a text into a cell, the usual way
export function pasteBlocks(cells, { put }) {
  const table = cells.rows.values().next().value.closest("table");
  const { sheet } = cells;
  const rows = cells.codes.map((code) => ({
    code,
    label: cells.rows.get(code).querySelector("td.item label").textContent.trim(),
    ...sheet.cells[code],
  }));
  const labelOf = new Map(rows.map((row) => [row.code, row.label]));
  const undoBar = make("div", "paste-undo");
  undoBar.setAttribute("role", "status");
  undoBar.hidden = true;
  document.body.append(undoBar);

  table.addEventListener("paste", (event) => {
    const code = event.target.matches("input, select") ? event.target.name : "";
    const lines = linesOf(event.clipboardData?.getData("text") ?? "");
    // One value is pasted as always.
    if (!code || !lines.length || (lines.length === 1 && lines[0].filter(Boolean).length < 2)) return;
    event.preventDefault();
    if (lines.length > MOST_LINES) {
      return bar(`复制的内容有 ${lines.length} 行，没有粘贴。请只选中报表的部分再复制。`, closing(() => bar()));
    }
    const exact = exactLines(lines, event.clipboardData.getData("text/html"));
    ask(planned(placed(exact, rows, code)), event.target);
  });

  // → {fills: [{code, old, text, follows, typed, differs, reworded}], same, blank, refused, unused, doubt}
  function planned({ cells: found, refused, unused, doubt }) {
    const plan = { fills: [], same: 0, blank: 0, refused: [...refused], unused, doubt };
    const wanted = new Map();
    const wordings = new Map(found.map(({ code, reworded }) => [code, reworded]));
    for (const { code, raw, unit } of found) {
      try {
        const text = raw && standsAs(sheet.cells[code], raw, unit);
        if (!text) plan.blank += 1;
        else if (cells.isOpen(code)) wanted.set(code, text);
        else if (text !== cells.text(code)) refuse(plan, code, `此格已锁定，“${raw}”没有粘贴。`);
        else plan.same += 1;
      } catch (error) {
        if (!(error instanceof NotAFigure)) throw error;
        refuse(plan, code, `${error.message.replace(/。$/, "")}，没有粘贴。`);
      }
    }
    const after = { ...cells.read().figures };
    for (const [code, text] of wanted) if (!cells.isTotal(code)) after[code] = parse(sheet.cells[code], text);
    // Totals from the inside out: one that is the sum of its parts goes on following them, another stays as pasted.
    const follows = new Map();
    for (const code of sheet.totals) {
      const sum = sumOfParts(sheet, after, code);
      const figure = wanted.has(code) ? parse(sheet.cells[code], wanted.get(code)) : null;
      follows.set(code, figure !== null ? figure === sum : !cells.isTypedTotal(code));
      if (follows.get(code)) after[code] = sum;
      else if (figure !== null) after[code] = figure;
    }
    for (const code of cells.codes) {
      if (!wanted.has(code)) continue;
      const [old, text] = [cells.text(code), wanted.get(code)];
      const isTotal = cells.isTotal(code);
      const typed = isTotal && cells.isTypedTotal(code);
      if (old === text && (!isTotal || follows.get(code) || typed)) plan.same += 1;
      else {
        const [ofParts, differs] = [isTotal && follows.get(code), isTotal && !follows.get(code)];
        plan.fills.push({ code, old, text, typed, follows: ofParts, differs, reworded: wordings.get(code) });
      }
    }
    return plan;
  }

  function refuse(plan, code, why) {
    plan.refused.push({ what: code, why });
  }

  function ask(plan, from) {
    const count = plan.fills.length;
    const dialog = make("dialog", "ask paste-ask");
    dialog.id = "paste-dialog";
    dialog.setAttribute("aria-labelledby", "paste-title");
    const title = make("h2", "", count ? `粘贴 ${count} 格` : "没有可以粘贴的内容");
    title.id = "paste-title";
    const body = make("div", "ask-body");
    const facts = [
      ...(plan.same ? [`相同 ${plan.same} 格`] : []),
      ...(plan.blank ? [`空白 ${plan.blank} 格，不改动`] : []),
      ...(plan.unused ? [`只取数字列，其余 ${plan.unused} 列没有粘贴`] : []),
    ];
    if (facts.length) body.append(make("p", "muted small", `${facts.join("；")}。`));
    if (count && plan.doubt) body.append(make("p", "urgent small", plan.doubt));
    if (plan.refused.length) {
      const list = make("ul", "paste-refused");
      for (const { what, why } of plan.refused) list.append(make("li", "", ...(what ? [make("b", "", what)] : []), why));
      body.append(list);
    }
    if (count) body.append(differences(plan.fills));
    const cancel = button("btn btn-plain", count ? "取消" : "知道了", () => dialog.close());
    const confirm = button("btn btn-primary", "确认粘贴", () => {
      dialog.close();
      fill(plan.fills);
    });
    dialog.append(title, body, make("div", "ask-buttons", cancel, ...(count ? [confirm] : [])));
    dialog.addEventListener("close", () => {
      dialog.remove();
      from.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
    (count ? confirm : cancel).focus();
  }

  function differences(fills) {
    const list = make("table", "list differences paste-list");
    const heads = ["代码", "项目", "现有", "", "粘贴"].map((text, i) => make("th", i === 2 || i === 4 ? "num" : "", text));
    const head = make("thead", "", make("tr", "", ...heads));
    const lines = fills.map(({ code, old, text, follows, differs, reworded }) => {
      const item = make("td", "item", labelOf.get(code));
      if (reworded) item.append(make("div", "small urgent", `复制的写作“${reworded}”，按代码粘贴，请核对`));
      if (follows) item.append(make("div", "small muted", "合计，与各项之和一致，自动计算"));
      else if (differs) item.append(make("div", "small urgent", "合计，与各项之和不一致"));
      const cellsOfLine = [
        make("td", "code", code), item, make("td", "num old", old || "空白"),
        make("td", "arrow", "→"), make("td", "num new", text),
      ];
      return make("tr", follows ? "follows" : "", ...cellsOfLine);
    });
    list.append(head, make("tbody", "", ...lines));
    return list;
  }

  function fill(fills) {
    for (const { code, text, follows, typed } of fills) {
      if (!follows) put(code, text);
      else if (typed) put(code, "");
    }
    // What stands now is what undoing may take back; typed over later, it is somebody's again.
    const put_ = fills.map((one) => ({ ...one, stands: cells.text(one.code) }));
    say(`已粘贴 ${fills.length} 格`, button("paste-undo-button", "撤销", () => undo(put_)), closing(hide));
  }

  function undo(fills) {
    const kept = fills.filter(({ follows, typed }) => !follows || typed);
    const later = kept.filter(({ code, stands }) => cells.text(code) !== stands);
    for (const { code, old, typed } of kept) {
      if (later.some((one) => one.code === code)) continue;
      put(code, cells.isTotal(code) && !typed ? "" : old);
    }
    const left = later.length ? `，${later.map(({ code }) => code).join("、")} 之后又有改动，没有撤销` : "";
    say(`已撤销粘贴${left}`, closing(hide));
  }

  function say(text, ...buttons) {
    undoBar.replaceChildren(make("span", "", text), ...buttons);
    undoBar.hidden = false;
  }

  function hide() {
    undoBar.hidden = true;
  }

  function closing(onClick) {
    return button("btn btn-plain btn-sm", "知道了", onClick);
  }
}

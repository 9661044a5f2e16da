// The page of one form: typing, saving, checking, submitting, put together.

import { Cells } from "./entry-cells.js";
import { spreadsheetKeys } from "./entry-keys.js";
import { FilingSavers, bar, button, make, state } from "./entry-filing.js";
import { followHead } from "./entry-head.js";
import { pasteBlocks } from "./entry-paste.js";
import { Problems } from "./entry-problems.js";
import { post } from "./entry-saving.js";
import { draftsOf } from "./entry-shelf.js";
import { offerSubmit } from "./entry-submit.js";

const $ = (id) => document.getElementById(id);

async function start() {
  const response = await fetch(state.urls.sheet, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!response.ok) throw new Error(`sheet ${response.status}`);
  const sheet = await response.json();
  const cells = new Cells($("sheet"), sheet, state);
  const conflicts = new Map();

  const savers = new FilingSavers();
  const saver = savers.open(state.slug, cells.known, {
    answer: taken,
    isComputed: (code) => cells.isTotal(code) && !cells.touched.has(code),
  });
  saver.savedAt = state.savedAt;

  const problems = new Problems(cells, state, draftsOf(state, state.slug), async (rule, text, shown) => {
    if (!(await saver.settled())) return "还有未保存的改动，请先处理后再保存说明。";
    const { status, answer } = await post(state.urls.explain, { person: state.person, rule, text, shown });
    if (status !== 200) {
      if (status === 401) saver.fail("login", answer);
      if (status === 409) await refresh();
      return answer?.error ?? "网络中断，说明没有保存，请稍后再试。";
    }
    problems.setExplanations({ [rule]: answer.text }, cells.read().figures);
    update();
    return null;
  });

  function update() {
    const read = cells.read();
    for (const code of cells.codes) {
      const control = cells.controls.get(code);
      control.classList.toggle("invalid", read.invalid.has(code));
      control.classList.toggle("unsaved", saver.typed.has(code));
      cells.note(code, "format", read.invalid.get(code) ?? null);
      cells.note(code, "refused", saver.refused.get(code) ?? null);
    }
    count(problems.update(read) + conflicts.size, read);
  }

  function count(left, { figures }) {
    const untouched = cells.codes.every((code) => figures[code] === null && !cells.text(code));
    const mark = $("tab-mark");
    mark.textContent = left === 0 ? "✓" : untouched ? "未填" : String(left);
    mark.className = `tab-mark ${left === 0 ? "done" : untouched ? "empty" : "todo"}`;
    $("panel-count").textContent = left ? `${left} 项待处理` : "";
    $("panel-toggle").textContent = left ? `问题 ${left}` : "✓ 无问题";
    $("panel-toggle").classList.toggle("clear", !left);
  }

  // Something was typed into a cell, by whatever means.
  function typed(code, value = cells.text(code)) {
    cells.note(code, "closed", null);
    if (conflicts.delete(code)) cells.note(code, "conflict", null);
    saver.release(code);
    if (cells.isTotal(code)) cells.typedTotals.set(code, value !== "");
    else if (value === cells.known.get(code) && saver.typed.has(code)) {
      saver.untype(code);
      return update();
    } else if (value === cells.known.get(code)) return update();
    saver.type(code, value);
    update();
  }

  function put(code, value) {
    cells.put(code, value);
    typed(code, value);
  }

  // Esc: the text the server last knew.
  function restore(code) {
    // A computed total that is on its way as a typed one goes back to following its parts.
    if (cells.isTotal(code) && !cells.touched.has(code) && saver.inFlight?.has(code)) return put(code, "");
    cells.put(code, cells.known.get(code));
    cells.typedTotals.delete(code);
    if (saver.typed.has(code)) saver.untype(code);
    conflicts.delete(code);
    cells.note(code, "conflict", null);
    update();
    cells.controls.get(code).select?.();
  }

  // The server's answer to a batch; for a cell that it could not take, only the refusal.
  function taken(answer, batch) {
    for (const code of Object.keys(answer.refused)) if (!cells.isOpen(code)) giveBack(code, batch.get(code)?.value);
    if (answer.cells) {
      cells.touched = new Set(answer.touched);
      for (const code of cells.typedTotals.keys()) if (!saver.typed.has(code)) cells.typedTotals.delete(code);
      for (const code of [...batch.keys(), ...Object.keys(answer.cells)]) {
        const isTyping = document.activeElement === cells.controls.get(code);
        if (!saver.typed.has(code) && cells.known.has(code) && !isTyping) cells.put(code, cells.known.get(code));
      }
      for (const conflict of answer.conflicts) askConflict(conflict);
      if (!saver.typed.size) {
        problems.setExplanations(answer.explanations, cells.read().figures);
        catchUp();
      }
    }
    update();
  }

  // A value that has no place here any more: said once, and no longer kept.
  function giveBack(code, value) {
    saver.forget(code);
    if (!cells.rows.has(code)) return bar(`本表已没有 ${code} 这一行，所填 ${value || "空白"} 没有保存。`, closeBar());
    cells.put(code, cells.known.get(code));
    cells.note(code, "closed", `此格不能修改，未保存（所填：${value || "空白"}）`);
  }

  // A colleague's figures may stand on the server and not here; then our totals differ from the stored ones.
  async function catchUp() {
    const behind = sheet.totals.some((code) => {
      const inUse = document.activeElement === cells.controls.get(code);
      return !cells.isTypedTotal(code) && !inUse && cells.text(code) !== cells.known.get(code);
    });
    if (behind) await refresh();
  }

  // What stands on the server now, into every cell that is not being typed into.
  async function refresh() {
    const response = await fetch(location.pathname, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!response || !response.ok) return;
    const facts = await response.json();
    cells.touched = new Set(facts.touched);
    for (const [code, text] of Object.entries(facts.texts)) {
      if (saver.typed.has(code)) continue;
      cells.known.set(code, text);
      if (document.activeElement !== cells.controls.get(code)) cells.put(code, text);
    }
    update();
  }

  function askConflict({ code, theirs, yours, by, at }) {
    conflicts.set(code, theirs);
    const decide = (mine) => {
      conflicts.delete(code);
      cells.note(code, "conflict", null);
      if (mine === null) {
        cells.put(code, theirs);
        // A colleague typed it: a total that is theirs is a typed one.
        cells.typedTotals.delete(code);
        if (cells.isTotal(code)) cells.touched.add(code);
      }
      saver.choose(code, theirs, mine);
      update();
    };
    const mine = button("adopt", `用我的 ${yours || "空白"}`, () => decide(yours));
    const other = button("adopt", `用对方的 ${theirs || "空白"}`, () => decide(null));
    const line = document.createDocumentFragment();
    line.append(`${by || "同事"}${at ? ` ${at} ` : ""}已填 ${theirs || "空白"}，您填的是 ${yours || "空白"}：`, mine, other);
    cells.note(code, "conflict", null);
    cells.note(code, "conflict", line);
  }

  // What this machine kept from before: shown again, marked, and sent; the server decides on conflicts.
  function unpack() {
    const kept = Object.entries(saver.shelf.all()).filter(([code]) => !saver.typed.has(code));
    if (!state.editable) {
      if (!kept.length) return;
      const drop = button("btn btn-plain btn-sm", "不要了", () => {
        kept.forEach(([code]) => saver.forget(code));
        bar();
      });
      const list = kept.map(([code, { value }]) => `${code} 填为 ${value || "空白"}`).join("，");
      return bar(`本机还有没有保存的改动：${list}。报送件重新可改时会自动补传。`, drop);
    }
    for (const [code, entry] of kept) {
      if (!cells.isOpen(code)) {
        giveBack(code, entry.value);
        continue;
      }
      saver.takeUp(code, entry);
      if (cells.isTotal(code)) cells.typedTotals.set(code, entry.value !== "");
      cells.put(code, entry.value);
    }
    saver.now();
  }

  // The explanations bind to what the server has, so they are taken before this machine's own values.
  problems.setExplanations(state.explanations, cells.read().figures);
  unpack();
  update();
  const unpackHead = state.editable ? followHead(savers) : null;
  if (state.editable) problems.dropDrafts();
  savers.openOthers();
  savers.guardLinks();
  $("panel-toggle").hidden = false;
  $("panel-toggle").addEventListener("click", () => document.body.classList.toggle("panel-open"));
  $("panel-close").addEventListener("click", () => document.body.classList.remove("panel-open"));
  document.documentElement.dataset.entry = "ready";
  if (!state.editable) return;

  const table = $("sheet");
  table.addEventListener("input", (event) => event.target.name && typed(event.target.name));
  table.addEventListener("focusout", (event) => {
    const code = event.target.name;
    if (!code || !cells.rows.has(code)) return;
    if (!saver.typed.has(code)) cells.put(code, cells.known.get(code));
    // After the focus has gone, so that an emptied total takes its sum again.
    setTimeout(update);
  });
  table.addEventListener("click", (event) => {
    const code = event.target.dataset.adopt;
    if (code) put(code, "");
  });
  spreadsheetKeys(cells, { type: put, restore, saveNow: () => saver.now() });
  pasteBlocks(cells, { put });
  fillZeros();
  // Another tab may have left something since; what nobody can see any more is given up.
  offerSubmit(savers, () => {
    unpack();
    unpackHead();
    update();
    savers.openOthers();
    problems.dropDrafts();
  });

  function fillZeros() {
    $("fill-zero").addEventListener("click", () => {
      const filled = cells.typable().filter(
        (code) => sheet.cells[code].kind !== "yesno" && !cells.isTotal(code) && !cells.text(code),
      );
      filled.forEach((code) => put(code, "0"));
      if (!filled.length) return bar("没有空白的数字格。", closeBar());
      const undo = button("btn btn-plain btn-sm", "撤销", () => {
        filled.filter((code) => cells.text(code) === "0").forEach((code) => put(code, ""));
        bar();
      });
      bar(`已把 ${filled.length} 格空白填为 0。`, undo, closeBar());
    });
  }

  function closeBar() {
    return button("btn btn-plain btn-sm", "知道了", () => bar());
  }
}

start().catch((error) => {
  console.error(error);
  const again = make("a", "btn btn-plain btn-sm", "刷新页面");
  again.href = location.pathname;
  bar("页面没有加载完整，暂时不能填报。", again);
});

// The page of one form: typing, saving, checking, submitting, put together.

import { Cells } from "./entry-cells.js";
import { spreadsheetKeys } from "./entry-keys.js";
import { Problems } from "./entry-problems.js";
import { Saver, csrfToken, post } from "./entry-saving.js";

const $ = (id) => document.getElementById(id);
const state = JSON.parse($("entry-state").textContent);

function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

// A line over the page about something that stops the saving; no content takes it away.
function bar(...content) {
  $("bar").replaceChildren(...content);
  $("bar").hidden = content.length === 0;
}

async function start() {
  const response = await fetch(state.urls.sheet, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!response.ok) throw new Error(`sheet ${response.status}`);
  const sheet = await response.json();
  const cells = new Cells($("sheet"), sheet, state);
  const conflicts = new Map();

  const saver = new Saver(state, (code) => cells.isTotal(code) && !cells.touched.has(code), cells.known, {
    status(text, kind) {
      $("saved").textContent = state.editable ? text : "";
      $("saved").className = `saved ${kind}`;
    },
    answer: taken,
    head: headError,
    trouble: showTrouble,
  });

  const problems = new Problems(cells, state, async (rule, text) => {
    if (!(await saver.settled())) return "还有未保存的改动，请先处理后再保存说明。";
    const { status, answer } = await post(state.urls.explain, { person: state.person, rule, text });
    if (status !== 200) {
      if (status === 401) saver.fail("login", answer);
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
    cells.note(code, "refused", null);
    if (conflicts.delete(code)) {
      cells.note(code, "conflict", null);
      saver.waiting.delete(code);
    }
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

  // The server's answer to a batch.
  function taken(answer, batch) {
    cells.touched = new Set(answer.touched);
    for (const code of cells.typedTotals.keys()) if (!saver.typed.has(code)) cells.typedTotals.delete(code);
    for (const code of [...batch.keys(), ...Object.keys(answer.cells)]) {
      const isTyping = document.activeElement === cells.controls.get(code);
      if (!saver.typed.has(code) && cells.known.has(code) && !isTyping) cells.put(code, cells.known.get(code));
    }
    for (const conflict of answer.conflicts) askConflict(conflict);
    for (const [code, sentence] of Object.entries(answer.refused)) {
      if (!cells.rows.has(code)) continue;
      cells.note(code, "refused", `${sentence}（所填：${batch.get(code)?.value || "空白"}）`);
      cells.put(code, cells.known.get(code));
    }
    if (!saver.typed.size) {
      problems.setExplanations(answer.explanations, cells.read().figures);
      catchUp();
    }
    update();
  }

  // A colleague's figures may stand on the server and not here; then our totals differ from the stored ones.
  async function catchUp() {
    const behind = sheet.totals.some((code) => {
      const inUse = document.activeElement === cells.controls.get(code);
      return !cells.isTypedTotal(code) && !inUse && cells.text(code) !== cells.known.get(code);
    });
    if (!behind) return;
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
    const mine = make("button", "adopt", `用我的 ${yours || "空白"}`);
    const other = make("button", "adopt", `用对方的 ${theirs || "空白"}`);
    mine.type = other.type = "button";
    mine.addEventListener("click", () => decide(yours));
    other.addEventListener("click", () => decide(null));
    const line = document.createDocumentFragment();
    line.append(`${by || "同事"}${at ? ` ${at} ` : ""}已填 ${theirs || "空白"}，您填的是 ${yours || "空白"}：`, mine, other);
    cells.note(code, "conflict", null);
    cells.note(code, "conflict", line);
  }

  function showTrouble(kind, answer) {
    if (kind === "login") {
      const link = make("a", "btn btn-primary btn-sm", "重新登录");
      link.href = `${answer?.login ?? state.urls.login}?next=${encodeURIComponent(location.pathname)}`;
      link.target = "_blank";
      link.rel = "noopener";
      const again = make("button", "btn btn-plain btn-sm", "已登录，继续保存");
      again.type = "button";
      again.addEventListener("click", () => saver.now());
      bar("登录已过期。已填内容存在本机，登录后自动补传。", link, again);
    } else if (kind === "stopped") {
      const link = make("a", "btn btn-plain btn-sm", "刷新页面");
      link.href = location.pathname;
      bar(answer?.error ?? "页面已过期，没有保存。", "您填的内容存在本机，仍显示在下面。", link);
    } else bar();
  }

  function headError(sentence) {
    $("head-error").textContent = sentence;
    $("head-error").hidden = !sentence;
  }

  // What this machine kept from before: shown again, marked, and sent; the server decides on conflicts.
  function unpack() {
    const kept = Object.entries(saver.shelf.all()).filter(([code]) => cells.rows.has(code));
    if (!state.editable) {
      if (!kept.length) return;
      const drop = make("button", "btn btn-plain btn-sm", "不要了");
      drop.type = "button";
      drop.addEventListener("click", () => {
        kept.forEach(([code]) => saver.forget(code));
        bar();
      });
      const list = kept.map(([code, { value }]) => `${code} 填为 ${value || "空白"}`).join("，");
      return bar(`本机还有没有保存的改动：${list}。报送件重新可改时会自动补传。`, drop);
    }
    for (const [code, { value, base }] of kept) {
      if (!cells.isOpen(code)) {
        cells.note(code, "refused", `此格不能修改，未保存（所填：${value || "空白"}）`);
        saver.forget(code);
        continue;
      }
      saver.typed.set(code, { value, base });
      if (cells.isTotal(code)) cells.typedTotals.set(code, value !== "");
      cells.put(code, value);
    }
    for (const [name, value] of Object.entries(saver.headShelf.all())) {
      const input = $("head-fields").querySelector(`[name="${CSS.escape(name)}"]`);
      if (!input) continue;
      input.value = value;
      saver.head.set(name, value);
    }
    saver.now();
  }

  // The explanations bind to what the server has, so they are taken before this machine's own values.
  problems.setExplanations(state.explanations, cells.read().figures);
  unpack();
  update();
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
  followHead(saver);
  fillZeros();
  offerSubmit();

  function fillZeros() {
    $("fill-zero").addEventListener("click", () => {
      const filled = cells.typable().filter(
        (code) => sheet.cells[code].kind !== "yesno" && !cells.isTotal(code) && !cells.text(code),
      );
      filled.forEach((code) => put(code, "0"));
      if (!filled.length) return bar("没有空白的数字格。", closeBar());
      const undo = make("button", "btn btn-plain btn-sm", "撤销");
      undo.type = "button";
      undo.addEventListener("click", () => {
        filled.filter((code) => cells.text(code) === "0").forEach((code) => put(code, ""));
        bar();
      });
      bar(`已把 ${filled.length} 格空白填为 0。`, undo, closeBar());
    });
  }

  function closeBar() {
    const close = make("button", "btn btn-plain btn-sm", "知道了");
    close.type = "button";
    close.addEventListener("click", () => bar());
    return close;
  }

  function offerSubmit() {
    const link = $("submit");
    if (!link) return;
    const dialog = $("submit-dialog");
    const confirm = $("submit-confirm");
    const say = (title, ...content) => {
      $("submit-title").textContent = title;
      $("submit-body").replaceChildren(...content);
      if (!dialog.open) dialog.showModal();
    };
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      confirm.hidden = true;
      if (!(await saver.settled())) {
        return say("还不能上报", make("p", "", "还有改动没有保存到服务器。请等网络恢复、登录或选定不一致的值后再上报。"));
      }
      const response = await fetch(state.urls.submit, { headers: { Accept: "application/json" } }).catch(() => null);
      const answer = response && (await response.json().catch(() => null));
      if (!answer || !response.ok) return say("还不能上报", make("p", "", answer?.error ?? "网络中断，请稍后再试。"));
      if (answer.missing.length) {
        const list = make("ul", "missing", ...answer.missing.map((sentence) => make("li", "", sentence)));
        return say(`还不能上报：${answer.missing.length} 项要处理`, list);
      }
      const words = [make("p", "", "统计表和送温暖报告已填写完整。上报后不能再修改，审核员开始审核前可以撤回。")];
      if (answer.not_included.length) {
        words.push(make("p", "not-included", `以下 ${answer.not_included.length} 个下级单位还没有通过审核，合计中不含其数据：${answer.not_included.join("、")}。`));
      }
      confirm.hidden = false;
      confirm.disabled = false;
      say("确认上报", ...words);
    });
    $("submit-cancel").addEventListener("click", () => dialog.close());
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.target.elements.csrfmiddlewaretoken.value = csrfToken();
    });
  }
}

// 填报人, 电话, 填报日期
function followHead(saver) {
  const fields = $("head-fields");
  const mine = $("use-mine");
  const inputs = [...fields.querySelectorAll("input")];
  const offer = () => (mine.hidden = inputs.every((input) => input.value));
  const put = (input) => {
    // A half-typed date reads as empty; only a whole one or a cleared one is meant.
    if (input.type === "date" && input.validity.badInput) return;
    saver.typeHead(input.name, input.value.trim());
    offer();
  };
  inputs.forEach((input) => input.addEventListener("input", () => put(input)));
  mine.addEventListener("click", () => {
    const today = new Date();
    const date = [today.getFullYear(), today.getMonth() + 1, today.getDate()];
    const values = {
      filler_name: mine.dataset.name,
      filler_phone: mine.dataset.phone,
      filled_on: date.map((n) => String(n).padStart(2, "0")).join("-"),
    };
    for (const input of inputs) {
      if (input.value || !values[input.name]) continue;
      input.value = values[input.name];
      put(input);
    }
  });
  offer();
}

start().catch((error) => {
  console.error(error);
  const again = make("a", "btn btn-plain btn-sm", "刷新页面");
  again.href = location.pathname;
  bar("页面没有加载完整，暂时不能填报。", again);
});

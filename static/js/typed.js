// Pages where plans and records are typed: every control with data-code ("visit:12:money") saves itself, the way
// the cells of a form do. The page's state stands in #typed-state: {person, filing, url, slug, login}.
//
//   follow({ typed(code, text), answered(answer), orphaned(entries, forget) }) → the page's Saver
//
// `orphaned`, where given, hears of [code, entry] that this machine kept for controls that are no longer there.
// Controls may come later (a row that was added): call `adopt(element)` with it.

import { Saver, standing } from "./entry-saving.js";

const $ = (id) => document.getElementById(id);
export const state = $("typed-state") && JSON.parse($("typed-state").textContent);

export function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

export function button(className, text, onClick) {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

export const controlOf = (code) => document.querySelector(`[data-code="${CSS.escape(code)}"]`);
export const textOf = (control) => (control.type === "checkbox" ? (control.checked ? "1" : "") : control.value);

function put(control, text) {
  if (control.type === "checkbox") control.checked = text === "1";
  else control.value = text;
}

// A select shows its choice, not its number.
function shown(control, text) {
  if (control?.type === "checkbox") return text ? "是" : "否";
  const option = text && control?.tagName === "SELECT" && [...control.options].find((one) => one.value === text);
  return (option ? option.textContent.trim() : text) || "空白";
}

export function follow(on) {
  const known = new Map();
  const conflicts = new Map();
  const part = { slug: state.slug, url: state.url, kind: "fields" };
  const saver = new Saver(state, part, known, { tell, answer: taken, trouble });

  function tell() {
    const [words, kind] = standing([saver]);
    $("saved").textContent = words;
    $("saved").className = `saved ${kind}`;
  }

  function trouble(kind, answer) {
    const content = [];
    if (kind === "login") {
      const link = make("a", "btn btn-primary btn-sm", "重新登录");
      link.href = `${answer?.login ?? state.login}?next=${encodeURIComponent(location.pathname)}`;
      link.target = "_blank";
      link.rel = "noopener";
      content.push("登录已过期。已填内容存在本机，登录后自动补传。", link,
        button("btn btn-plain btn-sm", "已登录，继续保存", () => saver.now()));
    } else if (kind === "stopped") {
      const link = make("a", "btn btn-plain btn-sm", "刷新页面");
      link.href = location.pathname;
      content.push(answer?.error ?? "页面已过期，没有保存。", "您填的内容存在本机，仍显示在下面。", link);
    }
    $("bar").replaceChildren(...content);
    $("bar").hidden = content.length === 0;
  }

  function note(code) {
    const control = controlOf(code);
    if (!control) return;
    const holder = control.closest("[data-field]") ?? control.parentElement;
    holder.querySelector(":scope > .typed-note")?.remove();
    const say = (className, ...content) => {
      const words = make("div", `typed-note ${className}`, ...content);
      // For pages that show it apart from its field.
      words.dataset.about = holder.querySelector("label")?.textContent.trim() ?? "";
      holder.append(words);
    };
    const conflict = conflicts.get(code);
    const refused = saver.refused.get(code);
    control.classList.toggle("is-refused", Boolean(refused));
    if (conflict) {
      const decide = (value) => {
        conflicts.delete(code);
        if (value === null) put(control, conflict.theirs);
        saver.choose(code, conflict.theirs, value);
        note(code);
        on.typed?.(code, textOf(control));
      };
      say("conflict", `同事已填 ${shown(control, conflict.theirs)}，您填的是 ${shown(control, conflict.yours)}：`,
        button("adopt", `用我的 ${shown(control, conflict.yours)}`, () => decide(conflict.yours)),
        button("adopt", `用对方的 ${shown(control, conflict.theirs)}`, () => decide(null)));
    } else if (refused) say("refused", refused);
  }

  function taken(answer, batch) {
    for (const conflict of answer.conflicts ?? []) conflicts.set(conflict.code, conflict);
    for (const [code, text] of Object.entries(answer.fields ?? {})) {
      const control = controlOf(code);
      if (control && !saver.typed.has(code) && document.activeElement !== control) put(control, text);
    }
    for (const code of batch?.keys() ?? []) note(code);
    if (answer.at) on.answered?.(answer);
  }

  function changed(control) {
    // A half-typed date reads as empty; only a whole one or a cleared one is meant.
    if (control.type === "date" && control.validity.badInput) return;
    const code = control.dataset.code;
    const text = textOf(control);
    conflicts.delete(code);
    if (text === known.get(code) && !saver.inFlight?.has(code)) saver.untype(code);
    else saver.type(code, text);
    note(code);
    on.typed?.(code, text);
  }

  function adopt(root) {
    for (const control of root.querySelectorAll("[data-code]")) {
      if (!known.has(control.dataset.code)) known.set(control.dataset.code, textOf(control));
    }
  }

  // Half-typed pinyin is nobody's text: it counts when the characters have been chosen.
  document.addEventListener("input", (event) => {
    if (!event.isComposing && event.target.matches?.("[data-code]")) changed(event.target);
  });
  document.addEventListener("compositionend", (event) => event.target.matches?.("[data-code]") && changed(event.target));
  // A field is looked at as it was understood ("3万" → "30000") when the cursor leaves it.
  document.addEventListener("focusout", (event) => {
    const code = event.target.dataset?.code;
    if (code && known.has(code) && !saver.typed.has(code)) put(event.target, known.get(code));
  });
  adopt(document);
  const orphans = [];
  for (const [code, entry] of Object.entries(saver.shelf.all())) {
    const control = controlOf(code);
    if (!control) {
      orphans.push([code, entry]);
      continue;
    }
    put(control, entry.value);
    saver.takeUp(code, entry);
    on.typed?.(code, entry.value);
  }
  if (orphans.length) on.orphaned?.(orphans, () => orphans.forEach(([code]) => saver.forget(code)));
  saver.now();
  tell();
  return Object.assign(saver, { adopt });
}

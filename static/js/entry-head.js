// 填报人, 电话, 填报日期: saved like cells, and like cells never over what somebody else has put there.

import { button, make, state } from "./entry-filing.js";

const $ = (id) => document.getElementById(id);

// → a function that takes up what another tab has left
export function followHead(savers) {
  const inputs = [...$("head-fields").querySelectorAll("input")];
  const inputOf = (name) => inputs.find((input) => input.name === name);
  const names = state.parts.find((part) => part.slug === "head").names;
  const known = new Map(Object.entries(state.head));
  const conflicts = new Map(); // name → the server's conflict
  const saver = savers.open("head", known, { answer: taken });
  const mine = $("use-mine");

  function offer() {
    mine.hidden = inputs.every((input) => input.value);
    const lines = [...conflicts.values()].map(conflictLine);
    for (const sentence of saver.refused.values()) lines.push(make("div", "note refused", sentence));
    $("head-notes").replaceChildren(...lines);
    const missing = inputs.filter((input) => !input.value).map((input) => names[input.name]);
    $("head-missing").hidden = !missing.length || !state.editable;
    $("head-missing").textContent = `上报前还要填写${missing.join("、")}。`;
  }

  function conflictLine({ code, theirs, yours }) {
    const decide = (value) => {
      conflicts.delete(code);
      if (value === null) inputOf(code).value = theirs;
      saver.choose(code, theirs, value);
      offer();
    };
    return make("div", "note conflict",
      `${names[code]}：同事已填 ${theirs || "空白"}，您填的是 ${yours || "空白"}：`,
      button("adopt", `用我的 ${yours || "空白"}`, () => decide(yours)),
      button("adopt", `用对方的 ${theirs || "空白"}`, () => decide(null)),
    );
  }

  function taken(answer) {
    for (const conflict of answer.conflicts ?? []) conflicts.set(conflict.code, conflict);
    for (const [name, text] of Object.entries(answer.fields ?? {})) {
      const input = inputOf(name);
      if (!saver.typed.has(name) && document.activeElement !== input) input.value = text;
    }
    offer();
  }

  function put(input) {
    // A half-typed date reads as empty; only a whole one or a cleared one is meant.
    if (input.type === "date" && input.validity.badInput) return;
    conflicts.delete(input.name);
    const value = input.value.trim();
    if (value === known.get(input.name) && !saver.inFlight?.has(input.name)) saver.untype(input.name);
    else saver.type(input.name, value);
    offer();
  }

  function unpack() {
    for (const [name, entry] of Object.entries(saver.shelf.all())) {
      if (!inputOf(name) || saver.typed.has(name)) continue;
      inputOf(name).value = entry.value;
      saver.takeUp(name, entry);
    }
    saver.now();
  }

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
  unpack();
  offer();
  return unpack;
}

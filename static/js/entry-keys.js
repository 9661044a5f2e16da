// The keyboard as in a spreadsheet: Enter and arrows go through the column, Esc takes back, a pasted column
// fills the cells below and says what found no place.

export function spreadsheetKeys(cells, { type, restore, saveNow, pasted }) {
  const table = cells.rows.values().next().value.closest("table");
  const codeOf = (target) => (target.matches("input, select") ? target.name : "");

  function move(code, step) {
    const order = cells.typable();
    const next = order[order.indexOf(code) + step];
    if (next) cells.controls.get(next).focus();
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      saveNow();
    }
  });

  table.addEventListener("keydown", (event) => {
    const code = codeOf(event.target);
    // While an input method composes, Enter and arrows are its own.
    if (!code || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const isSelect = event.target.tagName === "SELECT";
    if (event.key === "Enter") move(code, event.shiftKey ? -1 : 1);
    else if (event.key === "ArrowDown") move(code, 1);
    else if (event.key === "ArrowUp") move(code, -1);
    else if (event.key === "Escape") restore(code);
    // On a select the arrows would change the answer in passing; these keys choose it instead.
    else if (isSelect && ["1", "y", "Y"].includes(event.key)) type(code, "是");
    else if (isSelect && ["0", "n", "N"].includes(event.key)) type(code, "否");
    else if (isSelect && ["Delete", "Backspace"].includes(event.key)) type(code, "");
    else return;
    event.preventDefault();
  });

  table.addEventListener("paste", (event) => {
    const code = codeOf(event.target);
    const lines = (event.clipboardData?.getData("text") ?? "").replace(/\r?\n$/, "").split(/\r?\n/);
    const wider = lines.some((line) => line.split("\t").slice(1).some((text) => text.trim()));
    // One line of several columns would run together into one figure.
    if (!code || (lines.length < 2 && !wider)) return;
    event.preventDefault();
    const order = cells.typable().slice(cells.typable().indexOf(code));
    const fitting = lines.slice(0, order.length);
    fitting.forEach((line, i) => type(order[i], line.split("\t")[0].trim()));
    pasted({ count: fitting.length, below: lines.length - fitting.length, wider });
  });

  // Coming into a cell selects it, so that typing replaces; a second click places the caret.
  let fresh = false;
  table.addEventListener("focusin", (event) => {
    if (!event.target.matches("input:not([readonly])")) return;
    event.target.select();
    fresh = true;
  });
  table.addEventListener("click", (event) => {
    const input = event.target;
    if (fresh && input.matches("input:not([readonly])") && input.selectionStart === input.selectionEnd) input.select();
    fresh = false;
  });
}

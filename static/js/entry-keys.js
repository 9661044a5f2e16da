// The keyboard as in a spreadsheet: Enter and arrows go through the column, Esc takes back. Pasting is in
// entry-paste.js.

export function spreadsheetKeys(cells, { type, restore, saveNow }) {
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

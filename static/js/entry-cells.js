// The cells of the form on the page: what stands in them, as text and as figures.

import { NotAFigure, grouped, parse, show } from "./figures.js";
import { followParts, sumOfParts } from "./rules.js";

export class Cells {
  // state: as reporting/views/entry_page.py makes it
  constructor(table, sheet, state) {
    this.sheet = sheet;
    this.codes = Object.keys(sheet.cells);
    this.controls = new Map(); // code → input or select; on a page for reading, the td
    this.rows = new Map();
    for (const row of table.tBodies[0].rows) {
      this.rows.set(row.dataset.code, row);
      this.controls.set(row.dataset.code, row.querySelector("#c-" + CSS.escape(row.dataset.code)));
    }
    this.editable = state.editable;
    this.opened = state.opened && new Set(state.opened);
    this.below = state.below;
    this.known = new Map(); // code → text last known from the server
    for (const code of this.codes) this.known.set(code, this.text(code));
    this.touched = new Set(state.touched); // totals that somebody typed, as the server knows
    this.typedTotals = new Map(); // code → whether the typing not yet stored makes it a typed total
  }

  text(code) {
    const control = this.controls.get(code);
    return (this.editable ? control.value : control.textContent).trim();
  }

  isOpen(code) {
    return this.editable && this.rows.has(code) && (!this.opened || this.opened.has(code));
  }

  isTotal(code) {
    return this.sheet.cells[code].parts.length > 0;
  }

  // A total that stays as typed; the others follow their parts.
  isTypedTotal(code) {
    return this.typedTotals.get(code) ?? this.touched.has(code);
  }

  put(code, text) {
    const control = this.controls.get(code);
    if (control.tagName === "SELECT" && ![...control.options].some((o) => o.value === text)) {
      control.add(new Option(text, text));
    }
    if (control.value !== text) control.value = text;
  }

  // {figures, invalid}: code → BigInt or null, code → sentence. Untouched totals are brought up to date.
  read() {
    const figures = {};
    const invalid = new Map();
    for (const code of this.codes) {
      try {
        figures[code] = parse(this.sheet.cells[code], this.text(code));
      } catch (error) {
        if (!(error instanceof NotAFigure)) throw error;
        figures[code] = null;
        invalid.set(code, error.message);
      }
    }
    if (this.editable) {
      followParts(this.sheet, figures, (code) => this.isTypedTotal(code) || invalid.has(code));
      for (const code of this.sheet.totals) {
        // Whoever has just emptied a total is about to type into it.
        const inUse = document.activeElement === this.controls.get(code);
        if (!this.isTypedTotal(code) && !invalid.has(code) && !inUse) {
          this.put(code, show(this.sheet.cells[code], figures[code]));
        }
      }
    }
    if (this.below) this.showSums(figures);
    return { figures, invalid };
  }

  // 合计 = 本级 + 下级合计; 是 when anybody said 是.
  showSums(figures) {
    for (const code of this.codes) {
      const cell = this.sheet.cells[code];
      const parts = [figures[code], parse(cell, this.below[code])].filter((f) => f !== null);
      let sum = null;
      if (parts.length) sum = parts.reduce(cell.kind === "yesno" ? (a, b) => (a > b ? a : b) : (a, b) => a + b);
      const td = this.rows.get(code).querySelector("td.sum");
      const text = grouped(cell, sum);
      if (this.editable && td.textContent !== text) td.textContent = text;
    }
  }

  sumOf(code, figures) {
    return show(this.sheet.cells[code], sumOfParts(this.sheet, figures, code));
  }

  // The cells that can be typed into, in printed order.
  typable() {
    return this.codes.filter((code) => this.isOpen(code));
  }

  // A line of words under the label; the same slot again replaces it, null takes it away.
  note(code, slot, content) {
    const item = this.rows.get(code).querySelector("td.item");
    const old = item.querySelector(`:scope > .note.${slot}`);
    if (content === null) return old && old.remove();
    const text = typeof content === "string" ? content : null;
    if (old && text !== null && old.textContent === text) return;
    const line = document.createElement("div");
    line.className = `note ${slot}`;
    line.append(content);
    if (old) old.replaceWith(line);
    else item.append(line);
  }

  show(code) {
    const row = this.rows.get(code);
    row.scrollIntoView({ block: "center" });
    row.classList.remove("shown");
    requestAnimationFrame(() => row.classList.add("shown"));
    setTimeout(() => row.classList.remove("shown"), 2500);
  }

  focus(code) {
    this.show(code);
    if (this.isOpen(code)) this.controls.get(code).focus({ preventScroll: true });
  }
}

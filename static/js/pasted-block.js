// A block copied from Excel or WPS: its cells, and which row of the form each of its lines is. As an upload reads
// tables (reporting/reading/recognition.py): by codes and labels where the block has them, nothing is guessed.

import { NotAFigure, normalise, parse, show } from "./figures.js";

const WITH_UNIT = /^([-+0-9.]+)(万元|千元|百元|亿元|元|万|人次|人|户|个|家|名)$/;
// What a unit of money is in 万元, as the number of places that the point moves.
const SHIFTS = { 万元: 0, 万: 0, 千元: -1, 百元: -2, 元: -4, 亿元: 4 };
const ALSO = { 人: ["人", "名"], 人次: ["人次", "人"] };
const [YES, NO] = [["√", "✓", "✔", "☑", "有", "1.0"], ["×", "✗", "✘", "☒", "无", "0.0"]];
// A number as people group it: 12345, 1,234,567.8, 1 234; never 1,5 or 12 5.
const GROUPED = /^[-+]?(?:\d+|\d{1,3}(?:[,\s]\d{3})+)?(?:\.\d*)?(?:\s*[\u4e00-\u9fff]+)?$/;
// Heads of the column that is pasted, and of what never is.
const FIGURE_HEAD = /^(?:20\d\d年度?|年度|本年度?|本期|今年|本级|合计|总计|累计|实际|完成|填报|上报|报送)*(?:数字|数值|数据|数量金额|数量|数额|金额|数)?$/;
const NOT_REPORTED = /上年|去年|上期|同期|前年|增减|增长|差额|对比|占比|同比|比上|备注|说明|自动|计算|核对|审核|人均|计划|下级|依据/;
const MONEY_IN_HEAD = /[（(](?:单位[:：]?)?(万元|千元|百元|亿元|元)[)）]/;
const HEAD_LINES = 8;

// -- the clipboard ------------------------------------------------------------------------------------------

// Lines of texts. A cell with line breaks, tabs or quotes in it comes in quotes.
export function linesOf(text) {
  const lines = [[]];
  const cell = /(?:"((?:[^"]|"")*)"(?=\t|\r?\n|$)|([^\t\n]*?))(\t|\r?\n|$)/y;
  while (cell.lastIndex < text.length) {
    const [, quoted, plain, end] = cell.exec(text);
    lines.at(-1).push((quoted?.replaceAll('""', '"') ?? plain).trim());
    if (end === "\t" && cell.lastIndex === text.length) lines.at(-1).push("");
    else if (end !== "\t" && cell.lastIndex < text.length) lines.push([]);
  }
  while (lines.length && lines.at(-1).every((text) => !text)) lines.pop();
  return lines;
}

// What is copied is what is shown, and a spreadsheet shows 12.5 for 12.512345. The figure itself comes along in the
// HTML of LibreOffice (sdval) and WPS (x:num); it counts where the shown one is this very figure rounded.
export function exactLines(lines, html) {
  const rows = html ? [...new DOMParser().parseFromString(html, "text/html").querySelectorAll("tr")] : [];
  if (rows.length < lines.length) return lines;
  const grid = rows.map(() => []);
  rows.forEach((row, r) => {
    let c = 0;
    for (const cell of row.cells) {
      while (grid[r][c] !== undefined) c += 1;
      for (let down = 0; down < cell.rowSpan && r + down < grid.length; down += 1) {
        for (let across = 0; across < cell.colSpan; across += 1) grid[r + down][c + across] = down || across ? "" : cell;
      }
    }
  });
  return lines.map((line, r) => line.map((text, c) => {
    const cell = grid[r][c];
    const exact = cell && (cell.getAttribute("sdval") ?? cell.getAttribute("x:num"));
    const shown = normalise(text);
    if (!exact || !/^-?\d+(\.\d+)?$/.test(exact) || !/^-?\d+(\.\d+)?$/.test(shown)) return text;
    return Number(exact).toFixed(shown.split(".")[1]?.length ?? 0) === shown ? exact : text;
  }));
}

// -- figures ------------------------------------------------------------------------------------------------

const plainWidth = (text) => text.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0));

// The text that a person would type for what stands in a cell of the block, as reporting/reading/cell_figures.py has it.
// unit: what the block says that figures of this line are in. Throws NotAFigure.
export function figureText(cell, raw, unit = "") {
  const text = normalise(raw);
  if (cell.kind === "yesno") return YES.includes(text) ? "是" : NO.includes(text) ? "否" : text;
  if (text.startsWith("#")) throw new NotAFigure(`“${text.slice(0, 20)}”是公式出错的结果，请改正公式。`);
  const written = plainWidth(raw).trim();
  if (/\d/.test(text) && !GROUPED.test(written) && /^[0-9.+-]*$/.test(text)) {
    throw new NotAFigure(`“${written.slice(0, 30)}”的写法不清楚，请写成一个数。`);
  }
  const found = WITH_UNIT.exec(text);
  const [number, given] = found ? [found[1], found[2]] : [text, unit];
  if (given && !fits(cell, given)) throw new NotAFigure(`“${written.slice(0, 30)}”的单位是${given}，此处为${cell.unit}。`);
  return cell.kind === "money" ? shifted(number, SHIFTS[given] ?? 0) : number;
}

function fits(cell, unit) {
  if (cell.kind === "money") return unit in SHIFTS;
  return unit === cell.unit || Boolean(ALSO[cell.unit]?.includes(unit));
}

// A decimal number as text, its point moved: 125000 元 is 12.5 万元, to the last digit.
function shifted(number, places) {
  const parts = /^([-+]?)(\d*)\.?(\d*)$/.exec(number);
  if (!parts || !places || !/\d/.test(number)) return number;
  const [, sign, whole, decimals] = parts;
  if (places > 0) {
    const digits = decimals.padEnd(places, "0");
    return `${sign}${whole}${digits.slice(0, places)}.${digits.slice(places)}`;
  }
  const digits = whole.padStart(1 - places, "0");
  return trimmed(`${sign}${digits.slice(0, places)}.${digits.slice(places)}${decimals}`);
}

const trimmed = (number) => number.replace(/\.?0+$/, "");

// -- which line is which row --------------------------------------------------------------------------------

// A label for comparing: letters, digits and Chinese only; the year of 2020年度 does not matter.
export function plain(label) {
  const kept = plainWidth(label).replace(/20\d\d\s*年度/g, "年度").replace(/[^\p{L}\p{N}]/gu, "");
  return kept.replace(/^其中/, "").toLowerCase();
}

const codeOf = (text) => normalise(text).toUpperCase();

// The column in which most lines are what is sought; -1 when it is less than half of what stands there.
function columnWhere(lines, width, isSought, except = -1) {
  let best = -1;
  let most = 0;
  for (let c = 0; c < width; c += 1) {
    const texts = lines.map((line) => line[c]).filter(Boolean);
    const found = texts.filter(isSought).length;
    if (c !== except && found > most && found * 2 >= texts.length) [best, most] = [c, found];
  }
  return best;
}

function isFigureHead(text) {
  const head = text.replace(/[（(].*$/s, "").replace(/\s/g, "");
  return head !== "" && FIGURE_HEAD.test(head) && !NOT_REPORTED.test(head);
}

const nothing = (why) => ({ cells: [], refused: [{ what: "", why }], unused: 0 });

// rows: [{code, printed, label, kind, unit}] in printed order; start: the code of the focused cell.
// → {cells: [{code, raw, unit}], refused: [{what, why}], unused: how many columns were left out}
export function placed(lines, rows, start) {
  const width = Math.max(...lines.map((line) => line.length));
  const byCode = new Map(rows.flatMap((row, i) => [[row.code, i], ...(row.printed ? [[row.printed, i]] : [])]));
  const byLabel = new Map();
  rows.forEach((row, i) => byLabel.set(plain(row.label), [...(byLabel.get(plain(row.label)) ?? []), i]));
  const codes = columnWhere(lines, width, (text) => byCode.has(codeOf(text)));
  const labels = columnWhere(lines, width, (text) => byLabel.has(plain(text)), codes);
  const behind = Math.max(codes, labels) + 1;
  const known = new Set([...rows.map((row) => row.unit), ...Object.keys(SHIFTS), "单位"]);
  const units = [];
  const filled = [];
  for (let c = behind; c < width; c += 1) {
    const texts = lines.map((line) => line[c]).filter(Boolean);
    if (texts.length && texts.filter((text) => known.has(text)).length * 2 >= texts.length) units.push(c);
    else if (texts.length) filled.push(c);
  }
  const heads = lines.slice(0, HEAD_LINES);
  const figures = figureColumn(lines, filled, heads, behind > 0);
  if (figures === undefined) return nothing("复制的内容里没有数字列。");
  if (figures === null) return nothing(`有 ${filled.length} 列数，不知粘贴哪一列。请只复制到数字列，或者连同表头一起复制。`);
  const ofHead = heads.map((line) => MONEY_IN_HEAD.exec(line[figures] ?? "")?.[1]).find(Boolean) ?? "";
  const raw = lines.map((line) => {
    const unit = units.map((c) => line[c]).find((text) => text && text !== "单位") ?? "";
    return { raw: line[figures] ?? "", unit, ofHead };
  });
  const unused = filled.length - 1;
  if (behind === 0) return { ...downwards(raw, rows, start), unused };
  const names = (line) => [codeOf(line[codes] ?? ""), labels < 0 ? "" : plain(line[labels] ?? "")];
  return { ...matched(lines.map(names), raw, rows, byCode, byLabel), unused };
}

// The column under a telling head; else the first, unless another is filled as much: null when nobody can tell.
function figureColumn(lines, filled, heads, isTable) {
  const told = filled.filter((c) => heads.some((line) => isFigureHead(line[c] ?? "")));
  if (told.length === 1 || (told.length && !isTable)) return told[0];
  const among = told.length ? told : filled.filter((c) => !heads.some((line) => NOT_REPORTED.test(line[c] ?? "")));
  const size = (c) => lines.filter((line) => /\d/.test(line[c] ?? "")).length;
  if (isTable && among.slice(1).some((c) => size(c) * 2 >= size(among[0]))) return null;
  return among[0];
}

// Without codes and labels: from the focused cell down, one line a row.
function downwards(raw, rows, start) {
  const first = rows.findIndex((row) => row.code === start);
  const cells = [];
  let over = 0;
  const body = raw.findIndex(({ raw: text }) => !isFigureHead(text));
  raw.slice(Math.max(0, body)).forEach((one, i) => {
    if (rows[first + i]) cells.push({ ...one, code: rows[first + i].code, unit: unitOf(rows[first + i], one) });
    else if (one.raw) over += 1;
  });
  const refused = over ? [{ what: "", why: `${over} 行超出表格，没有粘贴。` }] : [];
  return { cells, refused };
}

// A head like 金额（元） is said of money only.
const unitOf = (row, { unit, ofHead }) => unit || (row.kind === "money" ? ofHead : "");

function matched(known, raw, rows, byCode, byLabel) {
  const at = known.map(([code, label]) => {
    const found = byCode.get(code);
    if (found === undefined) return code ? null : undefined; // a stranger's code, or none
    return label && plain(rows[found].label) !== label && byLabel.has(label) ? "other" : found;
  });
  // Labels repeat (发放款物): a line without a code is the row that alone is called so, or the one beside its neighbour.
  const alone = ([, label], i) => (at[i] === undefined && byLabel.get(label)?.length === 1 ? byLabel.get(label)[0] : at[i]);
  known.map(alone).forEach((row, i) => (at[i] = row));
  const beside = (i, step) => {
    const wanted = typeof at[i - step] === "number" ? at[i - step] + step : -1;
    if (at[i] === undefined && byLabel.get(known[i][1])?.includes(wanted)) at[i] = wanted;
  };
  for (let i = 1; i < at.length; i += 1) beside(i, 1);
  for (let i = at.length - 2; i >= 0; i -= 1) beside(i, -1);
  const cells = [];
  const refused = [];
  raw.forEach((one, i) => {
    const text = one.raw;
    const [code, label] = known[i];
    const what = code || (label.length > 16 ? `${label.slice(0, 16)}…` : label) || `第 ${i + 1} 行`;
    const twice = at.filter((row, j) => row === at[i] && raw[j].raw).length > 1;
    if (!text || isFigureHead(text)) return;
    if (at[i] === null) refused.push({ what, why: `表中没有这个代码，“${text}”没有粘贴。` });
    else if (at[i] === "other") refused.push({ what, why: `代码与项目不是同一行，“${text}”没有粘贴。请核对是否串行。` });
    else if (typeof at[i] === "number" && twice) refused.push({ what, why: `出现了两次，“${text}”没有粘贴。` });
    else if (typeof at[i] === "number") cells.push({ ...one, code: rows[at[i]].code, unit: unitOf(rows[at[i]], one) });
    else if (byLabel.has(label)) refused.push({ what, why: `有几行同名，“${text}”没有粘贴。请连同代码一起复制。` });
    else refused.push({ what, why: `表中没有这一行，“${text}”没有粘贴。` });
  });
  return { cells, refused };
}

// The figure of one cell of the block → the text it stands as. Throws NotAFigure.
export const standsAs = (cell, raw, unit = "") => show(cell, parse(cell, figureText(cell, raw, unit)));

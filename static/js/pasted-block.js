// A block copied from Excel or WPS: its cells, its column of figures and their units, and which row of the form each
// of its lines is. As an upload reads tables (reporting/reading): by codes and labels where the block has them, else
// from the focused cell down; nothing is guessed.

import { UNITS, Vocabulary, codeOf, identified, lineOf, plain, plainWidth, yearOf } from "./block-lines.js";
import { NotAFigure, normalise, parse, show } from "./figures.js";

const WITH_UNIT = /^([-+0-9.]+)(万元|千元|百元|亿元|元|万|人次|人|户|个|家|名)$/;
// What a unit of money is in 万元, as the number of places that the point moves.
const SHIFTS = { 万元: 0, 万: 0, 千元: -1, 百元: -2, 元: -4, 亿元: 4 };
const ALSO = { 人: ["人", "名"], 人次: ["人次", "人"] };
const [YES, NO] = [["√", "✓", "✔", "☑", "有", "1.0"], ["×", "✗", "✘", "☒", "无", "0.0"]];
// A number as people group it: 12345, 1,234,567.8, 1 234; never 1,5 or 12 5.
const GROUPED = /^[-+]?(?:\d+|\d{1,3}(?:[,\s]\d{3})+)?(?:\.\d*)?(?:\s*[\u4e00-\u9fff]+)?$/;
// Heads of the column that is pasted, and of what never is, as reporting/reading/figure_columns.py has them.
const REPORTED = new RegExp(
  "^(?:20\\d\\d年度?|年度|本年度?|本期|本次|今年|当年|[省市县区局]?本级|不含下级(?:单位)?|合计|总计|累计|实际|完成|填报|上报|报送|统计|发生)*" +
    "(?:数字|数值|数据|数量金额|数量|数额|金额|人数|人次数|户数|数|结果)?(?:万元|千元|百元|亿元|元|人次|人|户|个|家)*$",
);
const NOT_REPORTED = new RegExp(
  "上年|去年|上期|上次|上届|同期|前年|往年|历年|增减|增长|增幅|增速|增加|减少|差额|差异|差数|对比|占比|比例|比重|比率|同比|环比|比上|较上" +
    "|百分|%|备注|说明|备考|自动|计算|公式|核对|校验|审核|人均|平均|预算|计划|目标|(?<!不含)下级|下属|所属|依据|来源",
);
const HEAD_WORDS = new Set("项目,项目名称,指标,指标名称,内容,名称,单位,计量单位,代码,编码,序号,行次".split(","));
const NEVER = new Set([...HEAD_WORDS, "行号", "栏次", "编号", "代号", "级别", "其中"]);
const MONEY_IN_HEAD = /[（(\[【](?:单位[:：])?(万元|千元|百元|亿元|元)[）)\]】]/;
const MONEY_OF_PAGE =
  /(?<!填报|报送|填表|上报)(?:金额|货币|计量)?单\s*位\s*(?:[:：]|均?为)\s*(万元|千元|百元|亿元|元)(?![\u4e00-\u9fff])/;
const OF_ABOVE = /以上|上述|上表/;
// A remark below the table, which says that it is one.
const MONEY_IN_REMARK = new RegExp(
  "(?:注|说明|以上|上述|上表|本表)[^。；]{0,20}(?:金额|款物|资金)(?:的?单位)?(?:均?为|均?以|均?按|[:：])(万元|千元|百元|亿元|元)" +
    "(?:为单位|计算?|填报|填写)?(?![\\u4e00-\\u9fff])",
);
const NUMBER = /^[-+]?[0-9.,， \u3000]+(?:[万千百亿]?元|人次|人|名|户|个|家|万)?$/;
const [MOST_HEAD_LINES, MOST_REMARK_LINES] = [6, 4];
const LEAST_IN_COLUMN = 3;
const [MOST_OUT_OF_STEP, MOST_EXAMPLES] = [2, 10];

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

// -- which columns hold what --------------------------------------------------------------------------------

const nothing = (why, refused = []) => ({ cells: [], refused: [{ what: "", why }, ...refused], unused: 0, doubt: "" });
const short = (text, most = 16) => (text.length > most ? `${text.slice(0, most)}…` : text);
const at = (line, column) => line[column] ?? "";
const isUnit = (text) => UNITS.includes(plainWidth(text).trim());

function looksLikeFigure(text) {
  if (text.length > 60) return false;
  return NUMBER.test(plainWidth(text)) || text.startsWith("#") || ["是", "否", "√", "×"].includes(text);
}

// Words that say what something is: no figure, no unit, no head, nothing like “-” or “十二”.
function isWords(text) {
  const rest = plainWidth(text).replace(/[\d.,，\s]+/g, "");
  if (plain(rest).length < 2 || looksLikeFigure(text) || isUnit(rest) || isHead(text)) return false;
  return !/^[一二三四五六七八九十百千万亿零〇两]+$/.test(rest);
}

const isNever = (pieces) => pieces.some((piece) => NEVER.has(plain(piece)) || NOT_REPORTED.test(plainWidth(piece)));
const isReportedHead = (text) => plain(text) !== "" && REPORTED.test(plain(text)) && !isNever([text]);
const isHead = (text) => HEAD_WORDS.has(plain(text)) || (plain(text) !== "" && REPORTED.test(plain(text)));

// The columns where `isSought` is true of most or of some lines, the one with the most first.
function columnsWhere(lines, width, isSought) {
  const columns = [];
  for (let c = 0; c < width; c += 1) {
    const texts = lines.map((line) => at(line, c)).filter(Boolean);
    const found = texts.filter(isSought).length;
    if (found && (found >= LEAST_IN_COLUMN || found * 2 >= texts.length)) columns.push({ c, found });
  }
  return columns.sort((a, b) => b.found - a.found || a.c - b.c);
}

// Column → the pieces of its head, from the last line above the first row that looks like a head down.
function headsOf(lines, left, width, first) {
  for (let n = first - 1; n >= Math.max(0, first - MOST_HEAD_LINES); n -= 1) {
    if (lines[n].slice(left).filter(isHead).length < 2) continue;
    return Array.from({ length: width }, (_, c) => lines.slice(n, first).map((line) => at(line, c)).filter(Boolean));
  }
  return Array.from({ length: width }, () => []);
}

// What money is in: 单位：元 above the first row, nearest first, or a remark below the last. null when they disagree.
function moneyOfPage(lines, first, last) {
  const unitIn = (some, pattern) => some.flat().map((text) => pattern.exec(plainWidth(text))?.[1]).find(Boolean);
  const above = lines.slice(Math.max(0, first - 2 * MOST_HEAD_LINES), first).reverse();
  const over = unitIn(above.map((line) => line.filter((text) => !OF_ABOVE.test(text))), MONEY_OF_PAGE);
  const under = unitIn(lines.slice(last + 1, last + 1 + MOST_REMARK_LINES), MONEY_IN_REMARK);
  return over && under && over !== under ? null : over ?? under ?? "";
}

// What amounts below these heads are in. {unit} or {why}
function moneyUnit(heads, lines, first, last) {
  const unit = MONEY_IN_HEAD.exec(plainWidth(heads.join("")))?.[1] ?? moneyOfPage(lines, first, last);
  return unit === null ? { why: "表的上方和下方写着不同的金额单位，没有粘贴。请只复制其中正确的部分。" } : { unit };
}

// A head that may be meant otherwise is told: 2020年, 道里区.
function doubtOf(heads) {
  const title = heads.join(" ");
  return title && (!heads.some(isReportedHead) || /\d|二[〇○零]/.test(plainWidth(title))) ? `数字列的表头是“${short(title)}”，请核对。` : "";
}

// {column, unused}, or {why}: the only column of figures, or the one whose head says so. Two that could be it are none.
function figureColumn(lines, filled, heads, known, first) {
  const figuresIn = (c) => known.map((n) => at(lines[n], c)).map((text) => (looksLikeFigure(text) ? text : ""));
  const hasFigures = (c) => figuresIn(c).some(Boolean);
  const reported = filled.filter((c) => heads[c].some(isReportedHead) && !isNever(heads[c]));
  const open = filled.filter((c) => hasFigures(c) && !reported.includes(c) && !isNever(heads[c]));
  let candidates = reported.filter(hasFigures);
  if (!candidates.length) candidates = reported.length ? reported.slice(0, 1) : open;
  if (!candidates.length && filled.length === 1 && !isNever(heads[filled[0]])) candidates = filled;
  if (!candidates.length) {
    const never = filled.find(hasFigures);
    if (never === undefined) return { why: "复制的内容里没有数字列。" };
    return { why: `数字列的表头是“${short(heads[never].join(" "))}”，不是上报数，没有粘贴。` };
  }
  if (candidates.some((c) => figuresIn(c).join("\t") !== figuresIn(candidates[0]).join("\t"))) {
    return { why: `有 ${candidates.length} 列数，不知粘贴哪一列。请只复制到数字列，或者连同表头一起复制。` };
  }
  // A head like 去年 over a block without other heads is believed too.
  const above = lines.slice(0, first).map((line) => at(line, candidates[0]));
  if (isNever(above)) return { why: `数字列的表头是“${short(above.find((text) => isNever([text])))}”，不是上报数，没有粘贴。` };
  return { column: candidates[0], unused: filled.length - 1 };
}

// -- which line is which row --------------------------------------------------------------------------------

// rows: [{code, label, kind, unit, reprinted}] in printed order; start: the code of the focused cell.
// → {cells: [{code, raw, unit, reworded}], refused: [{what, why}], unused: how many columns were left out, doubt: a
// sentence about the column's head, or empty}
export function placed(lines, rows, start) {
  const width = Math.max(...lines.map((line) => line.length));
  const vocabulary = new Vocabulary(rows);
  const isRow = (text) => vocabulary.isLabel(text);
  const isCode = (text) => vocabulary.byCode.has(codeOf(text));
  const codes = columnsWhere(lines, width, isCode)[0]?.c ?? -1;
  const labelled = columnsWhere(lines, width, isRow).filter(({ c }) => c !== codes);
  if (codes < 0 && !labelled.length) {
    if (lines.flat().some((text) => isRow(text) || isCode(text))) {
      return nothing("复制的内容里只有个别代码或项目与表样一致，不知从哪一行粘贴。请只复制数字一列，或者连同代码一起复制。");
    }
    return downwards(lines, width, rows, start);
  }
  const labels = labelled.length ? labelsBeside(lines, labelled) : wordsBeside(lines, width, codes, isCode);
  if (!labels) return nothing("复制的内容里并排有几张表，不知粘贴哪一张。请分别复制。");
  const said = lines.map((line) => lineOf(at(line, codes), labels.map((c) => at(line, c)), vocabulary));
  const numbers = said.flatMap(({ code, label }, n) => (code || label ? [n] : []));
  const found = new Map();
  identified(numbers.map((n) => said[n]), vocabulary).forEach((one, i) => found.set(numbers[i], one));
  const sure = numbers.filter((n) => found.get(n).row !== undefined || found.get(n).conflict);
  const known = sure.length ? sure : numbers.filter((n) => found.get(n).isUndecided);
  if (!known.length) return nothing("复制的内容里没有能确定的行，没有粘贴。请连同代码一起复制。");
  const other = known.map((n) => [yearOf(said[n].label), yearOf(rows[found.get(n).row]?.label ?? "")]).find(([a, b]) => a && b && a !== b);
  if (other) return nothing(`复制的是${other[0]}年度的表，此表为${other[1]}年度，没有粘贴。`);

  const behind = Math.max(codes, ...labels) + 1;
  const isUnits = (c) => {
    const texts = lines.map((line) => at(line, c)).filter(Boolean);
    return texts.length > 0 && texts.filter((text) => isUnit(text) || plain(text) === "单位").length * 2 >= texts.length;
  };
  const rest = Array.from({ length: width }, (_, c) => c).filter((c) => c >= behind && lines.some((line) => at(line, c)));
  const units = rest.filter(isUnits);
  const heads = headsOf(lines, Math.min(...[codes, ...labels].filter((c) => c >= 0)), width, known[0]);
  const { column, unused, why } = figureColumn(lines, rest.filter((c) => !isUnits(c)), heads, known, known[0]);
  if (why) return nothing(why);
  const money = moneyUnit(heads[column], lines, known[0], known.at(-1));
  if (money.why) return nothing(money.why);
  const figures = lines.map((line, n) => ({
    raw: n < known[0] && !looksLikeFigure(at(line, column)) ? "" : at(line, column),
    unit: units.map((c) => plainWidth(at(line, c)).trim()).find(isUnit) ?? said[n].unit,
  }));
  return { ...matched(said, found, figures, vocabulary, money.unit), unused, doubt: doubtOf(heads[column]) };
}

// All columns that say what the lines are; null when figures stand between them, for those are two tables.
function labelsBeside(lines, labelled) {
  const columns = labelled.map(({ c }) => c).sort((a, b) => a - b);
  for (let c = columns[0] + 1; c < columns.at(-1); c += 1) {
    if (!columns.includes(c) && lines.some((line) => /\d/.test(at(line, c)) || isUnit(at(line, c)))) return null;
  }
  return columns;
}

// Words beside codes are labels all the same, though none of this form's.
function wordsBeside(lines, width, codes, isCode) {
  const coded = lines.filter((line) => isCode(at(line, codes)));
  for (let c = 0; c < width; c += 1) {
    if (c !== codes && coded.filter((line) => isWords(at(line, c))).length * 2 > coded.length) return [c];
  }
  return [];
}

function matched(said, found, figures, vocabulary, ofHead) {
  const { rows } = vocabulary;
  const cells = [];
  const refused = [];
  let outOfStep = 0;
  figures.forEach(({ raw, unit }, n) => {
    const { row, conflict, isUndecided, reworded } = found.get(n) ?? {};
    const { code, label } = said[n];
    outOfStep += Boolean(conflict?.isNamed);
    if (!raw) return;
    const isTwice = [...found].some(([other, one]) => other !== n && row !== undefined && one.row === row && figures[other].raw);
    const refuse = (why) => refused.push({ what: code || short(label) || `第 ${n + 1} 行`, why });
    if (conflict) refuse(whyNot(conflict, label, raw, rows));
    else if (code && !vocabulary.byCode.has(code)) refuse(`表中没有这个代码，“${raw}”没有粘贴。`);
    else if (isTwice) refuse(`出现了两次，“${raw}”没有粘贴。`);
    else if (row !== undefined) {
      const stated = unitOf(rows[row], unit, ofHead, raw);
      if (stated.why) refuse(stated.why);
      else cells.push({ code: rows[row].code, raw, unit: stated.unit, ...(reworded && { reworded: short(label, 30) }) });
    } else if (isUndecided) refuse(`有几行同名，“${raw}”没有粘贴。请连同代码一起复制。`);
    else refuse(`表中没有这一行，“${raw}”没有粘贴。`);
  });
  if (outOfStep <= MOST_OUT_OF_STEP) return { cells, refused };
  return nothing(`有 ${outOfStep} 行的代码与项目对不上，像是串了行，没有粘贴。请按表样核对后再复制。`, refused.slice(0, MOST_EXAMPLES));
}

function whyNot({ isNamed, instead, between }, label, raw, rows) {
  const tail = `“${raw}”没有粘贴。请核对是否串行。`;
  if (instead !== undefined) return `按项目和上一行应为 ${rows[instead].code}，与代码不是同一行，${tail}`;
  if (between) {
    const around = between.filter((row) => row !== undefined).map((row) => rows[row].code).join("、");
    return `代码与前后的行（${around}）接不上，${tail}`;
  }
  return isNamed ? `代码与项目不是同一行，${tail}` : `项目写作“${short(label)}”，与表样不同，${tail}`;
}

// In what the figure of a line is written: what the line says, for money also the head or the page. They must agree.
function unitOf(row, own, ofHead, raw) {
  if (row.kind === "yesno") return { unit: "" };
  if (own && (own !== "是/否" || row.kind === "money") && !fits(row, own)) return { why: `“${raw}”的单位是${own}，此处为${row.unit}，没有粘贴。` };
  if (row.kind !== "money") return { unit: "" };
  if (own && ofHead && SHIFTS[own] !== SHIFTS[ofHead]) return { why: `单位写作${own}，表头又写着${ofHead}，“${raw}”没有粘贴。` };
  return { unit: own || ofHead };
}

// Without codes and labels: from the focused cell down, one line a row.
function downwards(lines, width, rows, start) {
  let body = 0;
  while (body < lines.length - 1 && isAboveFigures(lines[body])) body += 1;
  const rest = lines.slice(body);
  const filled = Array.from({ length: width }, (_, c) => c).filter((c) => rest.some((line) => at(line, c)));
  const units = filled.filter((c) => rest.every((line) => !at(line, c) || isUnit(at(line, c))));
  const others = filled.filter((c) => !units.includes(c));
  const heads = Array.from({ length: width }, (_, c) => lines.slice(0, body).map((line) => at(line, c)).filter(Boolean));
  const { column, unused, why } = figureColumn(lines, others, heads, rest.map((_, i) => body + i), body);
  if (why) return nothing(why);
  const says = (text) => isWords(text) && !/\d/.test(plainWidth(text));
  const told = others.find((c) => c <= column && rest.some((line) => says(at(line, c))));
  if (told !== undefined) {
    const words = short(rest.map((line) => at(line, told)).find(says));
    return nothing(`“${words}”不是表中的项目，也不是数字，不知从哪一行粘贴。请只复制数字一列。`);
  }
  const money = moneyUnit(heads[column], lines, body, lines.length);
  if (money.why) return nothing(money.why);
  const first = rows.findIndex((row) => row.code === start);
  const cells = [];
  const refused = [];
  let over = 0;
  rest.forEach((line, i) => {
    const raw = at(line, column);
    const row = rows[first + i];
    const own = units.map((c) => plainWidth(at(line, c)).trim()).find(isUnit) ?? "";
    const stated = row && unitOf(row, own, money.unit, raw);
    if (!row) over += Boolean(raw);
    else if (raw && stated.why) refused.push({ what: row.code, why: stated.why });
    else cells.push({ code: row.code, raw, unit: stated.unit });
  });
  if (over) refused.push({ what: "", why: `${over} 行超出表格，没有粘贴。` });
  return { cells, refused, unused, doubt: doubtOf(heads[column]) };
}

// A line of heads, or one that only says 单位：元. A blank one is the first row's: whoever copied it began there.
function isAboveFigures(line) {
  const texts = line.filter(Boolean);
  return texts.length > 0 && texts.every((text) => isHead(text) || isNever([text]) || MONEY_OF_PAGE.test(plainWidth(text)));
}

// The figure of one cell of the block → the text it stands as. Throws NotAFigure.
export const standsAs = (cell, raw, unit = "") => show(cell, parse(cell, figureText(cell, raw, unit)));

// What each line of a pasted block says it is: its code, its label, and what the lines around it make of a label that
// repeats. The rules of an upload (reporting/reading/lines.py, tables.py, labels.py), so that a block and the same
// cells in a workbook never end in different rows; tests/imports/pasted.json and many made blocks hold both to it.

export const UNITS = ["是/否", "万元", "千元", "百元", "亿元", "元", "人次", "人", "名", "户", "个", "家", "万人次", "万人", "万"];
const NUMERALS = "一二三四五六七八九十";
const CODE = /^[A-Z]\d{0,2}$/;
// What may stand before the words of a label: （一）, 1、, ①, a dash; 其中; a code.
const BEFORE = new RegExp(
  `^(?:[（(]\\s*(?:[${NUMERALS}]{1,3}|\\d{1,2})\\s*[)）]|(?:[${NUMERALS}]{1,3}|\\d{1,2})\\s*[、.．:：)）]|[①-⑳]` +
    "|[-—－·•*★☆●○◆◇■□]|其\\s*中\\s*[:：]?)\\s*",
);
const CODE_BEFORE = /^[（(\[]?([A-Za-z]\d{0,2})(?:[)）\]、.．:：\s]\s*|(?=[\u4e00-\u9fff（(]))/;
const LONGER_FIRST = [...UNITS].sort((a, b) => b.length - a.length).join("|");
const UNIT_BEHIND = new RegExp(`[（(\\[【]\\s*(?:单\\s*位\\s*(?:[:：]\\s*)?)?(${LONGER_FIRST})\\s*[）)\\]】]\\s*$`);
const MOST_LABEL = 300;
const SAME_AS_ABOVE = "（同上）";
const ALIKE = 0.55; // how alike a reworded label must be to be taken for its code's row
const LEAST_IN_BLOCK = 3; // so many lines of one label below each other lean on nothing

export const plainWidth = (text) => text.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0));

// A label for comparing: letters, digits and Chinese only; the year of 2020年度 does not matter.
export function plain(label) {
  const kept = plainWidth(label).replace(/20\d\d\s*年度/g, "年度").replace(/[^\p{L}\p{N}]/gu, "");
  return kept.replace(/^其中/, "").toLowerCase();
}

export const yearOf = (label) => /(20\d\d)\s*年度/.exec(plainWidth(label))?.[1];

export function codeOf(text) {
  const code = plainWidth(text).replace(/\s/g, "").toUpperCase();
  return CODE.test(code) ? code : "";
}

// A label taken apart: every form in which it may be compared, the code before it, the unit behind it.
function said(text) {
  const names = new Set();
  let rest = plainWidth(text.slice(0, MOST_LABEL)).trim();
  let [code, unit] = ["", ""];
  const behind = UNIT_BEHIND.exec(rest);
  if (behind) {
    names.add(plain(rest));
    [rest, unit] = [rest.slice(0, behind.index), behind[1]];
  }
  for (let i = 0; i < 4; i += 1) {
    names.add(plain(rest));
    const before = BEFORE.exec(rest);
    const coded = !before && !code && CODE_BEFORE.exec(rest);
    if (!before && !coded) break;
    if (coded) code = coded[1].toUpperCase();
    rest = rest.slice((before ?? coded)[0].length);
  }
  names.add(plain(rest));
  for (const start of ["年度", "同上"]) {
    for (const name of [...names]) if (name.startsWith(start)) names.add(name.slice(start.length));
  }
  names.delete("");
  return { names, code, unit };
}

// How the rows of the form are called. A name may be several rows'. Rows are their numbers, from 0.
export class Vocabulary {
  constructor(rows) {
    this.rows = rows;
    this.byCode = new Map(); // a code may be two rows', where the notice reprints one on another
    this.byName = new Map();
    let [above, group] = ["", null];
    rows.forEach(({ code, label, reprinted }, i) => {
      for (const one of reprinted ? [code, reprinted] : [code]) {
        this.byCode.set(one, (this.byCode.get(one) ?? new Set()).add(i));
      }
      const groupAbove = above.includes("：") ? above.slice(0, above.lastIndexOf("：")) : "";
      const isSame = label.startsWith(SAME_AS_ABOVE);
      const full = isSame ? `${groupAbove || above}：${label.slice(SAME_AS_ABOVE.length)}` : label;
      const texts = [label, full];
      const colon = full.lastIndexOf("：");
      // Of the same people, another measure.
      if (i && colon >= 0 && full.slice(0, colon) === group && group !== "其中") texts.push(full.slice(colon + 1));
      [above, group] = [full, colon >= 0 ? full.slice(0, colon) : ""];
      for (const name of texts.flatMap((text) => [...said(text).names])) {
        this.byName.set(name, (this.byName.get(name) ?? new Set()).add(i));
      }
    });
  }

  named(names) {
    return new Set([...names].flatMap((name) => [...(this.byName.get(name) ?? [])]));
  }

  isLabel(text) {
    return text.length <= MOST_LABEL && this.named(said(text).names).size > 0;
  }
}

// -- one line by itself -------------------------------------------------------------------------------------

const only = (set) => (set.size === 1 ? [...set][0] : undefined);

// code: what stands in the column of codes; texts: in those of labels.
export function lineOf(code, texts, vocabulary) {
  const own = texts.filter((text) => text && text.length <= MOST_LABEL);
  const readings = [...(own.length > 1 ? [own.join("")] : []), ...own].map(said);
  const before = readings.find((reading) => reading.code && vocabulary.named(reading.names).size);
  const unit = readings.find((reading) => reading.unit)?.unit ?? "";
  return { code: codeOf(code) || before?.code || "", label: own.join(" ").replace(/\s+/g, " ").trim(), readings, unit };
}

// {own, named, rows, reworded, conflict}: the row of its code, the rows of its label, what it may be.
function alone({ code, label, readings }, vocabulary) {
  const coded = vocabulary.byCode.get(code);
  const every = readings.map((reading) => vocabulary.named(reading.names));
  const named = every.find((rows) => rows.size) ?? new Set();
  if (!coded) return { named, rows: named };
  const own = [...coded].find((row) => vocabulary.rows[row].code === code) ?? [...coded][0];
  const agreed = new Set([...coded].filter((row) => every.some((rows) => rows.has(row))));
  if (agreed.size) return { own, named, rows: agreed };
  if (!named.size && !label) return { own, named, rows: new Set([own]) };
  if (!named.size && isAlike(label, own, vocabulary)) return { own, named, rows: new Set([own]), reworded: true };
  return { own, named, rows: new Set(), conflict: {} };
}

// Whether the label is the code's row in other words, and more like it than like any other row.
function isAlike(label, own, vocabulary) {
  const words = plain(label);
  let [mine, others] = [0, 0];
  for (const [name, rows] of vocabulary.byName) {
    const likeness = ratio(name, words);
    if (rows.has(own)) mine = Math.max(mine, likeness);
    if (rows.size > 1 || !rows.has(own)) others = Math.max(others, likeness);
  }
  return mine >= ALIKE && mine > others + 0.05;
}

// Python's difflib: twice what matches, longest pieces first, by what there is.
function ratio(a, b) {
  return a.length + b.length ? (2 * matching(a, b)) / (a.length + b.length) : 1;
}

function matching(a, b) {
  let [size, i, j] = [0, 0, 0];
  let above = [];
  for (let m = 0; m < a.length; m += 1) {
    const here = [];
    for (let n = 0; n < b.length; n += 1) {
      if (a[m] !== b[n]) continue;
      here[n] = (above[n - 1] ?? 0) + 1;
      if (here[n] > size) [size, i, j] = [here[n], m - here[n] + 1, n - here[n] + 1];
    }
    above = here;
  }
  if (!size) return 0;
  return size + matching(a.slice(0, i), b.slice(0, j)) + matching(a.slice(i + size), b.slice(j + size));
}

// -- the lines together -------------------------------------------------------------------------------------

// lines: of lineOf. → one for each: {row} for what is known, with `reworded`; {conflict} whose code is not believed,
// with `instead`, or `between` two rows; {isUndecided}; {} for a stranger.
export function identified(lines, vocabulary) {
  const found = lines.map((line) => alone(line, vocabulary));
  const told = found.filter(({ rows, conflict }) => rows.size || conflict);
  markBlocks(told);
  speak(told);
  deny(told);
  const claims = new Map(); // row → numbers of lines
  const byPlace = new Map(); // number of a line that only the line above decided → row
  const undecided = new Map();
  let above = null;
  found.forEach((one, n) => {
    let { rows } = one;
    if (one.conflict) rows = new Set();
    else if (one.own !== undefined && rows.has(one.spoken)) rows = new Set([one.spoken]);
    if (rows.size > 1) {
      const follows = above !== null && rows.has(above + 1) ? above + 1 : undefined;
      if (follows !== undefined) byPlace.set(n, follows);
      else if (!rows.has(one.own)) undecided.set(n, rows);
      const row = follows ?? (rows.has(one.own) ? one.own : undefined);
      rows = new Set(row === undefined ? [] : [row]);
    }
    above = only(rows) ?? null;
    if (above !== null) claims.set(above, [...(claims.get(above) ?? []), n]);
  });
  for (const [n, rows] of doubted(byPlace, undecided, claims, told)) {
    claims.set(byPlace.get(n), claims.get(byPlace.get(n)).filter((other) => other !== n));
    undecided.set(n, rows);
  }
  const out = found.map(({ conflict, named, reworded }, n) => ({
    ...(conflict && { conflict: { ...conflict, isNamed: named.size > 0 } }),
    ...(undecided.has(n) && { isUndecided: true }),
    ...(reworded && { reworded }),
  }));
  for (const [row, numbers] of claims) for (const n of numbers) out[n].row = row;
  return out;
}

const repeats = ({ named }) => named.size > 1;

// Lines that stand with their like.
function markBlocks(told) {
  let run = [];
  for (const one of [...told, null]) {
    const goesOn = one && repeats(one) && run.length && [...one.named].some((row) => run.at(-1).named.has(row));
    if (run.length && !goesOn) {
      if (run.length >= LEAST_IN_BLOCK) for (const other of run) other.inBlock = true;
      run = [];
    }
    if (one && repeats(one)) run.push(one);
  }
}

// What each line is by its label and the line above, as if no label had a code.
function speak(told) {
  let above;
  for (const one of told) {
    if (!repeats(one)) one.spoken = only(one.named.size ? one.named : one.rows);
    else if (!one.inBlock && above !== undefined && one.named.has(above + 1)) one.spoken = above + 1;
    above = one.spoken;
  }
}

// No code is believed against the line above; nor, where that says nothing, against the order of the form.
function deny(told) {
  for (const one of told) {
    if (one.own === undefined || one.spoken === undefined || !one.rows.size || one.rows.has(one.spoken)) continue;
    one.conflict = { instead: one.spoken };
  }
  const elsewhere = new Set(told.map(({ conflict }) => conflict?.instead));
  let latest;
  told.forEach((one, n) => {
    const first = latest;
    latest = one.spoken ?? latest;
    if (one.own === undefined || !repeats(one) || one.inBlock || one.spoken !== undefined || one.conflict) return;
    const last = told.slice(n + 1).find(({ spoken }) => spoken !== undefined)?.spoken;
    const isOrdered = first !== undefined && last !== undefined && first < last;
    const fits = [...one.rows].filter((row) => !isOrdered || (first < row && row < last));
    if (fits.every((row) => elsewhere.has(row))) one.conflict = { between: [first, last] };
  });
}

// Lines that only the line above decided, and that are in doubt after all: the same words twice in a row; and all of
// one label where one of them leans on nothing and a row that should be leant on is not.
function doubted(byPlace, undecided, claims, told) {
  const there = new Set(told.filter((one) => !repeats(one)).map(({ spoken }) => spoken));
  const found = new Map();
  for (const [place, row] of byPlace) {
    const rivals = [...undecided].filter(([, rows]) => rows.has(row));
    const like = new Set(rivals.flatMap(([, rows]) => [...rows]));
    if ([...like].some((other) => !claims.has(other) && other > 0 && there.has(other - 1))) found.set(place, like);
    else if (rivals.some(([n]) => Math.abs(place - n) === 1)) found.set(place, new Set([row]));
  }
  return found;
}

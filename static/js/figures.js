// What a person types ↔ the whole number inside, exactly as reporting/fields.py does it: the same figures,
// the same sentences. Counts are whole, money is whole 分; both are BigInt here, blank is null.

const FEN_PER_WANYUAN = 1000000n;
const MAX_COUNT = 2147483647n;
const MAX_FEN = 10n ** 10n * FEN_PER_WANYUAN - 1n;
const DROPPED = /[,， \t\r\n\u00a0\u3000\u2009\u202f\ufeff]/g;

export class NotAFigure extends Error {}

export function normalise(text) {
  return text
    .replace(DROPPED, "")
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0));
}

// Python counts characters, JavaScript halves of some of them.
const first = (text, n) => Array.from(text).slice(0, n).join("");

// sign, digits before and after the point
function plainNumber(text) {
  const parts = text.length <= 40 && /^([+-]?)(\d*)\.?(\d*)$/.exec(text);
  if (!parts || !/\d/.test(text)) throw new NotAFigure(`“${first(text, 30)}”不是数字，请只填阿拉伯数字。`);
  const decimals = parts[3].replace(/0+$/, "");
  const isZero = !/[1-9]/.test(text);
  if (parts[1] === "-" && !isZero) throw new NotAFigure(`“${text}”是负数，此处不能小于 0。`);
  return { whole: BigInt(parts[2] || "0"), decimals };
}

function parseCount(text, unit) {
  const { whole, decimals } = plainNumber(text);
  if (decimals) throw new NotAFigure(`“${text}”不是整数，${unit}数须填整数。`);
  if (whole > MAX_COUNT) throw new NotAFigure(`“${text}”过大，不能超过 ${MAX_COUNT}。`);
  return whole;
}

function parseMoney(text) {
  const { whole, decimals } = plainNumber(text);
  if (decimals.length > 6) throw new NotAFigure(`“${text}”超过 6 位小数，金额精确到分（0.000001 万元）。`);
  const fen = whole * FEN_PER_WANYUAN + BigInt(decimals.padEnd(6, "0"));
  if (fen > MAX_FEN) throw new NotAFigure(`“${text}”过大，金额须小于 100 亿万元。`);
  return fen;
}

function parseYesNo(text) {
  if (text === "是" || text === "1") return 1n;
  if (text === "否" || text === "0") return 0n;
  throw new NotAFigure(`“${first(text, 30)}”不明确，请选“是”或“否”。`);
}

// cell: {kind: "count" | "money" | "yesno", unit}. Throws NotAFigure with the sentence for the person.
export function parse(cell, typed) {
  const text = normalise(typed);
  if (!text) return null;
  if (cell.kind === "money") return parseMoney(text);
  return cell.kind === "yesno" ? parseYesNo(text) : parseCount(text, cell.unit);
}

export function show(cell, figure) {
  if (figure === null || figure === undefined) return "";
  if (cell.kind === "yesno") return figure ? "是" : "否";
  return cell.kind === "money" ? showWanyuan(figure) : String(figure);
}

export function showWanyuan(fen) {
  const sign = fen < 0n ? "-" : "";
  const positive = fen < 0n ? -fen : fen;
  const decimals = String(positive % FEN_PER_WANYUAN).padStart(6, "0").replace(/0+$/, "");
  return sign + positive / FEN_PER_WANYUAN + (decimals ? "." + decimals : "");
}

// For reading: thousands separated.
export function grouped(cell, figure) {
  const [whole, rest] = show(cell, figure).split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ? "." + rest : "");
}

// Money of the delegations, as delegations/money.py has it: typed in 元 or 万, reckoned in whole 分 (BigInt).
// tests/delegations/yuan.json holds both to the same answers.

// Exactly what reporting.fields.normalise drops: \s would forgive blanks that the server does not.
const BLANKS = /[,， \t\r\n\u00a0\u3000\u2009\u202f\ufeff]/g;
const MOST = 10n ** 14n - 1n;

// → 分; null for blank; undefined for what is no amount
export function parseYuan(text) {
  let plain = text.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace(BLANKS, "");
  plain = plain.replace(/元$/, "");
  if (!plain) return null;
  let decimals = 2;
  if (plain.endsWith("万")) {
    plain = plain.slice(0, -1);
    decimals = 6;
  }
  const found = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(plain);
  if (!found || plain.length > 20 || !/\d/.test(plain)) return undefined;
  const rest = (found[3] ?? "").replace(/0+$/, "");
  if (rest.length > decimals) return undefined;
  const fen = BigInt((found[2] || "0") + rest.padEnd(decimals, "0"));
  return fen > MOST || (found[1] === "-" && fen) ? undefined : fen;
}

// 分 → "30,000", "123.45"
export function showYuan(fen) {
  const sign = fen < 0n ? "-" : "";
  const digits = String(fen < 0n ? -fen : fen).padStart(3, "0");
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
  const rest = digits.slice(-2);
  return `${sign}${whole}${rest === "00" ? "" : `.${rest}`}`;
}

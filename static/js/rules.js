// 审核关系 in the browser: the same trees, figures and sentences as reporting/rules.py.
// tests/rules runs the same vectors against both.

import { show } from "./figures.js";

export const HARD = "hard";
export const QUERY = "query";

const compare = {
  "+": (a, b) => a + b,
  "*": (a, b) => a * b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

// figures: code → BigInt, or null for blank. null where a blank cell leaves the answer open.
export function evaluate(tree, figures, reporter) {
  const op = tree[0];
  if (op === "cell") return figures[tree[1]] ?? null;
  if (op === "const") return BigInt(tree[1]);
  if (op === "sum") return add(tree.slice(1), figures);
  if (op === "reporter") return tree.includes(reporter, 1);
  const left = evaluate(tree[1], figures, reporter);
  const right = evaluate(tree[2], figures, reporter);
  if (op === "and") return Boolean(left) && Boolean(right);
  if (op === "or") return Boolean(left) || Boolean(right);
  if (left === null || right === null) return null;
  return compare[op](left, right);
}

const add = (codes, figures) => codes.reduce((sum, code) => sum + (figures[code] ?? 0n), 0n);

// The broken rules, in the sheet's order.
export function check(sheet, figures, reporter) {
  return sheet.rules
    .filter((rule) => evaluate(rule.broken, figures, reporter))
    .map((rule) => ({
      rule: rule.id,
      level: rule.level,
      message: sentence(rule, sheet.cells, figures),
      cells: rule.cells,
    }));
}

export function sentence(rule, cells, figures) {
  return rule.message.replace(/\{(\w+)\}/g, (_, name) => {
    if (rule.total && (name === "sum" || name === "gap")) {
      const parts = add(rule.parts, figures);
      const gap = (figures[rule.total] ?? 0n) - parts;
      return show(cells[rule.total], name === "sum" ? parts : gap < 0n ? -gap : gap);
    }
    return show(cells[name], figures[name]) || "空白";
  });
}

// Untouched totals take the sum of their parts, inner totals first. Changes `figures`.
export function followParts(sheet, figures, stays) {
  for (const code of sheet.totals) {
    if (!stays(code)) figures[code] = sumOfParts(sheet, figures, code);
  }
}

// null while no part is filled.
export function sumOfParts(sheet, figures, code) {
  const filled = sheet.cells[code].parts.map((part) => figures[part] ?? null).filter((f) => f !== null);
  return filled.length ? filled.reduce((a, b) => a + b) : null;
}

// An explanation binds to these figures; other figures void it.
export const figuresOf = (rule, figures) => rule.cells.map((code) => `${figures[code] ?? ""}`).join(";");

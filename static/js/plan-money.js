// The money of a plan while it is typed: what each visit comes to, how it departs from its norm, and the sums.
// delegations/plan_page.py and norms.py say the same about what is stored.
//
// facts: {norms: [{subject, from, least, most, hint}], day, travellers, ceilings, others}; money as text, 分.

import { parseYuan, showYuan } from "./yuan.js";

const $ = (id) => document.getElementById(id);
const valueOf = (id) => $(id)?.value ?? "";

function subjectOf(kind, pk) {
  if (kind === "enterprise") return $(`visit-${pk}-is_hard_hit`)?.checked ? "hard_hit" : "enterprise";
  if (kind === "grassroots") return "grassroots";
  return valueOf(`visit-${pk}-category`) === "front_line" ? "on_duty" : "person";
}

function offBy(norm, amount) {
  if (!norm || amount === null) return "";
  if (amount < norm.least) return `低于标准 ${showYuan(norm.least - amount)} 元`;
  return amount > norm.most ? `超过标准 ${showYuan(amount - norm.most)} 元` : "";
}

// A field for a reason is there while it is asked for, and as long as something stands in it.
function ask(holder, wanted) {
  if (!holder) return;
  const input = holder.querySelector("[data-code]");
  holder.hidden = !wanted && !input.value && document.activeElement !== input;
}

export class Money {
  constructor(facts) {
    this.facts = facts;
    this.norms = facts.norms.map((norm) => ({ ...norm, least: BigInt(norm.least), most: BigInt(norm.most) }));
    this.take(facts);
  }

  // What the other delegations plan, as the server last said.
  take({ others }) {
    this.others = others;
    this.refresh();
  }

  normOf(kind, pk, destination) {
    const subject = subjectOf(kind, pk);
    const day = valueOf(`destination-${destination}-first_day`) || this.facts.day;
    return this.norms.find((norm) => norm.subject === subject && norm.from <= day);
  }

  refresh() {
    const sums = new Map();
    const add = (key, fen) => sums.set(key, (sums.get(key) ?? 0n) + fen);
    let unclear = 0;
    for (const row of document.querySelectorAll(".visit")) {
      const pk = row.id.slice("visit-".length);
      const destination = row.closest(".destination").dataset.destination;
      const parts = ["money", "goods"].map((name) => parseYuan(valueOf(`visit-${pk}-${name}`)));
      unclear += parts.filter((fen) => fen === undefined).length;
      const known = parts.filter((fen) => typeof fen === "bigint");
      const amount = known.length ? known.reduce((sum, fen) => sum + fen, 0n) : null;
      this.show(row, pk, destination, amount);
      const fen = amount ?? 0n;
      const keys = ["delegation", `destination:${destination}`, `kind:${row.dataset.kind}`];
      for (const key of [...keys, `source:${valueOf(`visit-${pk}-source`)}`]) add(key, fen);
    }
    const others = (source) => BigInt(this.others.sources[source] ?? 0);
    for (const source of Object.keys(this.others.sources)) {
      sums.set(`used:${source}`, (sums.get(`source:${source}`) ?? 0n) + others(source));
    }
    sums.set("all", (sums.get("delegation") ?? 0n) + BigInt(this.others.total));
    for (const cell of document.querySelectorAll("[data-sum]")) {
      cell.textContent = showYuan(sums.get(cell.dataset.sum) ?? 0n);
    }
    document.querySelectorAll("[data-fund]").forEach((line) => this.showLeft(line, sums));
    document.querySelectorAll(".no-source").forEach((line) => (line.hidden = !sums.get("source:")));
    $("budget-note").textContent = `${unclear} 处金额无法识别，没有计入。`;
    $("budget-note").hidden = !unclear;
    for (const place of document.querySelectorAll(".destination")) this.askTravellers(place);
  }

  show(row, pk, destination, amount) {
    row.querySelector("[data-total] b").textContent = amount === null ? "" : showYuan(amount);
    const norm = this.normOf(row.dataset.kind, pk, destination);
    const off = offBy(norm, amount);
    const line = row.querySelector("[data-norm]");
    const [hint, words] = line.children;
    hint.textContent = norm?.hint ?? "";
    words.textContent = off;
    line.classList.toggle("off", Boolean(off));
    row.classList.toggle("is-off", Boolean(off));
    ask(row.querySelector("[data-amount-reason]"), Boolean(off));
  }

  showLeft(line, sums) {
    const ceiling = this.facts.ceilings[line.dataset.fund];
    if (ceiling === undefined) return;
    const used = sums.get(`used:${line.dataset.fund}`) ?? 0n;
    const left = BigInt(ceiling) - used;
    line.classList.toggle("over", left < 0n);
    line.querySelector("[data-rest]").textContent = left < 0n ? `超出上限 ${showYuan(-left)} 元` : `余 ${showYuan(left)} 元`;
    const percent = BigInt(ceiling) ? (used * 100n) / BigInt(ceiling) : used && 100n;
    line.querySelector("progress").value = Math.min(100, Number(percent));
  }

  askTravellers(place) {
    const count = valueOf(`destination-${place.dataset.destination}-travellers`).trim();
    ask(place.querySelector("[data-travellers-reason]"), Number(count) > this.facts.travellers);
  }
}

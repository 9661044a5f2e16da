// The record beside the plan: what differs is said while one types, and then a reason is asked for. The sentences
// are those of delegations/recording.py. The pages of the visited union and of the account use the small things.

import { asking } from "./ask.js";
import { controlOf, follow, make, state, textOf } from "./typed.js";
import { parseYuan, showYuan } from "./yuan.js";

const $ = (id) => document.getElementById(id);
const cards = [...document.querySelectorAll("[data-visit]")];
const NO_REASON = 4; // characters; fewer are none
// Fields that a visit which did not take place has no use for.
const OF_DONE = ["happened_on", "paid_money", "paid_goods", "paid_goods_text", "paid_source_id"];
const OUTCOMES = { "": ["未填", ""], done: ["已走访", "done"], not_done: ["未走访", "failed"] };

const control = (card, name) => controlOf(`visit:${card.dataset.visit}:${name}`);
const text = (card, name) => textOf(control(card, name)).trim();
const planned = (card) => BigInt(card.dataset.money || 0) + BigInt(card.dataset.goods || 0);

// → [money, goods] in 分, null where blank; undefined while one of them is no amount
function paid(card) {
  const both = [parseYuan(text(card, "paid_money")), parseYuan(text(card, "paid_goods"))];
  return both.includes(undefined) ? undefined : both;
}

function amountDiffers(card, [money, goods]) {
  if (money === null && goods === null) return [];
  const [plan, sum] = [planned(card), (money ?? 0n) + (goods ?? 0n)];
  if (sum !== plan) {
    const off = sum > plan ? `多 ${showYuan(sum - plan)} 元` : `少 ${showYuan(plan - sum)} 元`;
    return [`计划 ${showYuan(plan)} 元，实付 ${showYuan(sum)} 元，${off}`];
  }
  if ((goods ?? 0n) === BigInt(card.dataset.goods || 0)) return [];
  return [`计划慰问金 ${showYuan(BigInt(card.dataset.money || 0))} 元、慰问品 ${showYuan(BigInt(card.dataset.goods || 0))} 元，` +
    `实付慰问金 ${showYuan(money ?? 0n)} 元、慰问品 ${showYuan(goods ?? 0n)} 元`];
}

function sourceDiffers(card) {
  const select = control(card, "paid_source_id");
  if (!select.value || select.value === card.dataset.sourceId) return [];
  return [`计划由${card.dataset.source || "（未选）"}列支，实际由${select.selectedOptions[0].textContent}列支`];
}

// → sentences; undefined while an amount is being typed
function differences(card) {
  const outcome = text(card, "outcome");
  if (card.dataset.standing === "unplanned") return outcome === "done" ? ["不在计划内"] : [];
  if (outcome === "not_done") return ["在计划内而未走访"];
  const amounts = paid(card);
  if (!outcome || !amounts) return amounts && [];
  return amounts.every((one) => one === null) ? [] : [...amountDiffers(card, amounts), ...sourceDiffers(card)];
}

function compare(card) {
  const outcome = text(card, "outcome");
  const [word, css] = OUTCOMES[outcome];
  const badge = card.querySelector("[data-outcome]");
  [badge.textContent, badge.className] = [word, `state ${css}`];
  for (const name of OF_DONE) {
    const field = control(card, name);
    field.closest("[data-field]").hidden = outcome === "not_done" && !field.value && document.activeElement !== field;
  }
  const fill = card.querySelector("[data-fill]");
  if (fill) fill.hidden = outcome === "not_done" || (outcome && Boolean(text(card, "paid_money") || text(card, "paid_goods")));
  const found = differences(card);
  if (!found) return;
  const explained = text(card, "difference_reason").length >= NO_REASON;
  card.querySelector("[data-why]").hidden = !found.length && !text(card, "difference_reason");
  const line = card.querySelector("[data-difference]");
  line.textContent = found.length ? `${found.join("；")}${explained ? "。" : "，请说明原因。"}` : "与计划一致，不需要说明。";
  line.classList.toggle("open", found.length > 0 && !explained);
}

function sum() {
  let [plan, real] = [0n, 0n];
  for (const card of cards) {
    plan += planned(card);
    if (text(card, "outcome") === "done") for (const one of paid(card) ?? []) real += one ?? 0n;
  }
  $("written").textContent = String(cards.filter((card) => text(card, "outcome")).length);
  const off = real === plan ? "" : real > plan ? `，多 ${showYuan(real - plan)}` : `，少 ${showYuan(plan - real)}`;
  $("money-sum").textContent = `计划 ${showYuan(plan)} 元，实付 ${showYuan(real)} 元${off && `${off} 元`}`;
}

// -- what is missing -----------------------------------------------------------------------------------------

function tell(problems) {
  $("problem-count").textContent = problems.length ? `${problems.length} 处` : "已填齐";
  $("problem-count").classList.toggle("done", !problems.length);
  $("problem-list").replaceChildren(...problems.map((problem) => {
    const link = make("a", "", problem.sentence);
    link.href = problem.href;
    return make("li", "", make("span", `level ${problem.level}`, problem.label), " ", link);
  }));
}

function goTo(hash) {
  const target = hash && document.getElementById(hash.slice(1));
  if (!target) return false;
  target.closest("dialog")?.close();
  target.closest("[hidden]")?.removeAttribute("hidden");
  target.scrollIntoView({ block: "center" });
  target.focus({ preventScroll: true });
  return true;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#problem-list a, .open-points a");
  if (!link?.hash || link.pathname !== location.pathname) return;
  link.closest("dialog")?.close();
  if (goTo(link.hash)) event.preventDefault();
});

// -- typing --------------------------------------------------------------------------------------------------

function put(field, value) {
  if (!field || field.value || !value) return;
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// As planned, where nothing is typed yet. The day only when there is no choice.
function fill(card) {
  const [from, until] = ["went_from", "went_until"].map((name) => controlOf(`destination:${destination}:${name}`).value);
  const blank = !text(card, "paid_money") && !text(card, "paid_goods");
  put(control(card, "outcome"), "done");
  if (from === until) put(control(card, "happened_on"), from);
  if (!blank) return;
  const plain = (fen) => fen && showYuan(BigInt(fen)).replaceAll(",", "");
  put(control(card, "paid_money"), plain(card.dataset.money));
  put(control(card, "paid_goods"), plain(card.dataset.goods));
  if (card.dataset.goods) put(control(card, "paid_goods_text"), card.dataset.goodsText);
}

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

function changed(code) {
  const card = code.startsWith("visit:") && $(`visit-${code.split(":")[1]}`);
  if (card) compare(card);
  sum();
}

const destination = state?.filing.split("-")[1];
let saver;
if (state?.typing) {
  saver = follow({ typed: changed, answered: (answer) => answer.problems && tell(answer.problems) });
  cards.forEach(compare);
  sum();
  document.querySelectorAll("textarea[data-code]").forEach(grow);
  document.addEventListener("input", (event) => event.target.matches("textarea[data-code]") && grow(event.target));
  document.addEventListener("focusout", (event) => event.target.dataset?.code && changed(event.target.dataset.code));
  document.addEventListener("click", (event) => {
    if (event.target.matches("[data-fill]")) fill(event.target.closest("[data-visit]"));
  });
  $("fill-all")?.addEventListener("click", () => {
    cards.filter((card) => card.dataset.standing === "planned" && !text(card, "outcome")).forEach(fill);
  });
  // What is asked next is asked about what stands on the server.
  document.querySelectorAll("[data-settle]").forEach((link) => link.addEventListener("click", async (event) => {
    event.preventDefault();
    if (await saver.settled()) return location.assign(link.href);
    $("bar").replaceChildren("还有内容没有保存，请先改正或等保存后再归档。");
    $("bar").hidden = false;
  }));
  document.documentElement.dataset.record = "ready";
}

// -- small things of the other pages -------------------------------------------------------------------------

const kind = $("propose-kind");
if (kind) {
  const categories = $("propose-category");
  const narrow = () => {
    for (const group of categories.querySelectorAll("optgroup")) {
      group.hidden = group.disabled = Boolean(kind.value) && group.dataset.kind !== kind.value;
      if (group.disabled && group.contains(categories.selectedOptions[0])) categories.value = "";
    }
  };
  kind.addEventListener("change", narrow);
  narrow();
}
const print = document.querySelector("[data-print]");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}
asking();
goTo(location.hash);

// The page of one plan. Fields save themselves (typed.js); here is what follows from what was typed.

import { dialogs, offerLock, settleForms } from "./plan-forms.js";
import { Money } from "./plan-money.js";
import { followLinks, showProblems } from "./plan-problems.js";
import { button, controlOf, follow, make, state, textOf } from "./typed.js";

const $ = (id) => document.getElementById(id);
const codesOf = (root) => [...root.querySelectorAll("[data-code]")].map((control) => control.dataset.code);

function notice(...content) {
  $("kept-here").replaceChildren(...content);
  $("kept-here").hidden = false;
}

function refreshLink(text) {
  const link = make("a", "btn btn-plain btn-sm", text);
  link.href = location.pathname;
  return link;
}

function edit() {
  const facts = JSON.parse($("plan-facts").textContent);
  const money = new Money(facts);
  let revision = facts.revision;

  // What was typed here for a row that is gone can't be shown in its place.
  function orphaned(entries, forget) {
    const texts = entries.map(([, entry]) => entry.value).filter(Boolean);
    if (!texts.length) return forget();
    const done = button("btn btn-plain btn-sm", "知道了", () => {
      forget();
      $("kept-here").hidden = true;
    });
    notice(`您上次填的 ${texts.length} 项没有保存，所在的行已被删除：${texts.join("、")}。`, done);
  }

  const saver = follow({
    typed: () => money.refresh(),
    answered(answer) {
      money.take(answer);
      showProblems(answer);
      const others = answer.revision > revision + 1 || answer.conflicts.length;
      revision = answer.revision;
      if (others) catchUp();
    },
    orphaned,
  });

  async function freshPage() {
    const response = await fetch(location.pathname, { headers: { Accept: "text/html" } }).catch(() => null);
    const text = response?.ok ? await response.text().catch(() => "") : "";
    const fresh = new DOMParser().parseFromString(text, "text/html");
    return fresh.getElementById("plan-facts") ? fresh : null;
  }

  // Somebody else is at the same plan: what they filled in is shown, except where something is being typed here.
  async function catchUp() {
    const fresh = await freshPage();
    if (!fresh) return;
    if (fresh.getElementById("plan").dataset.shape !== $("plan").dataset.shape) {
      notice("他人增加或删除了走访对象，或有新的当地建议。", refreshLink("刷新页面"));
    }
    for (const code of codesOf(fresh)) {
      const control = controlOf(code);
      if (!control || saver.typed.has(code) || document.activeElement === control) continue;
      const theirs = fresh.querySelector(`[data-code="${CSS.escape(code)}"]`);
      if (control.type === "checkbox") control.checked = theirs.checked;
      else control.value = theirs.value;
      saver.known.set(code, textOf(control));
    }
    const now = JSON.parse(fresh.getElementById("plan-facts").textContent);
    revision = now.revision;
    money.take(now);
    showProblems(now);
  }

  settleForms(saver);
  offerLock(saver, freshPage);
}

// The answer to a refused POST is this page, too; reloading it must not send the refused thing again.
if (location.pathname !== $("plan").dataset.page) history.replaceState(null, "", $("plan").dataset.page);
dialogs();
if (state) edit();
followLinks();
document.documentElement.dataset.plan = "ready";

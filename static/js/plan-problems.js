// What is wrong with the plan, at its side: as the server says after every save. Each line leads to its field.

import { make } from "./typed.js";

const $ = (id) => document.getElementById(id);

// To the element with this id, or to the first thing in it that can be filled in.
export function goTo(id) {
  const target = $(id);
  if (!target) return false;
  const control = target.matches("input, select, textarea, a, button, [tabindex]")
    ? target
    : target.querySelector("[data-code]");
  target.closest("[hidden]")?.removeAttribute("hidden");
  const isWhole = target.matches(".destination");
  (isWhole ? target : control ?? target).scrollIntoView({ block: isWhole ? "start" : "center" });
  control?.focus({ preventScroll: true });
  if (!isWhole) {
    target.classList.add("shown");
    setTimeout(() => target.classList.remove("shown"), 1500);
  }
  return true;
}

function line({ level, label, sentence, anchor, where, is_explained: isExplained, is_head: isHead }) {
  const words = make("span", "", ...(where ? [make("b", "", where), " "] : []), sentence);
  const link = make("a", "", make("span", `level ${level}`, isExplained ? "已说明" : label), words);
  link.href = `${(isHead && $("problems").dataset.head) || ""}#${anchor}`;
  const item = make("li", isExplained ? `${level} explained` : level, link);
  if (isHead) item.id = anchor;
  return item;
}

// What is wrong is also said where it was typed.
function markErrors() {
  document.querySelectorAll(".field-error").forEach((note) => note.remove());
  document.querySelectorAll(".has-error").forEach((field) => field.classList.remove("has-error"));
  for (const link of document.querySelectorAll("#problems li.error a")) {
    const field = $(link.getAttribute("href").split("#")[1])?.closest("[data-field]");
    if (!field) continue;
    field.classList.add("has-error");
    field.append(make("div", "field-error", link.querySelector("span:last-child").lastChild.textContent.trim()));
  }
}

export function showProblems({ problems, summary }) {
  const list = $("problems");
  const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const items = problems.map(line);
  list.replaceChildren(...(items.length ? items : [make("li", "none", "没有发现问题")]));
  $("problems-count").textContent = summary;
  markErrors();
  if (focused) [...list.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
}

// Links into the page also give the keyboard to what they lead to.
export function followLinks() {
  markErrors();
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".problems a[href^='#']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    link.closest("dialog")?.close();
    const id = link.getAttribute("href").slice(1);
    if (!goTo(id)) return;
    event.preventDefault();
    history.replaceState(null, "", `#${id}`);
  });
  if (location.hash) goTo(decodeURIComponent(location.hash.slice(1)));
}

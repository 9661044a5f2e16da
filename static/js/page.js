// What every page has: selects that submit, buttons that ask first and are pressed once, menus that close.

import { isPassing, mayGo } from "./guard.js";

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  // A guarded form comes by twice: it was asked about the first time.
  if (question && !isPassing(form) && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  if (!event.defaultPrevented && form.method === "post" && !mayGo(form, event.submitter)) {
    event.preventDefault();
    return;
  }
  // A second click must not send a second request; the server would refuse it, but in confusing words.
  if (!event.defaultPrevented && form.method === "post") {
    setTimeout(() => form.querySelectorAll("button").forEach((b) => (b.disabled = true)));
  }
});

// A page that comes back from the history must not keep its buttons dead.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[method=post] button:disabled:not([data-stays-disabled])")
    .forEach((b) => (b.disabled = false));
});

document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});

// Time left, counted on the page: <time data-left="2021-01-27T23:59:59+08:00">
function left(until) {
  const minutes = Math.floor((new Date(until) - Date.now()) / 60000);
  if (minutes < 0) return "已截止";
  if (minutes < 60) return `还剩 ${minutes} 分钟`;
  if (minutes < 48 * 60) return `还剩 ${Math.floor(minutes / 60)} 小时`;
  return `还剩 ${Math.floor(minutes / 1440)} 天`;
}
function tick() {
  document.querySelectorAll("[data-left]").forEach((el) => {
    el.textContent = left(el.dataset.left);
    el.classList.toggle("urgent", new Date(el.dataset.left) - Date.now() < 2 * 86400000);
  });
}
tick();
setInterval(tick, 30000);

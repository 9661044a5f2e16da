// Buttons that change the plan's rows, and the dialogs: everything typed goes first, so that the page that comes
// back has it, and so that what is locked is what was seen.

import { csrfToken } from "./entry-saving.js";
import { button, make } from "./typed.js";

const $ = (id) => document.getElementById(id);

export function dialogs() {
  document.addEventListener("click", (event) => event.target.closest("[data-close]") && event.target.closest("dialog").close());
  document.querySelectorAll("dialog[data-open]").forEach((dialog) => dialog.showModal());
  $("unlock-open")?.addEventListener("click", () => $("unlock-dialog").showModal());
}

// A page that has been open for long, or was logged in again from another tab, has an old token.
function renewToken(form) {
  const field = form.elements.csrfmiddlewaretoken;
  if (field && csrfToken()) field.value = csrfToken();
}

function notYet(what) {
  const dialog = make("dialog", "ask");
  const why = $("saved").textContent || "还有内容没有保存";
  const foot = make("div", "ask-foot", button("btn btn-plain", "知道了", () => dialog.close()));
  dialog.append(make("h2", "", `还不能${what}`), make("p", "", `${why}。请等网络恢复、登录或改正标红的内容后再试，您填的内容都还在。`), foot);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// Forms with data-settle wait until the server has everything typed. A visit nobody has filled in goes unasked.
export function settleForms(saver) {
  let passing = null;
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form === passing || !form.matches("[data-settle]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const submitter = event.submitter;
    // While its submit event is still under way a form does not submit again.
    await new Promise((resolve) => setTimeout(resolve));
    if (!(await saver.settled())) return notYet("操作");
    const row = form.closest(".visit");
    if (row && [...row.querySelectorAll("[data-code]")].every((c) => (c.type === "checkbox" ? !c.checked : !c.value))) {
      delete form.dataset.confirm;
    }
    renewToken(form);
    passing = form;
    form.requestSubmit(submitter);
    passing = null;
  }, true);
}

// 锁定: the dialog shows the plan as the server has it at this moment, others' changes included.
export function offerLock(saver, freshPage) {
  $("lock-open")?.addEventListener("click", async () => {
    if (!(await saver.settled())) return notYet("锁定");
    const fresh = await freshPage();
    const content = fresh?.getElementById("lock-dialog");
    if (!content) return notYet("锁定");
    $("lock-dialog").replaceChildren(...content.childNodes);
    $("lock-dialog").showModal();
  });
}

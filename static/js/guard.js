// Plain forms keep what is typed only on the page. Before one with data-guarded goes, the server is asked whether
// whoever opened the page is still there; if not, or if nothing answers, the page stays as it is and says so.

import { csrfToken } from "./csrf.js";

const PATIENCE = 10000; // ms for an answer
const { here, login } = document.body.dataset;
const asked = new WeakSet(); // forms being asked for
const passing = new WeakSet(); // forms that may go
const bars = new Map(); // form → {bar, name}: what stands below it

// {status, error}; status 0 when nothing came back.
async function ask() {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE);
  try {
    const headers = { Accept: "application/json" };
    const response = await fetch(here, { headers, credentials: "same-origin", cache: "no-store", signal: abort.signal });
    const answer = response.status === 204 ? null : await response.json().catch(() => null);
    return { status: response.status, error: answer?.error };
  } catch {
    return { status: 0 };
  } finally {
    clearTimeout(timer);
  }
}

function link(text, href) {
  const element = document.createElement("a");
  element.className = "btn btn-plain btn-sm";
  Object.assign(element, { textContent: text, href, target: "_blank", rel: "noopener" });
  return element;
}

// Below the form, inside its dialog or card: there it is seen, whatever lies over the page.
function tell(form, { status, error }, name) {
  const bar = bars.get(form)?.bar ?? document.createElement("div");
  const again = (first) => `${first}您填的内容还在本页，请${name ? `再点一次“${name}”` : "再提交一次"}。`;
  bar.className = status === 204 ? "guard notice calm" : "guard notice";
  bar.setAttribute("role", "alert");
  const [home] = here.split("?");
  if (status === 204) bar.replaceChildren(`已重新登录，请${name ? `再点一次“${name}”` : "再提交一次"}。`);
  else if (status === 401) {
    const words = `登录已过期，您填的内容还在本页。请在新窗口登录，再回到这里${name ? `点一次“${name}”` : "提交一次"}。`;
    bar.replaceChildren(words, link("重新登录", `${login}?next=${encodeURIComponent(home)}`));
  } else if (error && status < 500) {
    bar.replaceChildren(again(error), link("打开新窗口", home));
  } else bar.replaceChildren(again(status ? "服务器暂时没有应答，没有提交。" : "网络中断，没有提交。"));
  form.after(bar);
  bar.scrollIntoView({ block: "nearest" });
  bars.set(form, { bar, name, status });
}

// Whether the form may go now; otherwise it goes by itself when the server has said yes.
export function mayGo(form, submitter) {
  if (!form.matches("[data-guarded]") || !here) return true;
  if (passing.delete(form)) return true;
  if (!asked.has(form)) send(form, submitter);
  return false;
}

export const isPassing = (form) => passing.has(form);

async function send(form, submitter) {
  asked.add(form);
  const answer = await ask();
  asked.delete(form);
  if (answer.status !== 204) return tell(form, answer, submitter?.firstChild?.textContent.trim());
  bars.get(form)?.bar.remove();
  bars.delete(form);
  const field = form.elements.csrfmiddlewaretoken;
  if (field && csrfToken()) field.value = csrfToken();
  passing.add(form);
  form.requestSubmit(submitter);
}

// Back from the window of the log-in: the page says that it can go on.
window.addEventListener("focus", async () => {
  const waiting = [...bars].filter(([, { status }]) => status >= 400 && status < 500);
  if (!waiting.length) return;
  const answer = await ask();
  if (answer.status === 204) waiting.forEach(([form, { name }]) => bars.has(form) && tell(form, answer, name));
});

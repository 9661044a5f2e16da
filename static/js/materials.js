// The page of a destination's material: files are dropped or chosen, go up (materials-queue.js), and appear in
// the lists as the server shows them; pictures open in the viewer.

import { Queue, request } from "./materials-queue.js";
import "./materials-viewer.js";

const state = document.getElementById("upload-state");

// What the server now shows replaces what the page shows; what is still there keeps its element (and its picture).
async function refresh() {
  const response = await fetch(location.pathname, { credentials: "same-origin" });
  if (!response.ok || response.redirected) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const focused = document.activeElement;
  for (const part of document.querySelectorAll("[data-merge]")) {
    const now = fresh.querySelector(`[data-merge="${part.dataset.merge}"]`);
    if (!now) continue;
    for (const item of now.querySelectorAll("[id^=material-]")) {
      const known = document.getElementById(item.id);
      if (known) item.replaceWith(known);
    }
    part.replaceChildren(...now.childNodes);
  }
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

// Forty photographs end within seconds of each other: the lists are asked for once for several of them.
let asked = null;
let again = false;
function refreshSoon() {
  if (asked) {
    again = true;
    return asked;
  }
  asked = new Promise((resolve) => setTimeout(resolve, 400))
    .then(refresh)
    .catch(() => {})
    .then(() => {
      asked = null;
      if (!again) return null;
      again = false;
      return refreshSoon();
    });
  return asked;
}

function follow(queue) {
  document.querySelectorAll(".scripted-only").forEach((element) => (element.hidden = false));

  for (const button of document.querySelectorAll("[data-choose-for]")) {
    const input = document.getElementById(button.dataset.chooseFor);
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      for (const file of input.files) queue.add(file, input.dataset.choose);
      input.value = ""; // the same file may be chosen again
    });
  }

  // A file let go beside the boxes must not replace the page and with it all uploads.
  const over = (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return null;
    event.preventDefault();
    const part = event.target.closest?.("[data-drop]") ?? null;
    document.querySelectorAll("[data-drop].over").forEach((one) => one !== part && one.classList.remove("over"));
    return part;
  };
  document.addEventListener("dragover", (event) => over(event)?.classList.add("over"));
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && over(event)?.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    const part = over(event);
    if (!part) return;
    part.classList.remove("over");
    const kind = part.dataset.drop;
    for (const item of event.dataTransfer.items) {
      if (item.kind !== "file") continue;
      const file = item.getAsFile();
      if (item.webkitGetAsEntry?.()?.isDirectory) queue.refuse(file.name, kind, "这是文件夹。请打开文件夹，选中里面的文件再拖过来。");
      else if (file) queue.add(file, kind);
    }
  });

  document.addEventListener("click", async (event) => {
    const row = event.target.closest("[data-give-up]")?.closest("[data-upload]");
    if (!row) return;
    event.target.disabled = true;
    const status = await request("DELETE", row.dataset.upload);
    if (status === 204 || status === 404) row.remove();
    else event.target.disabled = false;
  });
}

if (state) follow(new Queue(JSON.parse(state.textContent), refreshSoon));

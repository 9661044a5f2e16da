// Pictures in full: ← → and a finger's swipe go through the list that the picture stands in, Esc closes.
// Without this script a thumbnail is a link to its picture.

const $ = (id) => document.getElementById(id);
const dialog = $("viewer");
const image = $("viewer-image");
const SWIPE = 50; // px
let links = [];
let at = 0;

function show(index) {
  at = Math.max(0, Math.min(links.length - 1, index));
  const { href, dataset } = links[at];
  dialog.classList.add("is-loading");
  image.hidden = false;
  $("viewer-error").hidden = true;
  image.src = href;
  image.alt = dataset.name;
  $("viewer-name").textContent = dataset.name;
  $("viewer-facts").textContent = dataset.facts.trim();
  $("viewer-count").textContent = `${at + 1} / ${links.length}`;
  $("viewer-download").href = href;
  $("viewer-download").download = dataset.name;
  $("viewer-before").disabled = at === 0;
  $("viewer-after").disabled = at === links.length - 1;
  // The next one is there when it is asked for.
  if (links[at + 1]) new Image().src = links[at + 1].href;
}

image.addEventListener("load", () => dialog.classList.remove("is-loading"));
image.addEventListener("error", () => {
  dialog.classList.remove("is-loading");
  image.hidden = true;
  $("viewer-error").hidden = false;
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-view]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  links = [...document.querySelectorAll(`[data-view="${link.dataset.view}"]`)];
  dialog.showModal();
  show(links.indexOf(link));
  $("viewer-close").focus();
});

dialog.addEventListener("keydown", (event) => {
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: links.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  if (to !== at) show(to);
});
$("viewer-before").addEventListener("click", () => show(at - 1));
$("viewer-after").addEventListener("click", () => show(at + 1));
$("viewer-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
dialog.addEventListener("close", () => {
  image.removeAttribute("src");
  links[at]?.focus();
});

let touched = null;
image.addEventListener("pointerdown", (event) => (touched = event.pointerType === "touch" ? event.clientX : null));
image.addEventListener("pointerup", (event) => {
  if (touched === null) return;
  const moved = event.clientX - touched;
  touched = null;
  if (Math.abs(moved) > SWIPE) show(at + (moved < 0 ? 1 : -1));
});
image.addEventListener("dragstart", (event) => event.preventDefault());

// Choosing units for an export: all of those shown, none, those whose name contains what is typed.

const $ = (id) => document.getElementById(id);
const labels = [...document.querySelectorAll("#unit-grid label")];
const boxOf = (label) => label.querySelector("input");
const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/\s+/g, "");

function tell() {
  const ticked = labels.filter((label) => boxOf(label).checked).length;
  $("ticked").textContent = `已选 ${ticked} 个，共 ${labels.length} 个`;
}

function tick(on) {
  labels.filter((label) => !label.hidden).forEach((label) => (boxOf(label).checked = on));
  tell();
}

function look() {
  const words = $("unit-filter").value.split(/\s+/).map(plain).filter(Boolean);
  for (const label of labels) {
    const name = plain(label.dataset.name);
    label.hidden = words.length > 0 && !words.some((word) => name.includes(word));
  }
  $("nobody-found").hidden = labels.some((label) => !label.hidden);
}

$("tick-all").addEventListener("click", () => tick(true));
$("tick-none").addEventListener("click", () => tick(false));
$("unit-grid").addEventListener("change", tell);
$("unit-filter")?.addEventListener("input", look);
// Enter looks for a name; it does not make a file.
$("unit-filter")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});
// A browser gives back what was ticked when somebody returns to the page.
window.addEventListener("pageshow", tell);
$("unit-tools").hidden = false;
tell();

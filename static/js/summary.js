// Opening a unit into what is below it. htmx brings the rows the first time; from then on they only hide.

const table = document.getElementById("shares");

function below(body) {
  const path = body.dataset.path;
  return [...table.tBodies].filter((other) => other !== body && other.dataset.path.startsWith(path));
}

table.addEventListener("click", (event) => {
  const link = event.target.closest(".unfold");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const rows = below(link.closest("tbody"));
  if (!rows.length) return; // still on the way
  event.preventDefault();
  const opens = link.getAttribute("aria-expanded") === "false";
  rows.forEach((row) => (row.hidden = !opens));
  show(link, opens);
});

table.addEventListener("htmx:afterSwap", () => {
  table.querySelectorAll(".unfold").forEach((link) => {
    const rows = below(link.closest("tbody"));
    if (rows.length) show(link, rows.some((row) => !row.hidden));
  });
});

function show(link, open) {
  link.setAttribute("aria-expanded", String(open));
  link.textContent = open ? "收起" : "展开";
}

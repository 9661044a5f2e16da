// A round under review: tabs, only what changed, remarks at the row, dialogs. Every one is also a link.

const tabs = [...document.querySelectorAll("[data-tab]")];
const panels = [...document.querySelectorAll("[data-panel]")];

function show(name) {
  tabs.forEach((tab) => {
    if (tab.dataset.tab === name) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  });
  panels.forEach((panel) => (panel.hidden = panel.dataset.panel !== name));
}

document.querySelector(".tabs")?.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-tab]");
  if (!tab) return;
  event.preventDefault();
  show(tab.dataset.tab);
  // The address keeps the tab, so that reloading or going back shows the same table.
  history.replaceState(null, "", `?form=${tab.dataset.tab}`);
});

document.getElementById("only-changed")?.addEventListener("change", (event) => {
  document.querySelectorAll(".review-sheet")
    .forEach((table) => table.classList.toggle("only-changed-rows", event.target.checked));
});

// Remarks: the form opens below the row that was clicked.
const template = document.getElementById("remark-form");

function openRemark(row) {
  const name = row.dataset.cell;
  let below = row.nextElementSibling;
  if (below?.dataset.of !== name) {
    below = document.createElement("tr");
    below.className = "remarks-of";
    below.dataset.of = name;
    below.insertCell().className = "serial";
    below.insertCell().colSpan = row.cells.length - 1;
    row.after(below);
  }
  const cell = below.lastElementChild;
  const open = cell.querySelector("form");
  if (open) return open.elements.text.focus();
  document.querySelectorAll("tr.remarks-of form").forEach(closeRemark);
  cell.append(template.content.cloneNode(true));
  const form = cell.querySelector("form");
  form.elements.cell.value = name;
  form.elements.text.focus();
}

function closeRemark(form) {
  if (form.elements.text.value) return; // words typed are never thrown away
  const row = form.closest("tr");
  form.remove();
  if (!row.querySelector(".remark")) row.remove();
}

if (template) {
  document.querySelectorAll(".review-sheet").forEach((table) => {
    table.classList.add("can-remark");
    table.addEventListener("click", (event) => {
      const row = event.target.closest("tr[data-cell]");
      if (!row || (event.target.closest("a") && !event.target.closest("[data-remark]"))) return;
      // Somebody who marks a figure to copy it does not want a form.
      if (!event.target.closest("[data-remark]") && String(getSelection())) return;
      event.preventDefault();
      openRemark(row);
    });
    table.addEventListener("keydown", (event) => {
      const form = event.target.closest("form.remark-form");
      if (event.key === "Escape" && form) {
        form.elements.text.value = "";
        closeRemark(form);
      }
    });
  });
}
document.querySelector("tr.remarks-of form input[name=text]")?.focus();

// Dialogs: a link opens them; one that came open, after a refusal, becomes modal.
document.querySelectorAll("dialog").forEach((dialog) => {
  if (dialog.open) {
    dialog.close();
    dialog.showModal();
  }
});
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const closer = event.target.closest("[data-close]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.dialog).showModal();
  } else if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
  }
});

// The list of cells matters only when not everything is opened.
document.querySelectorAll("[data-cells]").forEach((list) => {
  const form = list.closest("form");
  const follow = () => (list.hidden = form.elements.scope.value !== "cells");
  form.addEventListener("change", follow);
  follow();
});

// The pages of a filing without cells: the report, and the confirmation before submitting.

import { FilingSavers, bar, state } from "./entry-filing.js";

const savers = new FilingSavers();
const form = document.getElementById("submit-form");

async function start() {
  savers.openOthers();
  savers.guardLinks();
  if (!form || !state.editable || !savers.left().length) return;
  const confirm = form.querySelector("button");
  confirm.disabled = true;
  confirm.dataset.staysDisabled = "";
  await savers.settled();
  if (savers.left().length) bar(savers.sentenceOfLeft());
  // The page shows what stood before these values arrived.
  setInterval(() => savers.left().length || location.replace(location.pathname), 200);
}

start();

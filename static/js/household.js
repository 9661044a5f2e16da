// A household's page. What was asked for in clear is on the screen for a while and nowhere else: reloading, going
// back or leaving the desk hides it.

import { asking } from "./ask.js";

const SHOWN_FOR = 120000; // ms
const clear = document.getElementById("clear");

if (clear) {
  const hide = () => location.replace(clear.dataset.home);
  // This page is the answer to a POST: reloading it would ask, and be recorded, once more.
  history.replaceState(null, "", clear.dataset.home);
  setTimeout(hide, SHOWN_FOR);
  window.addEventListener("pagehide", () => document.getElementById("facts").replaceChildren());
  window.addEventListener("pageshow", (event) => event.persisted && hide());
}
asking();

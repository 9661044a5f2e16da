// The stamped sheet beside the figures. Without this script the button is a link that loads the page with it.

const toggle = document.getElementById("scan-toggle");
const beside = document.getElementById("figures-and-scan");
const REMEMBERED = "beside-scan";

function show(open) {
  beside.classList.toggle("with-scan", open);
  toggle.setAttribute("aria-expanded", String(open));
  // Twenty megabytes are fetched when somebody wants to see them.
  const picture = open && beside.querySelector(".scan [data-src]:not([src])");
  if (picture) picture.src = picture.dataset.src;
}

if (toggle) {
  toggle.addEventListener("click", (event) => {
    event.preventDefault();
    const open = toggle.getAttribute("aria-expanded") !== "true";
    show(open);
    try {
      localStorage.setItem(REMEMBERED, open ? "1" : "");
    } catch {
      // A browser that keeps nothing forgets this, too.
    }
  });
  // Who reviews twenty filings with the paper beside opens it once.
  try {
    if (localStorage.getItem(REMEMBERED)) show(true);
  } catch {
    // as above
  }
}

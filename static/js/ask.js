// What a move asks before it happens: a <dialog> that a link opens. Without script the link's page shows it open.

export function asking() {
  document.querySelectorAll("dialog.ask[open]").forEach((dialog) => {
    dialog.removeAttribute("open"); // close() would tell its listeners
    dialog.showModal();
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-ask]");
    const closer = event.target.closest("dialog.ask [data-close]");
    if (opener && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      document.getElementById(opener.dataset.ask).showModal();
    } else if (closer && location.pathname === new URL(closer.href).pathname) {
      // On the page of a refused POST the link leads back instead.
      event.preventDefault();
      closer.closest("dialog").close();
    }
  });
  // Reloading must not ask again.
  document.addEventListener("close", () => {
    if (location.search.includes("ask=")) history.replaceState(null, "", location.pathname);
  }, true);
}

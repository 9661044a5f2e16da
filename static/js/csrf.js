// The token of now: logging in again in another tab has replaced the one this page came with.
export function csrfToken() {
  const found = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie);
  return found ? decodeURIComponent(found[1]) : "";
}

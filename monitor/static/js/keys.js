/** Keys that work anywhere on the page: `/` the host field, Esc stop, ? the list of keys. */

const isTyping = (target) => target.closest("input:not([type=number]), textarea, [contenteditable]") !== null;

/** Listen for the keys; `stop` returns whether there was something to stop. */
export function listenForKeys({ host, dialog, stop }) {
  document.querySelector("#show-keys")?.addEventListener("click", () => dialog.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog.open) return;
    if (act(event)) event.preventDefault();
  });

  function act({ key, target }) {
    if (key === "Escape") return stop();
    if (isTyping(target)) return false;
    if (key === "?") return dialog.showModal() ?? true;
    if (key !== "/" || !host) return false;
    host.focus();
    host.select();
    return true;
  }
}

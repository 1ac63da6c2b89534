// Questions in a dialog: htmx fetches the question of a page into a dialog marked data-question, which
// then opens over the page. Without a script the link leads to the page itself.

for (const dialog of document.querySelectorAll("dialog[data-question]")) {
  dialog.addEventListener("htmx:afterSwap", () => {
    if (!dialog.open) {
      dialog.showModal();
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-closes]")) {
      event.preventDefault();
      dialog.close();
    }
  });
}

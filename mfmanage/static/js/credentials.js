// The credentials: the dialog becomes modal, and the secret leaves the page with the person.

const dialog = document.querySelector("dialog[data-credentials]");

// Reloading must not repeat the POST that made the secret: the address becomes the configuration's own page.
history.replaceState(null, "", dialog.dataset.address);

dialog.close();
dialog.showModal();
dialog.addEventListener("cancel", (event) => event.preventDefault());

// A page that the browser keeps for "back" or "forward" must not keep the secret.
window.addEventListener("pagehide", () => {
  for (const input of dialog.querySelectorAll("[data-forget]")) {
    input.value = "";
    input.removeAttribute("value");
  }
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});

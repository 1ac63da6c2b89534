// Forms: a form marked data-once is sent once, however often its button is pressed; a filter marked data-filter
// leaves empty parameters out of the address. What is marked data-without-script is for those who have none.

// At the document, so that forms which come later, such as those in a dialog, are sent once as well.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]")) {
    return;
  }
  if (form.dataset.once === "sent") {
    event.preventDefault();
    return;
  }
  form.dataset.once = "sent";
  form.querySelector("button[type=submit], button:not([type])")?.setAttribute("aria-disabled", "true");
});

// Whoever comes back to a page that the browser has kept may send its form again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) {
    return;
  }
  for (const form of document.querySelectorAll("form[data-once=sent]")) {
    form.dataset.once = "";
    form.querySelector("button[aria-disabled]")?.removeAttribute("aria-disabled");
  }
});

function leaveEmptyOut(parameters) {
  for (const [name, value] of [...parameters.entries()]) {
    if (value === "") {
      parameters.delete(name);
    }
  }
}

document.addEventListener("htmx:configRequest", (event) => {
  if (event.target.matches("form[data-filter]")) {
    leaveEmptyOut(event.detail.formData);
  }
});

for (const form of document.querySelectorAll("form[data-filter]")) {
  form.addEventListener("formdata", (event) => leaveEmptyOut(event.formData));
}

for (const part of document.querySelectorAll("[data-without-script]")) {
  part.hidden = true;
}

// Copy buttons: data-copy names the input whose value they copy; without a script they stay hidden.

const status = document.querySelector("[data-status]");

function copyBySelection(input) {
  input.focus();
  input.select();
  return document.execCommand("copy");
}

async function copy(input) {
  if (!navigator.clipboard) {
    return copyBySelection(input);
  }
  try {
    await navigator.clipboard.writeText(input.value);
    return true;
  } catch {
    return copyBySelection(input);
  }
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const input = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copy(input);
    status.textContent = done
      ? `${input.labels[0].textContent} copied`
      : "The browser does not allow copying. Select the value and copy it yourself.";
    button.classList.toggle("copied", done);
  });
}

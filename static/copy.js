// Copy buttons: [data-copy="selector of what to copy"] or [data-copy-text="the text"].

const shownMs = 4000;

let timer;

// toast says something short at the edge of the page.
const toast = (text) => {
  const host = document.getElementById("toasts");
  const line = document.createElement("p");
  line.className = "toast";
  line.textContent = text;
  host.replaceChildren(line);
  clearTimeout(timer);
  timer = setTimeout(() => host.replaceChildren(), shownMs);
  return line;
};

const select = (element) => {
  if (element.select) {
    element.focus();
    element.select();
    return;
  }
  getSelection().selectAllChildren(element);
};

const copy = async (button) => {
  const { copied, refused } = document.getElementById("toasts").dataset;
  const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
  const text = button.dataset.copyText ?? source?.value ?? source?.textContent.trim() ?? "";
  if (!text) return;
  try {
    await navigator.clipboard.writeText(text);
    toast(copied);
  } catch {
    // No permission, or a page that did not come over https: the reader copies it.
    const line = toast(refused);
    if (source) {
      select(source);
      return;
    }
    const shown = document.createElement("span");
    shown.className = "mono";
    shown.textContent = text;
    line.append(" ", shown);
    select(shown);
  }
};

export const start = () => {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy], [data-copy-text]");
    if (button) copy(button);
  });
};

// Keyboard shortcuts. The help dialog lists them and can turn them off; the links of the
// navigation carry their letters, so the pages are named once.
import { choose, chosen } from "./choices.js";

const patienceMs = 1500;
const choice = "shortcuts";

const isOff = () => chosen(choice) === "off";

const help = () => document.getElementById("help");

// busy says whether a key belongs to something else: typing, a dialog, a combination.
const busy = (event) =>
  event.defaultPrevented || event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.altKey ||
  Boolean(event.target.closest?.("input, textarea, select, [contenteditable], dialog, [role=dialog]")) ||
  document.querySelector("dialog[open]") !== null;

let goPressedAt = -Infinity;

const goTo = (key) => {
  const link = [...document.querySelectorAll("a[data-key]")].find((a) => a.dataset.key === key);
  link?.click();
  return Boolean(link);
};

const searchHash = "#search";

const search = () => {
  const field = document.querySelector("[data-search]");
  if (field) {
    field.focus();
    field.select?.();
    return true;
  }
  const page = document.querySelector("a[data-search-page]");
  if (page) location.assign(page.href + searchHash);
  return Boolean(page);
};

const openHelp = () => {
  help().querySelector("[data-shortcuts]").checked = !isOff();
  help().showModal();
  return true;
};

const press = (event) => {
  if (busy(event) || isOff()) return false;
  const going = event.timeStamp - goPressedAt < patienceMs;
  goPressedAt = -Infinity;
  if (going && goTo(event.key.toLowerCase())) return true;
  switch (event.key) {
    case "g":
      goPressedAt = event.timeStamp;
      return true;
    case "/":
      return search();
    case "?":
      return openHelp();
    default:
      return false;
  }
};

export const start = () => {
  document.addEventListener("keydown", (event) => {
    if (press(event)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-help]")) openHelp();
  });
  document.addEventListener("change", ({ target }) => {
    if (target.matches?.("[data-shortcuts]")) choose(choice, target.checked ? "" : "off");
  });
  if (location.hash === searchHash) document.querySelector("[data-search]")?.focus();
};

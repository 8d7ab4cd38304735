// The switch between dark, light and the system's theme.
import { choose } from "./choices.js";

export const start = () => {
  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("[name=theme]")) return;
    choose("theme", target.value);
    const root = document.documentElement;
    if (target.value) root.dataset.theme = target.value;
    else delete root.dataset.theme;
    document.dispatchEvent(new Event("theme:change"));
  });
};

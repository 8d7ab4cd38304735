// A figure that a poll changed says so for a moment: [data-flash].
import { onSwap, swaps } from "./polls.js";

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const durationMs = 1200;

// textOf is what an element says, without what the browser keeps by itself.
const textOf = (element) => {
  if (element.matches("[hx-morph-skip-children]")) return "";
  let text = "";
  for (const node of element.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) text += node.nodeValue;
    else if (node.nodeType === Node.ELEMENT_NODE) text += textOf(node);
  }
  return text;
};

export const start = () => {
  document.addEventListener("htmx:before:swap", (event) => {
    if (!swaps(event)) return;
    const { ctx, tasks } = event.detail;
    ctx.figures = new Map();
    for (const { target } of tasks) {
      for (const figure of target?.querySelectorAll?.("[data-flash]") ?? []) ctx.figures.set(figure, textOf(figure));
    }
  });
  onSwap((event) => {
    if (reducedMotion.matches) return;
    for (const [figure, before] of event.detail?.ctx?.figures ?? []) {
      if (!figure.isConnected || textOf(figure) === before) continue;
      figure.animate({ backgroundColor: ["var(--accent-soft)", "transparent"] }, { duration: durationMs, easing: "ease-out" });
    }
  });
};

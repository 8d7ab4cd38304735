// The tab's title and icon say the verdict, or that nothing can be said.
import { isLost } from "./contact.js";
import { onSwap } from "./polls.js";

const follow = () => {
  const verdict = document.getElementById("verdict");
  const icon = document.querySelector("link[rel=icon]");
  if (!verdict || !icon) return;
  const { tone, title } = isLost() ? { tone: "unknown", title: icon.dataset.lostTitle } : verdict.dataset;
  if (title && document.title !== title) document.title = title;
  const href = icon.dataset[tone];
  if (href && icon.getAttribute("href") !== href) icon.setAttribute("href", href);
};

export const start = () => {
  onSwap(follow);
  document.addEventListener("contact:change", follow);
  follow();
};

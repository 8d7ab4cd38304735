// Each panel says at its head whether it follows the server: [data-updated].
import { now } from "./clock.js";
import { isLost } from "./contact.js";
import { onSwap, panels, pollOf } from "./polls.js";
import { words, write } from "./times.js";

// Longer than any panel's interval, with room for a slow answer.
const liveMs = 25_000;
const everyMs = 5_000;

const seen = new WeakMap();

const tick = () => {
  if (document.hidden) return;
  for (const panel of panels()) {
    const line = panel.querySelector("[data-updated]");
    if (!line) continue;
    if (!seen.has(panel)) seen.set(panel, now());
    const age = now() - seen.get(panel);
    write(line, age < liveMs && !isLost() ? "live" : `updated ${words(age)}`);
  }
};

export const start = () => {
  document.addEventListener("htmx:after:request", (event) => {
    const panel = pollOf(event);
    if (panel && event.detail.ctx.response.status < 400) seen.set(panel, now());
  });
  onSwap(tick);
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("contact:change", tick);
  setInterval(tick, everyMs);
  tick();
};

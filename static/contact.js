// What the page knows of its server. While the server does not answer, or no longer shows
// this wallet, one banner says so, the panels are greyed, and one panel asks again with
// growing pauses; the first answer brings everything back.
import { hold, onSwap, panels, pollOf, refresh } from "./polls.js";

// A server that is frozen refuses no connection. So after a silence of beatMs the page asks for
// a sign of life, which comes from no source and so has answerMs at most: a server that is away
// is noticed within the sum of both. A panel's own answer may take longer.
const beatMs = 1000;
const answerMs = 2000;
const aliveURL = "/partials/alive";

const pausesMs = [1000, 2000, 4000, 8000, 15000];

// What a gateway says when the server behind it is away.
const awayStatuses = [502, 503, 504];
// Signed out, or signed in with another wallet.
const refusedStatuses = [401, 403];
// The server's own word that it cannot check now who asks (package web).
const uncheckedHeader = "Credential-Unchecked";

let trouble = ""; // the banner's name, "" while all is well
let lastContact = Date.now();
let attempts = 0;
let timer;
let probe; // the panel that asks while the others rest
let asking = false;

const banner = (name) => document.querySelector(`[data-banner="${name}"]`);

export const isLost = () => trouble !== "";

// ask lets one panel poll, whatever the others do.
const ask = () => {
  timer = undefined;
  if (!probe?.isConnected) probe = panels()[0];
  if (!probe) return;
  asking = true;
  htmx.trigger(probe, "refresh", {}, false);
  asking = false;
};

// retry asks again after a pause, once however many polls have failed together.
const retry = (panel) => {
  if (timer && panel !== probe) return;
  clearTimeout(timer);
  timer = setTimeout(ask, pausesMs[Math.min(attempts, pausesMs.length - 1)]);
  attempts += 1;
};

const say = (name) => {
  if (trouble === name) return;
  const before = trouble;
  trouble = name;
  if (before) banner(before).hidden = true;
  document.documentElement.classList.toggle("lost-contact", name !== "");
  document.dispatchEvent(new Event("contact:change"));
  if (!name) return;
  const shown = banner(name);
  shown.querySelector("[data-last-contact]").textContent = new Date(lastContact).toLocaleTimeString();
  shown.hidden = false;
};

// A browser that has no network must not blame the server.
const lostName = () => (navigator.onLine ? "lost" : "offline");

const fail = (panel, name) => {
  if (trouble !== name) probe = panel;
  say(name);
  retry(panel);
};

const recover = () => {
  clearTimeout(timer);
  timer = undefined;
  probe = undefined;
  attempts = 0;
  if (!trouble) return;
  say("");
  refresh();
};

const answered = (panel, { status, headers }) => {
  if (headers.get(uncheckedHeader)) return fail(panel, "unchecked");
  if (awayStatuses.includes(status)) return fail(panel, "lost");
  lastContact = Date.now();
  if (refusedStatuses.includes(status)) return fail(panel, "refused");
  // A panel that anybody may see proves nothing about those that were refused.
  if (["refused", "unchecked"].includes(trouble) && panel !== probe) return;
  recover();
  panel.toggleAttribute("data-unrefreshed", status >= 400);
  banner("panel").hidden = !document.querySelector("[data-unrefreshed]");
  const version = headers.get("Assets-Fingerprint");
  if (version) banner("newer").hidden = version === document.documentElement.dataset.assets;
};

// beat asks for a sign of life where no panel has had an answer lately.
const beat = async () => {
  const silence = Date.now() - lastContact;
  if (!document.hidden && !trouble && panels().length > 0 && silence >= beatMs) {
    const asked = Date.now();
    try {
      const { status } = await fetch(aliveURL, { cache: "no-store", priority: "high", signal: AbortSignal.timeout(answerMs) });
      if (awayStatuses.includes(status)) fail(panels()[0], "lost");
      else lastContact = Date.now();
    } catch {
      // Whatever else was answered meanwhile is a sign of life, too; a tab that was left sleeps.
      if (lastContact < asked && !trouble && !document.hidden) fail(panels()[0], lostName());
    }
  }
  setTimeout(beat, Math.max(beatMs - (Date.now() - lastContact), beatMs / 4));
};

// A source whose state changes is spoken of in other panels, too: they are asked at once.
const sourceStates = () => [...document.querySelectorAll(".source")].map((pill) => `${pill.id} ${pill.className} ${pill.querySelector(".source-state").textContent}`).join();

const followSources = () => {
  let states = sourceStates();
  onSwap(() => {
    const before = states;
    states = sourceStates();
    if (states !== before && !trouble) refresh();
  });
};

export const start = () => {
  followSources();
  setTimeout(beat, beatMs);
  hold(() => trouble !== "" && !asking);
  document.addEventListener("htmx:after:request", (event) => {
    const panel = pollOf(event);
    if (panel) answered(panel, event.detail.ctx.response);
  });
  document.addEventListener("htmx:error", (event) => {
    const panel = pollOf(event);
    if (panel && event.detail.ctx.text === undefined) fail(panel, lostName());
  });
  const askAgain = () => {
    if (trouble && !document.hidden) ask();
  };
  window.addEventListener("online", askAgain);
  window.addEventListener("offline", () => {
    const panel = panels()[0];
    if (panel) fail(panel, "offline");
  });
  document.addEventListener("visibilitychange", askAgain);
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-reload]")) location.reload();
  });
};

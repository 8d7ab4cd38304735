// The panels' polls: each asks only for what is new, rests while the tab is hidden, and
// all ask at once when the reader is back.

export const panels = () => document.querySelectorAll("[data-poll]");

export const refresh = () => {
  for (const panel of panels()) htmx.trigger(panel, "refresh", {}, false);
};

// pollOf returns the panel whose poll an htmx event is about, if it is about one.
export const pollOf = (event) => {
  const source = event.detail?.ctx?.sourceElement;
  return source?.hasAttribute?.("data-poll") ? source : null;
};

// swaps says whether an htmx event is about an answer that changes the page.
export const swaps = (event) => event.detail?.ctx?.swap !== "none";

// onSwap calls back when a part of the page has changed and is not painted yet.
export const onSwap = (callback) => {
  document.addEventListener("htmx:after:swap", (event) => {
    if (swaps(event)) callback(event);
  });
};

let isHeld = () => false;

// hold makes the polls of the panels for which a test is true rest.
export const hold = (test) => {
  isHeld = test;
};

// Polls come every few seconds, so a longer silence means that the machine slept.
const sleepMs = 30_000;

let askedAt = Date.now();

// The browser's own state of an element, which a morph must leave as the reader set it.
const readersOwn = { DETAILS: "open", DIALOG: "open" };

export const start = () => {
  htmx.registerExtension("readers-own", {
    htmx_before_morph_attr: (element, { attrName }) => readersOwn[element.tagName] !== attrName,
  });

  document.addEventListener("htmx:config:request", (event) => {
    const tag = pollOf(event)?.dataset.etag;
    if (tag) event.detail.ctx.request.headers["If-None-Match"] = `W/"${tag}"`;
  });

  document.addEventListener("htmx:before:request", (event) => {
    const panel = pollOf(event);
    if (!panel) return;
    if (document.hidden || isHeld(panel)) {
      event.preventDefault();
      return;
    }
    const silence = Date.now() - askedAt;
    askedAt = Date.now();
    if (silence > sleepMs) refresh();
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) refresh();
  });
};

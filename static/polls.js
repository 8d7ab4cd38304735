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

// Polls come every few seconds, so a longer silence means that the machine slept.
const sleepMs = 30_000;

let askedAt = Date.now();

export const start = () => {
  document.addEventListener("htmx:config:request", (event) => {
    const tag = pollOf(event)?.dataset.etag;
    if (tag) event.detail.ctx.request.headers["If-None-Match"] = `W/"${tag}"`;
  });

  document.addEventListener("htmx:before:request", (event) => {
    if (!pollOf(event)) return;
    if (document.hidden) {
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

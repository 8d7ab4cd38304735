// The time by the server's clock, which is what every time on the page is told by: the
// reader's own clock may be minutes off.

// offset is how far the server's clock is ahead of the reader's, in milliseconds.
let offset = 0;

export const now = () => Date.now() + offset;

// An answer's Date is cut to whole seconds, and the answer was under way for some time.
const secondMs = 1000;
const slackMs = 2000;

// hear corrects the clock where the Date of an answer contradicts it: one of the two
// clocks was set, or the machine slept.
export const hear = (headers) => {
  const date = Date.parse(headers?.get?.("Date") ?? "");
  if (Number.isNaN(date)) return;
  const ahead = date - Date.now();
  if (offset < ahead - slackMs || offset > ahead + secondMs + slackMs) offset = ahead + secondMs / 2;
};

export const start = () => {
  const rendered = Number(document.documentElement.dataset.now);
  const [navigation] = performance.getEntriesByType("navigation");
  if (rendered && navigation) offset = rendered - (performance.timeOrigin + navigation.responseStart);
  document.addEventListener("htmx:after:request", (event) => hear(event.detail?.ctx?.response?.headers));
};

// Times that tick: <time hx-morph-skip-children datetime> says how long ago it was. One
// timer for all of them sleeps until the first of them reads differently. With data-exact it
// says the moment in full instead.
import { now } from "./clock.js";
import { onSwap } from "./polls.js";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const twoUnits = (ms, unit, name, smaller, smallerName) => {
  const rest = Math.floor((ms % unit) / smaller);
  const whole = `${Math.floor(ms / unit)} ${name}`;
  return rest ? `${whole} ${rest} ${smallerName}` : whole;
};

// length says a length of time in its one or two largest units, as validator.Ago does.
const length = (ms) => {
  if (ms < minute) return `${Math.floor(ms / second)} s`;
  if (ms < hour) return `${Math.floor(ms / minute)} min`;
  if (ms < day) return twoUnits(ms, hour, "h", minute, "min");
  return twoUnits(ms, day, "d", hour, "h");
};

// words says how long ago something was, or in what time it will be (ms below zero).
export const words = (ms) => (ms < -second ? `in ${length(-ms)}` : `${length(Math.max(ms, 0))} ago`);

// stays returns for how many milliseconds words(ms) goes on reading the same.
export const stays = (ms) => {
  const distance = Math.abs(ms);
  if (ms < second && ms >= -second) return second - ms;
  const unit = distance < minute ? second : distance < day ? minute : hour;
  return ms < 0 ? Math.min((distance % unit) + 1, distance - second) : unit - (distance % unit);
};

// write changes an element's text and keeps its text node, so that a selection survives.
export const write = (element, text) => {
  const node = element.firstChild;
  if (node?.nodeType === Node.TEXT_NODE && !node.nextSibling) {
    if (node.nodeValue !== text) node.nodeValue = text;
  } else {
    element.textContent = text;
  }
};

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

// exactly says a moment in full: in the reader's own zone, then in UTC.
export const exactly = (at) => [local.format(at), new Date(at).toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC")];

const titles = new WeakMap();

// title gives a time its exact moment on hover.
const title = (element, at) => {
  const known = titles.get(element);
  if (known?.at === at && known.title === element.title) return;
  element.title = exactly(at).join("\n");
  titles.set(element, { at, title: element.title });
};

let timer;

// tick brings every time on the page up to date.
const tick = () => {
  clearTimeout(timer);
  if (document.hidden) return;
  const clock = now();
  let rest = hour;
  for (const element of document.querySelectorAll("time[hx-morph-skip-children]:not([data-exact])")) {
    const at = Date.parse(element.dateTime);
    if (Number.isNaN(at)) continue;
    write(element, words(clock - at));
    title(element, at);
    rest = Math.min(rest, stays(clock - at));
  }
  for (const element of document.querySelectorAll("time[data-exact]")) {
    const at = Date.parse(element.dateTime);
    if (!Number.isNaN(at)) write(element, exactly(at).join(" · "));
  }
  timer = setTimeout(tick, Math.ceil(rest));
};

export const start = () => {
  onSwap(tick);
  document.addEventListener("visibilitychange", tick);
  tick();
};

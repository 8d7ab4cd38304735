// Amounts that grow between two blocks: [data-count] shows what the contract would pay at
// this second, by the contract's own formula in its own integers.
import { now } from "./clock.js";
import { isLost } from "./contact.js";
import { onSwap } from "./polls.js";
import { write } from "./times.js";

// Further than this the newest block is no ground to count on.
const reachSeconds = 60;
const secondMs = 1000;

// How many decimals the headline has, which is cut like the server's.
const shownDecimals = 4;

// read takes the formula from an element's attributes.
const read = ({ dataset }) => ({
  pending: BigInt(dataset.pending),
  amount: BigInt(dataset.amount),
  rate: BigInt(dataset.bps),
  since: BigInt(dataset.since),
  divisor: BigInt(dataset.divisor),
  block: Number(dataset.blockTime),
  decimals: Number(dataset.decimals),
});

// claimable is the formula at a time in unix seconds.
export const claimable = (f, unix) => {
  const seconds = BigInt(unix) - f.since;
  return seconds > 0n ? f.pending + (f.amount * f.rate * seconds) / f.divisor : f.pending;
};

// format writes wei as the token with all its decimals, so that the width stays.
export const format = (wei, decimals) => {
  const digits = wei.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, -decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${whole}.${digits.slice(-decimals)}`;
};

// What each element showed last, so that a clock that was corrected never counts back.
const shown = new WeakMap();

const show = (element) => {
  const f = read(element);
  const key = `${f.pending} ${f.amount} ${f.rate} ${f.since}`;
  const last = shown.get(element);
  const latest = f.block + reachSeconds;
  let unix = Math.max(f.block, Math.floor(now() / secondMs));
  if (last?.key === key) unix = Math.max(unix, last.unix);
  unix = Math.min(unix, latest);
  const wei = claimable(f, unix);
  const digits = format(wei, f.decimals);
  write(element, digits);
  const headline = element.closest(".figure")?.querySelector(".big data");
  if (headline) {
    headline.firstChild.nodeValue = digits.slice(0, shownDecimals - f.decimals);
    headline.value = wei.toString();
    headline.title = headline.title.replace(/^[\d,.]+/, digits);
  }
  element.value = wei.toString();
  shown.set(element, { key, unix });
  return unix < latest;
};

const rests = (element) => isLost() || element.closest("[data-stale], [data-unrefreshed]");

let timer;

const tick = () => {
  clearTimeout(timer);
  if (document.hidden) return;
  let counting = false;
  for (const element of document.querySelectorAll("[data-count]")) {
    if (!rests(element)) counting = show(element) || counting;
  }
  if (counting) timer = setTimeout(tick, secondMs - (now() % secondMs) + 1);
};

export const start = () => {
  onSwap(tick);
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("contact:change", tick);
  tick();
};

// A page on which the wallet's owner signs something about the stake. What happens was tried
// out by the server, which also wrote the calls; here the wallet is asked to sign them. The
// words are the page's.
import { onSwap, pollOf } from "./polls.js";
import { accountOf, chainOf, invoke, remembered, sameChain, sameNumber, watchWallets } from "./wallet.js";
import { Problem, asked } from "./wallet-answer.js";
import { changeNetwork, walletPage } from "./wallet-page.js";

const firstLookMs = 1500; // how long extensions may take before it is said that there is none
const answerMs = 15000;

const page = document.getElementById("action");
const { kind, wallet: address } = page.dataset;
const { step, show, during, offer } = walletPage(page);
const kept = `sent ${kind} ${address}`;

let found = []; // wallets in this browser
let current; // the wallet that was clicked
let busy = false; // a wallet that is asked twice signs twice
let sent = ""; // a transaction that the server was not told of

// keep remembers in this browser what was sent, until the server knows.
const keep = (tx) => {
  sent = tx;
  try {
    if (tx) localStorage.setItem(kept, tx);
    else localStorage.removeItem(kept);
  } catch {
    // A browser that keeps nothing has it in this page.
  }
};

const forgotten = () => {
  try {
    return localStorage.getItem(kept) ?? "";
  } catch {
    return "";
  }
};

const tell = async (tx) => {
  let response;
  try {
    response = await fetch("/api/worker/claim-reward", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-Wallet-Address": address },
      body: JSON.stringify({ tx_hash: tx }),
      signal: AbortSignal.timeout(answerMs),
    });
  } catch {
    throw new Problem("lost");
  }
  if (response.status === 401) throw new Problem("signed-out");
  if (!response.ok) throw new Problem("lost");
};

// follow tells the server what was sent, and goes to where its outcome is shown.
const follow = async () => {
  step("telling");
  if (kind === "claim") await tell(sent);
  const to = page.dataset.track + encodeURIComponent(sent);
  keep("");
  step("done");
  location.replace(to);
};

const confirm = async (on) => {
  step("connecting");
  const account = await asked(accountOf(current));
  if (!account) throw new Problem("no-account");
  if (!sameNumber(account, address)) throw new Problem("account");
  const chain = await asked(chainOf(current));
  if (!sameChain(chain, page.dataset)) throw new Problem("network");
  const source = document.querySelector("[data-calls]");
  if (!on() || !source) return;
  step("signing");
  keep(await asked(invoke(current, JSON.parse(source.dataset.calls))));
  await follow();
};

const list = () => document.getElementById("wallets");

// once runs a turn that nothing else may cut short.
const once = async (work) => {
  if (busy) return;
  busy = true;
  for (const button of list().querySelectorAll("button")) button.disabled = true;
  try {
    await during(work);
  } finally {
    busy = false;
    for (const button of list().querySelectorAll("button")) button.disabled = Boolean(sent);
  }
};

// update offers the wallets once there is something to sign: the one that signed in, or all.
const update = () => {
  const signable = document.querySelector("[data-calls]") !== null;
  const mine = found.filter((wallet) => wallet.id === remembered());
  offer(mine.length > 0 ? mine : found, (wallet) => {
    current = wallet;
    once(confirm);
  });
  document.getElementById("wallet-choice").hidden = !signable || found.length === 0;
};

const start = () => {
  document.addEventListener("htmx:before:request", (event) => {
    if (pollOf(event)?.querySelector("[data-settled]")) event.preventDefault();
  });
  if (!list()) return;
  watchWallets((wallets) => {
    found = wallets;
    update();
  });
  onSwap(update);
  setTimeout(() => {
    if (found.length === 0 && document.querySelector("[data-calls]")) show("no-wallet");
  }, firstLookMs);
  page.addEventListener("click", ({ target }) => {
    if (target.closest("[data-again]")) once(sent ? follow : confirm);
    if (target.closest("[data-switch]")) once((on) => changeNetwork(current, page.dataset, step, on, confirm));
  });
  sent = forgotten();
  if (sent) once(follow);
};

start();

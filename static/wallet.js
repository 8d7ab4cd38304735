// A small client for the Starknet wallets that browser extensions put on window
// (window.starknet_*). It speaks the wallet API by wallet.request and nothing else. What they
// answer is read by wallet-answer.js.
import { accountIn, signatureIn, transactionIn } from "./wallet-answer.js";

const rescanMs = 500;
const choice = "wallet";

const isWallet = (w) =>
  Boolean(w) && ["id", "name", "version"].every((k) => typeof w[k] === "string") && Boolean(w.icon) &&
  ["request", "on", "off"].every((k) => typeof w[k] === "function");

const read = (name) => {
  try {
    return window[name];
  } catch {
    return undefined;
  }
};

// wallets lists those that are there now, each once.
export const wallets = () => {
  const found = new Map();
  for (const name of Object.getOwnPropertyNames(window)) {
    if (!name.startsWith("starknet")) continue;
    const w = read(name);
    if (isWallet(w) && !found.has(w.id)) found.set(w.id, w);
  }
  return [...found.values()];
};

// watchWallets calls back with the wallets that are there, and again when that changes:
// some extensions come long after the page. It returns what ends it.
export const watchWallets = (callback) => {
  let known = "";
  const scan = () => {
    const list = wallets();
    const ids = list.map((w) => w.id).join("\n");
    if (ids === known) return;
    known = ids;
    callback(list);
  };
  scan();
  const timer = setInterval(scan, rescanMs);
  return () => clearInterval(timer);
};

// iconOf returns a wallet's picture if it is one that this page may show, else "".
export const iconOf = (wallet) => {
  const icon = typeof wallet.icon === "string" ? wallet.icon : wallet.icon.light ?? wallet.icon.dark;
  if (typeof icon !== "string") return "";
  return icon.startsWith("data:image/") || icon.startsWith(`${location.origin}/`) ? icon : "";
};

// accountOf asks which account the wallet shows to this site, "" for none. Silently it asks
// nobody, and tells none if it was not allowed to before.
export const accountOf = async (wallet, silently = false) =>
  accountIn(await wallet.request({ type: "wallet_requestAccounts", params: { silent_mode: silently } }));

export const chainOf = async (wallet) => wallet.request({ type: "wallet_requestChainId" });

export const switchChain = async (wallet, chainId) => wallet.request({ type: "wallet_switchStarknetChain", params: { chainId } });

// sign returns the signature in the form that the server reads.
export const sign = async (wallet, typedData, mostFelts) => signatureIn(await wallet.request({ type: "wallet_signTypedData", params: typedData }), mostFelts);

const asNumber = (text) => {
  try {
    return BigInt(text);
  } catch {
    return undefined;
  }
};

// sameNumber says whether two texts are the same felt: leading zeros and capitals do not count.
export const sameNumber = (a, b) => asNumber(a) !== undefined && asNumber(a) === asNumber(b);

// sameChain says whether a wallet's chain id, a felt or a short text, is the page's.
export const sameChain = (told, { chain, chainId }) => told === chainId || sameNumber(told, chain);

// remember keeps which wallet signed in; only this browser knows.
export const remember = (wallet) => {
  try {
    localStorage.setItem(choice, wallet.id);
  } catch {
    // A browser that keeps nothing forgets this too.
  }
};

export const remembered = () => {
  try {
    return localStorage.getItem(choice) ?? "";
  } catch {
    return "";
  }
};

// invoke asks the wallet to send calls as one transaction of its account, and returns the
// transaction's hash.
export const invoke = async (wallet, calls) => transactionIn(await wallet.request({ type: "wallet_addInvokeTransaction", params: { calls } }));

// While a wallet is signed in: notices that it now uses another account or network, and
// asks to sign in again. The page goes on showing what it shows.
import { accountOf, chainOf, remembered, sameChain, sameNumber, watchWallets } from "./wallet.js";

const { signedIn, chain, chainId } = document.documentElement.dataset;
const patienceMs = 15000; // how long an extension may take to come

const banner = (name) => document.querySelector(`[data-banner="${name}"]`);

const note = (name, differs) => {
  banner(name).hidden = !differs;
};

const accountsChanged = (accounts) => {
  if (accounts?.length) note("account", !sameNumber(accounts[0], signedIn));
};

const networkChanged = (told, accounts) => {
  if (told) note("network", !sameChain(told, { chain, chainId }));
  accountsChanged(accounts);
};

// look asks the wallet without troubling its owner. A wallet that is locked, or no longer
// shows itself to this site, tells nothing, which is no change.
const look = async (wallet) => {
  const account = await accountOf(wallet, true).catch(() => "");
  if (!account) return;
  networkChanged(await chainOf(wallet).catch(() => ""), [account]);
};

const follow = (wallet) => {
  wallet.on("accountsChanged", accountsChanged);
  wallet.on("networkChanged", networkChanged);
  look(wallet);
};

const start = () => {
  const id = remembered();
  if (!signedIn || !id) return;
  const stop = watchWallets((found) => {
    const mine = found.find((w) => w.id === id);
    if (!mine) return;
    setTimeout(() => stop()); // it may not have returned yet
    follow(mine);
  });
  setTimeout(stop, patienceMs);
};

// The page that comes after signing in again is this one, but not for the wallet of before.
document.addEventListener("click", ({ target }) => {
  const link = target.closest?.("[data-sign-in-again]");
  if (!link) return;
  const here = new URL(location.href);
  here.searchParams.delete("wallet");
  link.href = `/signin?next=${encodeURIComponent(here.pathname + here.search)}`;
});

start();

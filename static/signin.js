// The sign-in page: choose a wallet, sign one message, land on the page that was asked for.
// The words are the page's; here is what happens.
import { accountsOf, chainOf, iconOf, refusedByUser, remember, sameChain, sign, switchChain, watchWallets } from "./wallet.js";

const firstLookMs = 1500; // how long extensions may take before it is said that there is none
const answerMs = 30000;

const page = document.getElementById("signin");
const list = document.getElementById("wallets");

let turn = 0; // a click on a wallet puts an end to what the one before began
let current; // the wallet that was clicked
let proof; // a signed message that was not answered for
let shown = ""; // the problem

// Problem is a way in which signing in fails, by the name of its notice.
class Problem extends Error {
  constructor(name, detail = {}) {
    super(name);
    this.name = name;
    this.detail = detail;
  }
}

const step = (name) => {
  for (const line of page.querySelectorAll("[data-step]")) line.hidden = line.dataset.step !== name;
};

const fill = (notice, { said, seconds }) => {
  const saying = notice.querySelector("[data-said]");
  if (saying) saying.textContent = said || "(nothing)";
  const wait = notice.querySelector("[data-wait]");
  if (wait && seconds > 0) wait.textContent = seconds > 90 ? `${Math.ceil(seconds / 60)} minutes` : `${seconds} seconds`;
};

const show = (name, detail = {}) => {
  shown = name;
  for (const notice of page.querySelectorAll("[data-problem]")) {
    if (notice.id === name) fill(notice, detail);
    notice.hidden = notice.id !== name;
  }
};

// A problem's type is the address of its notice.
const problemIn = (response, body) => {
  const [, name] = String(body.type ?? "").split("/signin#");
  if (name && document.getElementById(name)) return new Problem(name, { seconds: Number(response.headers.get("Retry-After")) });
  if (response.status === 429) return new Problem("too-many", { seconds: Number(response.headers.get("Retry-After")) });
  if ([502, 503, 504].includes(response.status)) return new Problem(body.status === 503 ? "database" : "lost");
  return new Problem("failed");
};

const post = async (path, body) => {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerMs),
    });
  } catch {
    throw new Problem("lost");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw problemIn(response, answer);
  return answer;
};

// asked turns what a wallet throws into a problem.
const asked = async (answer) => {
  try {
    return await answer;
  } catch (error) {
    const said = String(error?.message ?? error ?? "");
    if (error?.code === refusedByUser || /abort|reject|refuse|denied|cancel/i.test(said)) throw new Problem("refused");
    throw new Problem("wallet-error", { said: said.slice(0, 200) });
  }
};

// begin starts a turn: what it returns says whether the turn is still on.
const begin = () => {
  turn += 1;
  const mine = turn;
  show("");
  return () => mine === turn;
};

// during runs a turn and shows what keeps it.
const during = async (work) => {
  const on = begin();
  try {
    await work(on);
  } catch (error) {
    if (!on()) return;
    step("");
    if (!(error instanceof Problem)) {
      show("failed");
      throw error;
    }
    show(error.name, error.detail);
  }
};

const present = async (on) => {
  step("checking");
  await post("/signin", proof);
  if (!on()) return;
  remember(current);
  step("done");
  location.replace(page.dataset.next);
};

const connect = async (on) => {
  proof = undefined;
  step("connecting");
  const [address] = await asked(accountsOf(current));
  if (!on()) return;
  if (!address) throw new Problem("no-account");
  const chain = await asked(chainOf(current));
  if (!on()) return;
  if (!sameChain(chain, page.dataset)) throw new Problem("network");
  const message = await post("/signin/message", { address, chain_id: chain });
  if (!on()) return;
  step("signing");
  const signature = await asked(sign(current, message.typed_data));
  if (!on()) return;
  proof = { nonce: message.nonce, signature, wallet_name: current.name };
  await present(on);
};

const changeNetwork = async (on) => {
  step("switching");
  let switched;
  try {
    switched = await asked(switchChain(current, page.dataset.chain));
  } catch (error) {
    throw error.name === "refused" ? error : new Problem("no-switch");
  }
  if (!on()) return;
  if (switched === false) throw new Problem("no-switch");
  await connect(on);
};

// A signature that was not checked for want of a server, a node or a database is good
// still: it is presented again, without asking the wallet.
const again = () => during(proof && ["lost", "unreachable", "database"].includes(shown) ? present : connect);

const button = (wallet) => {
  const item = document.getElementById("wallet-button").content.cloneNode(true).firstElementChild;
  item.querySelector(".wallet-name").textContent = wallet.name;
  const icon = iconOf(wallet);
  if (icon) {
    const picture = item.querySelector("img");
    picture.hidden = false;
    picture.addEventListener("error", () => {
      picture.hidden = true;
    });
    picture.src = icon;
  }
  item.querySelector("button").addEventListener("click", () => {
    current = wallet;
    during(connect);
  });
  item.dataset.wallet = wallet.id;
  return item;
};

// offer lists the wallets. Those that are listed stay, so that none moves under a finger.
const offer = (found) => {
  for (const wallet of found) {
    if (![...list.children].some((item) => item.dataset.wallet === wallet.id)) list.append(button(wallet));
  }
  document.getElementById("wallet-choice").hidden = found.length === 0;
  if (found.length === 0) return;
  if (shown === "no-wallet") show("");
  if (!current) step("");
};

const start = () => {
  if (location.origin !== page.dataset.origin) {
    const elsewhere = page.querySelector("[data-elsewhere]");
    elsewhere.href = `${page.dataset.origin}/signin?next=${encodeURIComponent(page.dataset.next)}`;
    show("origin");
    return;
  }
  step("looking");
  watchWallets(offer);
  setTimeout(() => {
    if (list.children.length > 0) return;
    step("");
    show("no-wallet");
  }, firstLookMs);
  page.addEventListener("click", ({ target }) => {
    if (target.closest("[data-again]")) again();
    if (target.closest("[data-switch]")) during(changeNetwork);
  });
};

start();

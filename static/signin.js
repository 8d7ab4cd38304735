// The sign-in page: choose a wallet, sign one message, land on the page that was asked for.
// The words are the page's; here is what happens.
import { accountOf, chainOf, remember, sameChain, sign, watchWallets } from "./wallet.js";
import { Problem, asked } from "./wallet-answer.js";
import { changeNetwork, walletPage } from "./wallet-page.js";

const firstLookMs = 1500; // how long extensions may take before it is said that there is none
const answerMs = 30000;
const connectMs = 120000; // for a wallet to be unlocked and allowed to connect
const signMs = 300000; // as long as a message is good

const page = document.getElementById("signin");
const { step, show, shown, during, offer } = walletPage(page);

let current; // the wallet that was clicked
let proof; // a signed message that was not answered for

// A problem's type is the address of its notice.
const problemIn = (response, body) => {
  const [, name] = String(body.type ?? "").split("/signin#");
  if (name && document.getElementById(name)) return new Problem(name, { seconds: Number(response.headers.get("Retry-After")), said: String(body.detail ?? "") });
  if ([400, 413].includes(response.status)) return new Problem("wallet-answer", { said: String(body.detail ?? "") });
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
  const address = await asked(accountOf(current), connectMs);
  if (!on()) return;
  if (!address) throw new Problem("no-account");
  const chain = await asked(chainOf(current), connectMs);
  if (!on()) return;
  if (typeof chain !== "string" || chain === "") throw new Problem("wallet-answer", { said: "nothing that names its network" });
  if (!sameChain(chain, page.dataset)) throw new Problem("network");
  const message = await post("/signin/message", { address, chain_id: chain });
  if (!on()) return;
  step("signing");
  const signature = await asked(sign(current, message.typed_data, Number(page.dataset.mostFelts)), signMs);
  if (!on()) return;
  proof = { nonce: message.nonce, signature, wallet_name: current.name };
  await present(on);
};

// A signature that was not checked for want of a server, a node or a database is good
// still: it is presented again, without asking the wallet.
const again = () => during(proof && ["lost", "unreachable", "database"].includes(shown()) ? present : connect);

const start = () => {
  if (location.origin !== page.dataset.origin) {
    const elsewhere = page.querySelector("[data-elsewhere]");
    elsewhere.href = `${page.dataset.origin}/signin?next=${encodeURIComponent(page.dataset.next)}`;
    show("origin");
    return;
  }
  step("looking");
  watchWallets((found) => {
    offer(found, (wallet) => {
      current = wallet;
      during(connect);
    });
    if (found.length > 0 && !current) step("");
  });
  setTimeout(() => {
    if (document.getElementById("wallets").children.length > 0) return;
    step("");
    show("no-wallet");
  }, firstLookMs);
  page.addEventListener("click", ({ target }) => {
    if (target.closest("[data-again]")) again();
    if (target.closest("[data-switch]")) during((on) => changeNetwork(current, page.dataset, step, on, connect));
  });
};

start();

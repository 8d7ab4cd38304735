// What the pages have in common on which a wallet is asked for something: its button, what
// is going on, and the problems, whose words are the page's.
import { iconOf, switchChain } from "./wallet.js";
import { Problem, asked, visible } from "./wallet-answer.js";

// changeNetwork asks the wallet to come to the page's network, and goes on then.
export const changeNetwork = async (wallet, { chain }, step, on, next) => {
  step("switching");
  let switched;
  try {
    switched = await asked(switchChain(wallet, chain));
  } catch (error) {
    throw ["refused", "wallet-silent"].includes(error.name) ? error : new Problem("no-switch");
  }
  if (!on()) return;
  if (switched === false) throw new Problem("no-switch");
  await next(on);
};

const fill = (notice, { said, seconds }) => {
  const saying = notice.querySelector("[data-said]");
  if (saying) saying.textContent = visible(said || "(nothing)");
  const wait = notice.querySelector("[data-wait]");
  if (wait && seconds > 0) wait.textContent = seconds > 90 ? `${Math.ceil(seconds / 60)} minutes` : `${seconds} seconds`;
};

const button = (wallet, clicked) => {
  const item = document.getElementById("wallet-button").content.cloneNode(true).firstElementChild;
  item.querySelector(".wallet-name").textContent = visible(wallet.name);
  const icon = iconOf(wallet);
  if (icon) {
    const picture = item.querySelector("img");
    picture.hidden = false;
    picture.addEventListener("error", () => {
      picture.hidden = true;
    });
    picture.src = icon;
  }
  item.querySelector("button").addEventListener("click", () => clicked(wallet));
  item.dataset.wallet = wallet.id;
  return item;
};

// walletPage is such a page.
export const walletPage = (page) => {
  let turn = 0; // a new one puts an end to what the one before began
  let name = ""; // the problem that is shown

  const step = (of) => {
    for (const line of page.querySelectorAll("[data-step]")) line.hidden = line.dataset.step !== of;
  };

  const show = (problem, detail = {}) => {
    name = problem;
    for (const notice of page.querySelectorAll("[data-problem]")) {
      if (notice.id === name) fill(notice, detail);
      notice.hidden = notice.id !== name;
    }
  };

  // during runs a turn and shows what keeps it. The work is told by a function whether its
  // turn is still on.
  const during = async (work) => {
    turn += 1;
    const mine = turn;
    const on = () => mine === turn;
    show("");
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

  // offer lists the wallets. Those that are listed stay, so that none moves under a finger.
  const offer = (found, clicked) => {
    const list = document.getElementById("wallets");
    for (const wallet of found) {
      if (![...list.children].some((item) => item.dataset.wallet === wallet.id)) list.append(button(wallet, clicked));
    }
    document.getElementById("wallet-choice").hidden = found.length === 0;
    if (found.length > 0 && name === "no-wallet") show("");
  };

  return { step, show, shown: () => name, during, offer };
};

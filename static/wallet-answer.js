// What wallets answer, and how they refuse. The wallet API (starknet-specs, wallet_rpc.json)
// says one thing, wallets do several: a known other form of the same is taken, and all else is
// a problem of its own.

// Problem is a way in which it fails, by the name of its notice.
export class Problem extends Error {
  constructor(name, detail = {}) {
    super(name);
    this.name = name;
    this.detail = detail;
  }
}

// visible shows characters that hide or turn around what stands beside them.
export const visible = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `[U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);

// Codes of a user's refusal: the wallet API's USER_REFUSED_OP, that of EIP-1193, which
// wallets of several chains use, and the one that ethers gives.
const refusals = ["113", "4001", "ACTION_REJECTED"];

const verb = "(abort|reject|refus|den(y|ied)|declin|cancel)";
const refusalTexts = [
  new RegExp(`\\buser[\\s_-]*(has |have )?${verb}`, "i"), // "User abort", "User rejected the request.", USER_REFUSED_OP
  new RegExp(`${verb}\\w* by (the )?user`, "i"),
  new RegExp(`^(the |your )?(\\w+ )?(was |is |has been )?${verb}(ed|led|al|lation)?\\.?$`, "i"), // "Request rejected", "Canceled"
];
const silenceText = /\btime[d ]?-?\s?out\b/i;

const saidMost = 200; // characters of a wallet's own words
const depthMost = 4;

// layers lists an error and what wallets and libraries wrap into it.
const layers = (error) => {
  const found = [];
  const visit = (e, depth) => {
    if (e === undefined || e === null || depth === depthMost || found.includes(e)) return;
    found.push(e);
    if (typeof e !== "object") return;
    for (const inner of [e.cause, e.error, e.data]) visit(inner, depth + 1);
  };
  visit(error, 0);
  return found;
};

const textsOf = (e) => (typeof e === "object" ? [e.name, e.message, e.reason].filter((t) => typeof t === "string") : [String(e)]);

const isRefusal = (error) =>
  layers(error).some((e) => refusals.includes(String(e?.code)) || textsOf(e).some((text) => text === "UserRejectedRequestError" || refusalTexts.some((known) => known.test(text))));

const problemOf = (error) => {
  if (error instanceof Problem) return error;
  if (isRefusal(error)) return new Problem("refused");
  const said = layers(error).flatMap((e) => (typeof e === "object" ? [e.message] : [String(e)])).find((text) => typeof text === "string" && text !== "") ?? "";
  if (silenceText.test(said)) return new Problem("wallet-silent");
  return new Problem("wallet-error", { said: said.slice(0, saidMost) });
};

// asked turns what a wallet throws into a problem, and so its silence for longer than some
// milliseconds if they are given.
export const asked = async (answer, patienceMs) => {
  let timer;
  try {
    if (!patienceMs) return await answer;
    const silence = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Problem("wallet-silent")), patienceMs);
    });
    return await Promise.race([answer, silence]);
  } catch (error) {
    throw problemOf(error);
  } finally {
    clearTimeout(timer);
  }
};

const odd = (said) => new Problem("wallet-answer", { said });

const kindOf = (value) => {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return { string: "a text", object: "an object", number: "a number", boolean: "yes or no" }[typeof value] ?? `a ${typeof value}`;
};

// accountIn returns the account that a wallet shows, "" if it shows none, as it does when its
// owner declines to connect (wallet_requestAccounts).
export const accountIn = (answer) => {
  const list = typeof answer === "string" ? [answer] : answer ?? [];
  if (!Array.isArray(list)) throw odd(`${kindOf(answer)} instead of a list of accounts`);
  const [account = ""] = list;
  if (typeof account !== "string") throw odd(`a list of accounts with ${kindOf(account)} in it`);
  return account;
};

const prime = 2n ** 251n + 17n * 2n ** 192n + 1n;
const bareHex = /^(?=.*[a-f])[0-9a-f]+$/i;

// numberIn reads a felt: hex digits after 0x, as the wallet API has them, or decimal digits;
// and where others of the signature have letters without 0x, hex digits.
const numberIn = (felt, bare) => {
  if (typeof felt === "bigint") return felt;
  if (typeof felt === "number") return Number.isSafeInteger(felt) ? BigInt(felt) : undefined;
  if (typeof felt !== "string") return undefined;
  const text = felt.trim();
  if (/^0x[0-9a-f]+$/i.test(text)) return BigInt(text);
  if (bare ? /^[0-9a-f]+$/i.test(text) : /^[0-9]+$/.test(text)) return BigInt(bare ? `0x${text}` : text);
  return undefined;
};

// listIn finds the list of felts: r and s by name are the pair [r, s], as starknet.js has it.
const listIn = (answer) => {
  const inner = !Array.isArray(answer) && answer?.signature !== undefined ? answer.signature : answer;
  if (!Array.isArray(inner) && inner?.r !== undefined && inner?.s !== undefined) return [inner.r, inner.s];
  return inner;
};

// signatureIn returns a signature in the form that the server reads, whatever number of felts,
// up to most, the account's kind of signature has.
export const signatureIn = (answer, most) => {
  const list = listIn(answer);
  if (list === null || list === undefined || list === false || list === "" || list?.length === 0) throw new Problem("no-signature");
  if (!Array.isArray(list)) throw odd(`${kindOf(list)} instead of a list of felts`);
  if (list.length > most) throw odd(`${list.length} felts, of which at most ${most} are taken`);
  const bare = list.some((felt) => typeof felt === "string" && bareHex.test(felt.trim()));
  return list.map((felt, i) => {
    const n = numberIn(felt, bare);
    if (n === undefined) throw odd(`a signature whose felt ${i + 1} is ${kindOf(felt)} that is no felt`);
    if (n < 0n || n >= prime) throw odd(`a signature whose felt ${i + 1} is outside the field of Starknet`);
    return `0x${n.toString(16)}`;
  });
};

// transactionIn returns the hash of the transaction that a wallet sent.
export const transactionIn = (answer) => {
  const n = numberIn(typeof answer === "string" ? answer : answer?.transaction_hash, false);
  if (n === undefined || n >= prime) throw odd(`${kindOf(answer)} without a transaction's hash`);
  return `0x${n.toString(16)}`;
};

// What the scripts share: the network that they are told of on standard input, and how to
// make it mine and take blocks back.
import { readFileSync } from "node:fs";
import { Account, Contract, RpcProvider, logger } from "starknet";
import { recorded } from "./answers.mjs";

logger.setLogLevel("ERROR");

export const told = JSON.parse(readFileSync(0, "utf8"));

export const provider = await RpcProvider.create({ nodeUrl: told.url, transactionRetryIntervalFallback: 20, baseFetch: recorded });

/** rpc asks the node without starknet.js, for what that has no name for. */
export async function rpc(method, params = {}) {
  const answer = await fetch(told.url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result, error } = await answer.json();
  if (error) throw Object.assign(new Error(`${method}: ${JSON.stringify(error)}`), { code: error.code });
  return result;
}

export const mine = () => rpc("devnet_createBlock");

/** abort takes back every block from the one with this number on. */
export const abort = (number) => rpc("devnet_abortBlocks", { starting_block_id: { block_number: number } });

export const account = ({ address, private_key }, from = provider) =>
  new Account({ provider: from, address, signer: private_key, cairoVersion: "1" });

/** send executes calls as one transaction, mines it and returns its receipt. */
export async function send(from, calls, details = {}) {
  const { transaction_hash } = await from.execute(calls, { tip: 0n, ...details });
  await mine();
  return provider.waitForTransaction(transaction_hash, { retryInterval: 20 });
}

/** at makes a Contract of what stands at an address, with the ABI that the node tells. */
export async function at(address) {
  const { abi } = await provider.getClassAt(address);
  return new Contract({ abi, address, providerOrAccount: provider });
}

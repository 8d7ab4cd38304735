// Declares and deploys the contracts of chain/testdata/cairo, gives the worker and the other
// account SAGE, and lets ProverStaking pay claims from the treasury. It writes the contracts'
// addresses to standard output as JSON.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { account, at, mine, provider, send, told } from "./network.mjs";

const SAGE = 10n ** 18n;
const owner = account(told.owner);

async function settled(transaction_hash) {
  await mine();
  const receipt = await provider.waitForTransaction(transaction_hash, { retryInterval: 20 });
  assert.ok(receipt.isSuccess(), receipt.revert_reason);
  return receipt;
}

async function deploy(name, constructorCalldata) {
  const { sierra, casm } = JSON.parse(gunzipSync(readFileSync(join(told.classes, `${name}.json.gz`))));
  const declared = await owner.declare({ contract: sierra, casm }, { tip: 0n });
  await settled(declared.transaction_hash);
  const { transaction_hash, contract_address } = await owner.deploy({ classHash: declared.class_hash, constructorCalldata }, { tip: 0n });
  await settled(transaction_hash);
  return [contract_address].flat()[0];
}

const sage_token = await deploy("SAGEToken", [2_000_000n * SAGE, 0n, told.treasury.address]);
const prover_staking = await deploy("ProverStaking", [told.owner.address, sage_token, told.treasury.address]);
const reputation_manager = await deploy("ReputationManager", [told.owner.address]);
const job_manager = await deploy("JobManager", [told.owner.address]);

const token = await at(sage_token);
const gifts = [told.worker, told.other].flatMap(({ address }) => Array(10).fill(token.populate("transfer", [address, 5_000n * SAGE])));
const receipt = await send(account(told.treasury), [token.populate("approve", [prover_staking, 1_000_000n * SAGE]), ...gifts]);
assert.ok(receipt.isSuccess(), receipt.revert_reason);

console.log(JSON.stringify({ sage_token, prover_staking, reputation_manager, job_manager }));

// Drives a node as an application with starknet.js does. Every check is a line of JSON on
// standard output: {"check", "error"}.
import assert from "node:assert/strict";
import { Account, CairoCustomEnum, CairoOption, CairoOptionVariant, RpcError, hash, num, shortString } from "starknet";
import { wellTyped } from "./answers.mjs";
import { abort, account, at, mine, provider, send, told } from "./network.mjs";

const SAGE = 10n ** 18n;
const sage = (n) => BigInt(n) * SAGE;
const same = (a, b, what) => assert.equal(num.toBigInt(a), num.toBigInt(b), what);

const owner = account(told.owner);
const worker = account(told.worker);
const other = account(told.other);
const staking = await at(told.contracts.prover_staking);
const token = await at(told.contracts.sage_token);
const reputation = await at(told.contracts.reputation_manager);
const jobs = await at(told.contracts.job_manager);

const stakeCalls = (amount, tier) => [
  token.populate("approve", [staking.address, amount]),
  staking.populate("stake", [amount, tier]),
];
const tier = (name) => new CairoCustomEnum({ [name]: {} });
const hexOf = (text) => shortString.encodeShortString(text).slice(2); // nodes tell a panic as text, or as its felt
const selector = (name) => hash.getSelectorFromName(name);

// A transaction with bounds of its own is not tried out by starknet.js before it is sent.
const bounds = (max_amount, max_price_per_unit) => ({ max_amount, max_price_per_unit });
const unestimated = {
  resourceBounds: { l1_gas: bounds(0n, 10n ** 15n), l2_gas: bounds(400_000_000n, 20_000_000_000n), l1_data_gas: bounds(20_000n, 10n ** 13n) },
};

/** refused asserts that starknet.js understands the node's error as one of the specification. */
async function refused(promise, types, ...words) {
  let error;
  try {
    await promise;
  } catch (e) {
    error = e;
  }
  assert.ok(error, `nothing was refused, ${types} is expected`);
  assert.ok(error instanceof RpcError, `no RpcError: ${error.stack}`);
  assert.ok([types].flat().some((t) => error.isType(t)), `${types} is expected: ${error.message}`);
  for (const w of words) assert.ok(error.message.includes(w) || error.message.includes(hexOf(w)), `${w} is expected: ${error.message}`);
}

const checks = {
  async "the version of the specification and the chain's id"() {
    assert.match(await provider.getSpecVersion(), /^0\.9\./);
    assert.equal(provider.channel.id, "RPC090");
    assert.equal(shortString.decodeShortString(await provider.getChainId()), told.chain_id);
    assert.equal(await provider.getSyncingStats(), false);
  },

  async "blocks by number, hash and tag"() {
    const first = await provider.getBlockLatestAccepted();
    await mine();
    const block = await provider.getBlockWithTxHashes("latest");
    assert.equal(block.block_number, first.block_number + 1);
    same(block.parent_hash, first.block_hash);
    assert.equal(block.status, "ACCEPTED_ON_L2");
    assert.deepEqual(await provider.getBlockWithTxHashes(block.block_number), block);
    assert.deepEqual(await provider.getBlockWithTxHashes(block.block_hash), block);
    assert.ok(block.timestamp >= (await provider.getBlockWithTxHashes(first.block_number)).timestamp);
    const building = await provider.getBlockWithTxs("pre_confirmed");
    assert.equal(building.block_number, block.block_number + 1);
    assert.equal(building.block_hash, undefined);
    assert.equal(building.status, undefined);
    assert.equal(await provider.getBlockTransactionCount("latest"), block.transactions.length);
  },

  async "views by the ABI of the class"() {
    const config = await staking.get_config();
    assert.deepEqual(
      [config.min_stake_consumer, config.min_stake_frontier, config.slash_timeout_bps, config.unstake_lockup_secs],
      [sage(1_000), sage(25_000), 500n, 604_800n]);
    assert.equal(await staking.get_min_stake(tier("Enterprise")), sage(10_000));
    const none = await staking.get_stake("0x123");
    assert.deepEqual([none.amount, none.is_active, none.gpu_tier.activeVariant()], [0n, false, "Consumer"]);
    assert.equal(await token.decimals(), 18n);
    assert.ok((await token.balance_of(worker.address)) >= sage(20_000));
    const c = await provider.getClassHashAt(staking.address);
    assert.deepEqual((await provider.getClass(c)).abi, (await provider.getClassAt(staking.address)).abi);
  },

  async "a fee and a trace without a transaction"() {
    const before = await provider.getNonceForAddress(worker.address);
    const fee = await worker.estimateInvokeFee(stakeCalls(sage(1_000), tier("Consumer")), { tip: 0n, skipValidate: false });
    assert.equal(fee.unit, "FRI");
    assert.ok(fee.overall_fee > 0n && fee.resourceBounds.l2_gas.max_amount > 0n, "a fee");
    const { simulated_transactions: [one] } = await worker.simulateTransaction([{ type: "INVOKE", payload: stakeCalls(sage(1_000), tier("Consumer")) }], { tip: 0n, skipValidate: false });
    const trace = one.transaction_trace.execute_invocation;
    same(trace.contract_address, worker.address);
    const emitted = (call) => [...call.events, ...call.calls.flatMap(emitted)];
    assert.ok(emitted(trace).some((e) => num.toBigInt(e.keys[0]) === num.toBigInt(selector("Staked"))), "the trace tells of the stake");
    assert.equal(await provider.getNonceForAddress(worker.address), before);
    assert.equal((await staking.get_stake(worker.address)).amount, 0n);
  },

  async "a multicall with the account's signature"() {
    const before = await token.balance_of(worker.address);
    const receipt = await send(worker, stakeCalls(sage(12_000), tier("Enterprise")));
    assert.ok(receipt.isSuccess());
    const [staked] = staking.parseEvents(receipt);
    const event = staked["sage_contracts::staking::prover_staking::ProverStaking::Staked"];
    same(event.worker, worker.address);
    assert.deepEqual([event.amount, event.total_stake, event.gpu_tier.activeVariant()], [sage(12_000), sage(12_000), "Enterprise"]);
    const [moved] = token.parseEvents(receipt).map((e) => e["sage_contracts::token::sage_token::SAGEToken::Transfer"]);
    same(moved.from, worker.address);
    same(moved.to, staking.address);
    assert.equal(moved.value, sage(12_000));
    const stake = await staking.get_stake(worker.address);
    assert.deepEqual([stake.amount, stake.is_active, stake.gpu_tier.activeVariant()], [sage(12_000), true, "Enterprise"]);
    assert.equal(await staking.is_eligible(worker.address), true);
    assert.equal(await token.balance_of(worker.address), before - sage(12_000));
    assert.equal(await token.allowance(worker.address, staking.address), 0n);
    assert.ok(num.toBigInt(receipt.actual_fee.amount) > 0n);
  },

  async "a transaction as the chain keeps it"() {
    const nonce = await provider.getNonceForAddress(worker.address);
    const { transaction_hash } = await worker.execute(stakeCalls(sage(1), tier("Enterprise")), { tip: 0n });
    assert.ok(["RECEIVED", "CANDIDATE", "PRE_CONFIRMED"].includes((await provider.getTransactionStatus(transaction_hash)).finality_status));
    await mine();
    const status = await provider.getTransactionStatus(transaction_hash);
    assert.deepEqual([status.finality_status, status.execution_status], ["ACCEPTED_ON_L2", "SUCCEEDED"]);
    const tx = await provider.getTransactionByHash(transaction_hash);
    assert.deepEqual([tx.type, tx.version, num.toBigInt(tx.nonce)], ["INVOKE", "0x3", num.toBigInt(nonce)]);
    same(tx.sender_address, worker.address);
    assert.equal(tx.signature.length, 2);
    const block = await provider.getBlockWithTxs("latest");
    assert.deepEqual(block.transactions.map((t) => t.transaction_hash), [transaction_hash]);
    assert.deepEqual(await provider.getTransactionByBlockIdAndIndex("latest", 0), tx);
    const { transactions } = await provider.getBlockWithReceipts("latest");
    const receipt = await provider.getTransactionReceipt(transaction_hash);
    same(transactions[0].receipt.transaction_hash, transaction_hash);
    assert.deepEqual(transactions[0].receipt.events, receipt.events);
    same(receipt.block_hash, block.block_hash);
  },

  async "nonces, those of waiting transactions counted"() {
    const before = num.toBigInt(await worker.getNonce());
    const hashes = [];
    for (const n of [0n, 1n, 2n]) {
      hashes.push((await worker.execute(stakeCalls(sage(n + 1n), tier("Enterprise")), { tip: 0n, nonce: before + n, ...unestimated })).transaction_hash);
    }
    same(await provider.getNonceForAddress(worker.address, "pre_confirmed"), before + 3n);
    await mine();
    for (const h of hashes) assert.ok((await provider.waitForTransaction(h, { retryInterval: 20 })).isSuccess());
    same(await worker.getNonce(), before + 3n);
    await refused(worker.execute(stakeCalls(sage(4), tier("Enterprise")), { tip: 0n, nonce: before, ...unestimated }), "INVALID_TRANSACTION_NONCE");
    same(await worker.getNonce(), before + 3n);
  },

  async "another key than the account's is refused"() {
    const thief = new Account({ provider, address: worker.address, signer: told.other.private_key, cairoVersion: "1" });
    const before = await worker.getNonce();
    await refused(thief.execute(stakeCalls(sage(1), tier("Enterprise")), { tip: 0n, ...unestimated }), "VALIDATION_FAILURE");
    await refused(thief.estimateInvokeFee(stakeCalls(sage(1), tier("Enterprise")), { tip: 0n, skipValidate: false }), "TRANSACTION_EXECUTION_ERROR");
    await mine();
    assert.equal(await worker.getNonce(), before);
    assert.deepEqual((await provider.getBlockWithTxHashes("latest")).transactions, []);
  },

  async "an account that is not there is refused"() {
    const nobody = new Account({ provider, address: "0x1234567", signer: told.other.private_key, cairoVersion: "1" });
    await refused(nobody.execute(stakeCalls(sage(1), tier("Enterprise")), { tip: 0n, nonce: 0n, ...unestimated }), ["VALIDATION_FAILURE", "INSUFFICIENT_ACCOUNT_BALANCE"]);
  },

  async "messages that an account has signed"() {
    const signature = await worker.signMessage(told.message);
    assert.equal(await provider.verifyMessageInStarknet(told.message, signature, worker.address), true);
    const changed = structuredClone(told.message);
    changed.message[Object.keys(changed.message)[0]] += "x";
    assert.equal(await provider.verifyMessageInStarknet(changed, signature, worker.address), false);
    assert.equal(await provider.verifyMessageInStarknet(told.message, await other.signMessage(told.message), worker.address), false);
    assert.equal(await provider.verifyMessageInStarknet(told.message, signature, other.address), false);
  },

  async "why a transaction is reverted"() {
    const calls = [staking.populate("request_unstake", [sage(1_000_000)])];
    await refused(worker.estimateInvokeFee(calls, { tip: 0n }), "TRANSACTION_EXECUTION_ERROR", "Insufficient stake");
    const before = num.toBigInt(await worker.getNonce());
    const receipt = await send(worker, [...stakeCalls(sage(1), tier("Enterprise")), ...calls], unestimated);
    assert.ok(receipt.isReverted());
    assert.match(receipt.revert_reason, /Insufficient stake/);
    assert.deepEqual(receipt.events.filter((e) => num.toBigInt(e.from_address) === num.toBigInt(staking.address)), []);
    same(await worker.getNonce(), before + 1n);
    const status = await provider.getTransactionStatus(receipt.transaction_hash);
    assert.deepEqual([status.finality_status, status.execution_status], ["ACCEPTED_ON_L2", "REVERTED"]);
    await assert.rejects(provider.waitForTransaction(receipt.transaction_hash, { retryInterval: 20, errorStates: ["REVERTED"] }), /REVERTED/);
  },

  async "rewards that are claimed"() {
    await new Promise((r) => setTimeout(r, 1_100)); // block times are whole seconds
    const before = await token.balance_of(worker.address);
    const receipt = await send(worker, [staking.populate("claim_rewards", [])], unestimated);
    assert.ok(receipt.isSuccess(), receipt.revert_reason);
    const [claimed] = staking.parseEvents(receipt).map((e) => e["sage_contracts::staking::prover_staking::ProverStaking::RewardsClaimed"]);
    assert.ok(claimed.amount > 0n);
    assert.equal(await token.balance_of(worker.address), before + claimed.amount);
  },

  async "slashes and reputation, by the network's owner"() {
    const begun = await send(owner, [reputation.populate("initialize_reputation", [worker.address])]);
    assert.ok(begun.isSuccess(), begun.revert_reason);
    const { amount } = await staking.get_stake(worker.address);
    const receipt = await send(owner, [
      staking.populate("slash", [worker.address, new CairoCustomEnum({ Timeout: {} }), 77]),
      reputation.populate("update_reputation", [worker.address, -100, new CairoCustomEnum({ WorkerSlashed: {} }), new CairoOption(CairoOptionVariant.Some, 77n)]),
    ]);
    assert.ok(receipt.isSuccess(), receipt.revert_reason);
    const [slashed] = staking.parseEvents(receipt).map((e) => e["sage_contracts::staking::prover_staking::ProverStaking::Slashed"]);
    assert.deepEqual([slashed.amount, slashed.reason.activeVariant(), slashed.job_id], [(amount * 500n) / 10_000n, "Timeout", 77n]);
    const stake = await staking.get_stake(worker.address);
    assert.deepEqual([stake.amount, stake.consecutive_failures, stake.total_slashed], [amount - slashed.amount, 1n, slashed.amount]);
    const score = await reputation.get_reputation(worker.address);
    assert.deepEqual([score.score, score.level, score.slash_count], [400n, 2n, 1n]);
    const [change] = await reputation.get_reputation_history(worker.address, 5);
    assert.deepEqual([change.score_delta, shortString.decodeShortString(num.toHex(change.reason)), change.job_id.unwrap(), change.old_score], [-100n, "worker_slashed", 77n, 500n]);
    const denied = await send(worker, [staking.populate("slash", [owner.address, new CairoCustomEnum({ Timeout: {} }), 1])], unestimated);
    assert.match(denied.revert_reason, /Unauthorized/);
  },

  async "events by keys, page by page"() {
    const from = (await provider.getBlockLatestAccepted()).block_number + 1;
    const ids = [1n, 2n, 3n, (1n << 128n) + 4n, 5n];
    for (const part of [ids.slice(0, 3), ids.slice(3)]) {
      await send(worker, part.flatMap((id) => [jobs.populate("claim_job", [{ value: id }]), jobs.populate("complete_job", [{ value: id }])]), unestimated);
    }
    await send(other, [jobs.populate("claim_job", [{ value: 6n }])], unestimated);
    const filter = { address: jobs.address, from_block: { block_number: from }, to_block: "latest" };
    const all = async (keys, chunk_size) => {
      const events = [];
      let pages = 0;
      for (let continuation_token; ; ) {
        const page = await provider.getEvents({ ...filter, keys, chunk_size, continuation_token });
        assert.ok(page.events.length <= chunk_size);
        events.push(...page.events);
        pages += 1;
        continuation_token = page.continuation_token;
        if (!continuation_token) return { events, pages };
        assert.ok(pages < 50, "the pages have no end");
      }
    };
    const id = (e) => num.toBigInt(e.keys[1]) + (num.toBigInt(e.keys[2]) << 128n);
    const claimed = selector("JobClaimed");
    const everything = (await all([], 100)).events;
    assert.equal(everything.length, 11);
    for (const chunk of [1, 2, 3, 10]) assert.deepEqual((await all([], chunk)).events, everything);
    const mine = await all([[claimed], [], [], [worker.address]], 2);
    assert.deepEqual(mine.events.map(id), ids);
    assert.ok(mine.pages >= 3);
    const either = await all([[claimed, selector("JobCompleted")], ["0x4", "0x6"]], 2);
    assert.deepEqual(either.events.map(id), [ids[3], ids[3], 6n]);
    assert.deepEqual((await all([[selector("Nothing")]], 2)).events, []);
    const { events: [first] } = await all([[claimed]], 1);
    const receipt = await provider.getTransactionReceipt(first.transaction_hash);
    same(receipt.block_hash, first.block_hash);
    assert.equal(receipt.block_number, from);
  },

  async "errors by the codes of the specification"() {
    const call = (contractAddress, entrypoint, calldata = [], block = "latest") => provider.callContract({ contractAddress, entrypoint, calldata }, block);
    await refused(call("0x1234567", "get_config"), "CONTRACT_NOT_FOUND");
    await refused(call(staking.address, "no_such_function"), "ENTRYPOINT_NOT_FOUND");
    await refused(call(staking.address, "get_stake"), "CONTRACT_ERROR", "Failed to deserialize param #1");
    await refused(call(staking.address, "get_config", [], 99_999_999), "BLOCK_NOT_FOUND");
    await refused(provider.getBlockWithTxs("0x1234567"), "BLOCK_NOT_FOUND");
    await refused(provider.getTransactionByBlockIdAndIndex("latest", 9_999), "INVALID_TXN_INDEX");
    await refused(provider.getClass("0x1234567"), "CLASS_HASH_NOT_FOUND");
    await refused(provider.getTransactionReceipt("0x1234567"), "TXN_HASH_NOT_FOUND");
    await refused(provider.getTransactionStatus("0x1234567"), "TXN_HASH_NOT_FOUND");
    await refused(provider.getNonceForAddress("0x1234567"), "CONTRACT_NOT_FOUND");
    await refused(provider.getClassAt("0x1234567"), "CONTRACT_NOT_FOUND");
    const some = { address: staking.address, from_block: { block_number: 0 }, to_block: "latest" };
    if (told.limits) await refused(provider.getEvents({ ...some, chunk_size: 99_999_999 }), "PAGE_SIZE_TOO_BIG");
    await refused(provider.getEvents({ ...some, chunk_size: 1, continuation_token: "nonsense" }), "INVALID_CONTINUATION_TOKEN");
  },

  async "a reorg"() {
    const before = await provider.getBlockLatestAccepted();
    const stake = await staking.get_stake(worker.address);
    const nonce = await worker.getNonce();
    const { transaction_hash } = await send(worker, stakeCalls(sage(5), tier("Enterprise")), unestimated);
    await mine();
    const gone = await provider.getBlockLatestAccepted();
    const block = await provider.getBlockWithTxHashes(before.block_number + 1);
    const { aborted } = await abort(before.block_number + 1);
    assert.equal(aborted.length, 2);
    assert.deepEqual(await provider.getBlockLatestAccepted(), before);
    await refused(provider.getTransactionReceipt(transaction_hash), "TXN_HASH_NOT_FOUND");
    await refused(provider.getBlockWithTxHashes(gone.block_hash), "BLOCK_NOT_FOUND");
    assert.deepEqual((await staking.get_stake(worker.address)).amount, stake.amount);
    assert.equal(await worker.getNonce(), nonce);
    await mine(); // starknet-devnet's hashes tell blocks apart by how many transactions are in them
    const again = await send(worker, stakeCalls(sage(7), tier("Enterprise")), unestimated);
    assert.ok(again.isSuccess());
    const other = await provider.getBlockWithTxHashes(before.block_number + 1);
    assert.notEqual(num.toBigInt(other.block_hash), num.toBigInt(block.block_hash));
    same(other.parent_hash, before.block_hash);
    assert.equal((await staking.get_stake(worker.address)).amount, stake.amount + sage(7));
  },
};

if (told.limits) checks["every answer so far, by the types of the specification"] = wellTyped;

for (const [check, run] of Object.entries(checks)) {
  let error = null;
  try {
    await run();
  } catch (e) {
    error = e.stack;
  }
  console.log(JSON.stringify({ check, error }));
}

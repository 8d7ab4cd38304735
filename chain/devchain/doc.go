// Package devchain is a small Starknet of its own: a chain that holds the network's
// contracts (ProverStaking, ReputationManager, SAGEToken, JobManager) and accounts, and
// nodes that serve it over HTTP and websockets as JSON-RPC 0.9 does. Tests and the demo talk
// to it through an unmodified starknet.go, and tests through an unmodified starknet.js too.
// A transaction that a client sends runs only if the account's key has signed it. Package
// testnet has the same tests run against a real starknet-devnet.
//
// A Chain keeps the state as of every block, so that a read pinned to a block answers
// what was true in it. A Node is one view of a Chain: it can be made to fail in every way
// that real nodes do (Faults) and counts what it is asked (Counters). Several nodes can
// serve one chain.
//
// Stake, Slash, Succeed and their like are transactions of the parties that send them on the
// real network, with the events of the real contracts. A history is laid by giving the chain
// a Genesis in the past and mining at past times. A Wallet holds an account's key and answers
// the wallet API over HTTP, for pages in tests and in the demo.
//
// What is set with SetStake and its like, and what transactions change, becomes visible
// with the next mined block, never before.
//
// The contracts' arithmetic is written here on its own, from the contracts; it shares no
// code with the rules in package validator, so that each checks the other.
package devchain

// Package chain reads the network's contracts on Starknet and follows the chain's head.
//
// A Client follows the head of one of several RPC nodes: new heads are announced over a node's
// websocket, or else polls. For every new block it reads, in one
// JSON-RPC batch pinned to that block's hash, the views of every wallet that somebody looks
// at, and keeps the decoded answers as snapshots. WalletSnapshot, Network, State and Contracts return
// what is known at that moment; none of them waits for a node, except the first look at a
// wallet, and that one for a bounded time. A wallet's events are searched beside that, once
// and again only after its stake has changed, so that no view waits for them.
//
// A value is decoded strictly or not at all: an answer of another length, or with a felt out
// of its range, makes that one read missing with the reason, and never a default. What fails
// as a whole (a node down, lagging, of another network) is the source's state, next to the
// last good values and their age.
//
// Sentences for people are written here and name a node by its host only, since RPC URLs
// hold API keys. Causes go to the log when a state changes.
//
// What does not live here: rules over what was read (package validator), storage, HTTP.
// Package devchain is the chain that the tests and the demo run against.
package chain

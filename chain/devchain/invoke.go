package devchain

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/NethermindEth/starknet.go/hash"
	"github.com/NethermindEth/starknet.go/rpc"
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// The versions of an invoke: that of transactions to run, and that of ones which are only
// simulated, whose signature is good for nothing else.
const (
	invokeVersion = "0x3"
	queryVersion  = "0x100000000000000000000000000000003"
)

// invoke is an invoke transaction as a client sends it.
type invoke struct {
	wire      rpc.InvokeTxnV3
	hash      validator.Felt // what the account's key signs
	sender    validator.Address
	nonce     validator.Felt
	calldata  []validator.Felt
	signature []validator.Felt
}

// readInvoke reads a transaction and works out its hash.
func (c *Chain) readInvoke(raw json.RawMessage) (invoke, error) {
	invalid := func(err error) (invoke, error) {
		return invoke{}, &RPCError{Code: -32602, Message: "Invalid params", Data: err.Error()}
	}
	var tx invoke
	if err := json.Unmarshal(raw, &tx.wire); err != nil {
		return invalid(err)
	}
	switch {
	case tx.wire.Type != rpc.TransactionTypeInvoke:
		return invalid(fmt.Errorf("this chain takes no transaction of the type %q", tx.wire.Type))
	case tx.wire.Version != invokeVersion && tx.wire.Version != queryVersion:
		return invoke{}, &RPCError{Code: 61, Message: "The transaction version is not supported"}
	}
	h, err := hash.TransactionHashInvokeV3(&tx.wire, wireFelt(feltOfText(c.cfg.ChainID)))
	if err != nil {
		return invalid(err)
	}
	tx.hash = feltOf(utils.FeltToBigInt(h))
	tx.sender = validator.Address(feltOf(utils.FeltToBigInt(tx.wire.SenderAddress)))
	tx.nonce = feltOf(utils.FeltToBigInt(tx.wire.Nonce))
	for _, f := range tx.wire.Calldata {
		tx.calldata = append(tx.calldata, feltOf(utils.FeltToBigInt(f)))
	}
	for _, f := range tx.wire.Signature {
		tx.signature = append(tx.signature, feltOf(utils.FeltToBigInt(f)))
	}
	return tx, nil
}

// The ways in which an account does not let a transaction run.
var (
	errNotDeployed = errors.New("the account is not deployed")
	errNoAccount   = errors.New("the contract is no account")
	errNotSigned   = errors.New("the signature is not the account's")
)

// validate asks the account at the sender's address whether it signed the transaction.
func (tx invoke) validate(st *state) error {
	d, deployed := st.deployed[tx.sender]
	switch {
	case !deployed:
		return errNotDeployed
	case !d.kind.account:
		return errNoAccount
	}
	x := &execution{state: st}
	answer, err := x.call(tx.sender, "is_valid_signature", felts(tx.hash, uint64(len(tx.signature)), tx.signature))
	switch {
	case err != nil:
		return err
	case !slices.Equal(answer, felts(feltOfText(validSignature))):
		return errNotSigned
	}
	return nil
}

// addInvoke is starknet_addInvokeTransaction: it queues what the account has signed.
func (v chainView) addInvoke(p []json.RawMessage) (any, error) {
	tx, err := v.readInvoke(p[0])
	if err != nil {
		return nil, err
	}
	if tx.wire.Version != invokeVersion {
		return nil, &RPCError{Code: 61, Message: "The transaction version is not supported"}
	}
	if known, ok := v.byHash[tx.hash]; ok && known.block == nil {
		return nil, &RPCError{Code: 59, Message: "A transaction with the same hash already exists in the mempool"}
	}
	calls, badCalls := callsOf(tx.calldata)
	failed := func(why string) (any, error) {
		return nil, &RPCError{Code: 55, Message: "Account validation failed", Data: why}
	}
	if _, deployed := v.working.deployed[tx.sender]; !deployed {
		return failed(fmt.Sprintf("Sender address %s is not deployed.", tx.sender.Felt().Short()))
	}
	if want := v.nextNonce(tx.sender); tx.nonce != feltOfUint(want) {
		return nil, &RPCError{Code: 52, Message: "Invalid transaction nonce",
			Data: fmt.Sprintf("Invalid transaction nonce of contract at address %s. Account nonce: %#x; got: %s.", tx.sender.Felt().Short(), want, tx.nonce.Short())}
	}
	switch err := tx.validate(v.working); {
	case errors.Is(err, errNoAccount):
		return nil, &RPCError{Code: 58, Message: "Sender address is not an account contract"}
	case err != nil:
		return failed(fmt.Sprintf("Execution failed. Failure reason: %s.", failure(err)))
	case badCalls != nil:
		return failed(fmt.Sprintf("Execution failed. Failure reason: %s.", failure(badCalls)))
	}
	if !tx.coversFee() {
		return nil, &RPCError{Code: 53, Message: "The transaction's resources don't cover validation or the minimal transaction fee"}
	}
	queued := &transaction{hash: tx.hash, sender: tx.sender, calls: calls, wire: &tx.wire}
	v.admit(queued)
	return map[string]string{"transaction_hash": tx.hash.Short()}, nil
}

// coversFee says whether the resources that the transaction offers pay for the least that
// one costs.
func (tx invoke) coversFee() bool {
	amount, err := tx.wire.ResourceBounds.L2Gas.MaxAmount.ToUint64()
	price, priceErr := validator.ParseFelt(string(tx.wire.ResourceBounds.L2Gas.MaxPricePerUnit))
	return err == nil && priceErr == nil && amount >= gasOfTransaction && price.Big().Cmp(feltOfUint(gasPriceFRI).Big()) >= 0
}

// nextNonce is the nonce of an account's next transaction, those that wait counted.
func (c *Chain) nextNonce(sender validator.Address) uint64 {
	n := c.working.nonces[sender]
	for _, tx := range c.queue {
		if tx.sender == sender {
			n++
		}
	}
	return n
}

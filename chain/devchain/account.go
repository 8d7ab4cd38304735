package devchain

import (
	"slices"
	"strconv"

	"github.com/NethermindEth/juno/core/felt"
	"github.com/NethermindEth/starknet.go/contracts"
	"github.com/NethermindEth/starknet.go/curve"
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// validSignature is what is_valid_signature answers for a signature of the account's key:
// the short string 'VALID' (SNIP-6).
const validSignature = "VALID"

// account is the contract of an account with one key. Its signatures are the pair (r, s),
// or that pair in the longer form of accounts with several signers: how many signers, the
// kind of the key, the key, r, s; or that form with the data that a passkey signed between key
// and pair. As with real accounts a wrong signature is answered by 0,
// and one of another length by a panic.
func account(publicKey validator.Felt) *contract {
	check := function{inputs: []input{feltInput("hash"), feltsInput("signature")}, outputs: []string{"core::felt252"}, view: true}
	check.run = func(_ *execution, args []validator.Felt) ([]validator.Felt, error) {
		signature := args[2:]
		switch {
		case len(signature) == 5 && signature[0] == feltOfUint(1) && signature[1] == feltOfUint(0):
			if signature[2] != publicKey {
				return felts(uint64(0)), nil
			}
			signature = signature[3:]
		case len(signature) >= minPasskeyFelts && signature[0] == feltOfUint(1) && signature[1] == feltOfUint(passkeySigner):
			if !slices.Equal(signature, passkeySignature(args[0], publicKey, signature[len(signature)-2], signature[len(signature)-1], len(signature))) {
				return felts(uint64(0)), nil
			}
			signature = signature[len(signature)-2:]
		case len(signature) != 2:
			return nil, panicked("Invalid signature length")
		}
		if !signedBy(publicKey, args[0], signature[0], signature[1]) {
			return felts(uint64(0)), nil
		}
		return felts(feltOfText(validSignature)), nil
	}
	key := view(func(*state, []validator.Felt) []validator.Felt { return felts(publicKey) })
	key.outputs = []string{"core::felt252"}
	return &contract{name: "Account", account: true, functions: map[string]function{
		"is_valid_signature": check,
		"isValidSignature":   check,
		"get_public_key":     key,
	}}
}

// passkeySigner is the kind of a passkey among an account's signers.
const passkeySigner = 4

// minPasskeyFelts are how many signers, the kind, the key, the length of the data, r and s.
const minPasskeyFelts = 6

// passkeySignature is a signature of so many felts in a passkey's form. Its data is the hash,
// felt by felt another way, so that none can be lost or changed.
func passkeySignature(hash, publicKey, r, s validator.Felt, length int) []validator.Felt {
	signature := felts(uint64(1), uint64(passkeySigner), publicKey, uint64(length-minPasskeyFelts))
	for i := range length - minPasskeyFelts {
		signature = append(signature, digest("passkey", string(hash), strconv.Itoa(i)))
	}
	return append(signature, r, s)
}

// signedBy verifies a STARK signature. A signature that no key can make is a wrong one.
func signedBy(publicKey, hash, r, s validator.Felt) bool {
	ok, err := curve.VerifyFelts(wireFelt(hash), wireFelt(r), wireFelt(s), wireFelt(publicKey))
	return err == nil && ok
}

func wireFelt(f validator.Felt) *felt.Felt { return utils.BigIntToFelt(f.Big()) }

// AccountAddress is where DeployAccount puts the account of a public key: what Starknet's
// rule for counterfactual addresses gives for this chain's class of accounts.
func AccountAddress(publicKey validator.Felt) validator.Address {
	key := wireFelt(publicKey)
	class := wireFelt(digest("class", "Account", "[]"))
	at := contracts.PrecomputeAddress(&felt.Zero, key, class, []*felt.Felt{key})
	return validator.Address(feltOf(utils.FeltToBigInt(at)))
}

// DeployAccount deploys the account of a public key (the x coordinate on the STARK curve)
// with the next block and returns its address.
func (c *Chain) DeployAccount(publicKey validator.Felt) validator.Address {
	at := AccountAddress(publicKey)
	c.DeployAccountAt(at, publicKey)
	return at
}

// DeployAccountAt is DeployAccount at an address of the caller's choice.
func (c *Chain) DeployAccountAt(at validator.Address, publicKey validator.Felt) {
	c.change(func(st *state) { st.deployed[at] = deployment{kind: account(publicKey)} })
}

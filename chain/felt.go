package chain

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/NethermindEth/juno/core/felt"
	"github.com/NethermindEth/starknet.go/rpc"
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// wireFelt is a felt as starknet.go sends it.
func wireFelt(f validator.Felt) *felt.Felt { return utils.BigIntToFelt(f.Big()) }

// Selector is starknet_keccak of a function's or event's name.
func Selector(name string) validator.Felt { return selector(name) }

// selector is starknet_keccak of a function's or event's name.
func selector(name string) validator.Felt {
	return validator.Felt(fmt.Sprintf("0x%064x", utils.GetSelectorFromName(name)))
}

// atBlock pins a read to a block by its hash.
func atBlock(hash validator.Felt) rpc.BlockID { return rpc.WithBlockHash(wireFelt(hash)) }

// parseFelts reads a JSON list of felts. Juno's own felt would take numbers above the
// prime and reduce them; a node that sends those is not to be believed.
func parseFelts(raw json.RawMessage) ([]validator.Felt, error) {
	var texts []string
	if err := json.Unmarshal(raw, &texts); err != nil || texts == nil {
		return nil, errors.New("answered something that is no list of felts")
	}
	out := make([]validator.Felt, len(texts))
	for i, s := range texts {
		f, err := validator.ParseFelt(s)
		if err != nil {
			return nil, fmt.Errorf("answered a value that is no felt at place %d", i+1)
		}
		out[i] = f
	}
	return out, nil
}

// parseFelt reads one felt in JSON.
func parseFelt(raw json.RawMessage) (validator.Felt, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", errors.New("answered something that is no felt")
	}
	f, err := validator.ParseFelt(s)
	if err != nil {
		return "", errors.New("answered something that is no felt")
	}
	return f, nil
}

// shortString reads a felt as the ASCII text that it packs, and says false if it packs
// anything else.
func shortString(f validator.Felt) (string, bool) {
	b := f.Big().Bytes()
	if len(b) == 0 || len(b) > 31 {
		return "", false
	}
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return "", false
		}
	}
	return string(b), true
}

// shortStringFelt packs ASCII text of at most 31 bytes.
func shortStringFelt(s string) validator.Felt {
	return validator.Felt(fmt.Sprintf("0x%064x", new(big.Int).SetBytes([]byte(s))))
}

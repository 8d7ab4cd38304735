package devchain

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/NethermindEth/starknet.go/typeddata"
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// MessageHash returns the SNIP-12 hash of typed data in JSON for the wallet's account.
func (w *Wallet) MessageHash(typedData []byte) (validator.Felt, error) {
	if err := checkTypes(typedData); err != nil {
		return "", fmt.Errorf("devchain: read the typed data: %w", err)
	}
	var td typeddata.TypedData
	if err := json.Unmarshal(typedData, &td); err != nil {
		return "", fmt.Errorf("devchain: read the typed data: %w", err)
	}
	hash, err := td.GetMessageHash(string(w.address))
	if err != nil {
		return "", fmt.Errorf("devchain: hash the typed data: %w", err)
	}
	return feltOf(utils.FeltToBigInt(hash)), nil
}

// typedTypes are the types of typed data: each a list of members.
type typedTypes map[string][]struct {
	Type     string `json:"type"`
	Contains string `json:"contains"`
}

// checkTypes refuses what starknet.go v0.17.1 never comes back from: a type that holds
// itself, and a Merkle tree, which may be empty. Both overflow the stack, which ends the
// process.
func checkTypes(typedData []byte) error {
	var td struct {
		Types typedTypes `json:"types"`
	}
	if err := json.Unmarshal(typedData, &td); err != nil {
		return err
	}
	done := make(map[string]bool)
	for name := range td.Types {
		if err := td.Types.walk(name, nil, done); err != nil {
			return err
		}
	}
	return nil
}

// walk follows a type's members; above are the types that lead to it.
func (t typedTypes) walk(name string, above map[string]bool, done map[string]bool) error {
	if above[name] {
		return fmt.Errorf("the type %q holds itself", name)
	}
	if done[name] {
		return nil
	}
	path := map[string]bool{name: true}
	for k := range above {
		path[k] = true
	}
	for _, m := range t[name] {
		if strings.HasPrefix(m.Type, "merkletree") {
			return errors.New("this wallet hashes no Merkle trees")
		}
		for _, inner := range append(strings.FieldsFunc(m.Type, isTypePunctuation), m.Contains) {
			if err := t.walk(inner, path, done); err != nil {
				return err
			}
		}
	}
	done[name] = true
	return nil
}

// isTypePunctuation says what stands between the names in a type: "Call*", "(felt,u128)".
func isTypePunctuation(r rune) bool { return strings.ContainsRune("*(), \t\n", r) }

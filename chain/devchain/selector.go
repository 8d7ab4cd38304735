package devchain

import (
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// selector is starknet_keccak of a function's or event's name.
func selector(name string) validator.Felt {
	return feltOf(utils.GetSelectorFromName(name))
}

// functionOf finds the function of a contract whose selector is given.
func functionOf(d deployment, sel validator.Felt) (string, bool) {
	for name := range d.kind.functions {
		if d.has(name) && selector(name) == sel {
			return name, true
		}
	}
	return "", false
}

package devchain

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// revertReason writes why a transaction failed in the manner of nodes: frames from the
// account inwards, and at the end the failure as hex with its text in brackets.
func (s *state) revertReason(account validator.Address, call Call, err error) string {
	return fmt.Sprintf("Transaction execution has failed:\n"+
		"0: Error in the called contract (contract address: %s, class hash: %s, selector: %s):\n"+
		"1: Error in the called contract (contract address: %s, class hash: %s, selector: %s):\n"+
		"Execution failed. Failure reason:\n"+
		"(%s, 0x454e545259504f494e545f4641494c4544 ('ENTRYPOINT_FAILED')).\n",
		account, classHash(s.deployed[account]), selector("__execute__"),
		call.To, classHash(s.deployed[call.To]), call.selector(), failure(err))
}

// failure writes a panic as nodes do: a short string's hex and text, or a longer text.
func failure(err error) string {
	var p panicked
	switch {
	case errors.Is(err, errNoContract):
		return "Requested contract address is not deployed."
	case errors.Is(err, errNoEntryPoint):
		return "0x454e545259504f494e545f4e4f545f464f554e44 ('ENTRYPOINT_NOT_FOUND')"
	case errors.As(err, &p) && len(p) <= 31:
		return fmt.Sprintf("0x%x ('%s')", new(big.Int).SetBytes([]byte(p)), string(p))
	}
	return fmt.Sprintf("%q", err.Error())
}

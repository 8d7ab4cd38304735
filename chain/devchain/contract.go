package devchain

import (
	"errors"
	"fmt"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// contract is the code of one of the network's contracts.
type contract struct {
	name      string
	functions map[string]function
}

// function is an entry point. A view's state may not be written.
type function struct {
	inputs []input
	view   bool
	run    func(x *execution, args []validator.Felt) ([]validator.Felt, error)
}

// input is a parameter: its name, its Cairo type and how many felts it takes.
type input struct {
	name, cairoType string
	felts           int
}

func addressInput(name string) input {
	return input{name, "core::starknet::contract_address::ContractAddress", 1}
}
func feltInput(name string) input { return input{name, "core::felt252", 1} }
func u256Input(name string) input { return input{name, "core::integer::u256", 2} }

// execution is one run of contract code: a call, or a transaction's calls.
type execution struct {
	state  *state
	now    int64 // the block's timestamp, in seconds
	caller validator.Address
	self   validator.Address
	events []event
}

// event is what a contract emitted.
type event struct {
	from       validator.Address
	keys, data []validator.Felt
}

// panicked is a Cairo panic with its message.
type panicked string

func (p panicked) Error() string { return string(p) }

// The ways in which a call fails before the contract's own code runs.
var (
	errNoContract   = errors.New("contract not found")
	errNoEntryPoint = errors.New("entry point not found")
)

// call runs a function of the contract at an address on behalf of x.caller.
func (x *execution) call(at validator.Address, name string, calldata []validator.Felt) ([]validator.Felt, error) {
	d, ok := x.state.deployed[at]
	if !ok {
		return nil, errNoContract
	}
	if !d.has(name) {
		return nil, errNoEntryPoint
	}
	f := d.kind.functions[name]
	taken := 0
	for i, in := range f.inputs {
		if taken += in.felts; taken > len(calldata) {
			return nil, panicked(fmt.Sprintf("Failed to deserialize param #%d", i+1))
		}
	}
	if taken < len(calldata) {
		return nil, panicked("Input too long for arguments")
	}
	x.self = at
	return f.run(x, calldata)
}

func (x *execution) emit(keys, data []validator.Felt) {
	x.events = append(x.events, event{x.self, keys, data})
}

// view makes a function that only reads.
func view(run func(*state, []validator.Felt) []validator.Felt, inputs ...input) function {
	return function{inputs: inputs, view: true, run: func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
		return run(x.state, args), nil
	}}
}

// write makes a function that changes the state.
func write(run func(*execution, []validator.Felt) ([]validator.Felt, error), inputs ...input) function {
	return function{inputs: inputs, run: run}
}

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
	abi       []byte // JSON, from the compiler; nil for a class whose ABI is written from its functions
	account   bool   // it can send transactions
}

// function is an entry point. A view's state may not be written.
type function struct {
	inputs  []input
	outputs []string // Cairo types; told by contracts without a compiler's ABI
	view    bool
	run     func(x *execution, args []validator.Felt) ([]validator.Felt, error)
}

// input is a parameter: its name, its Cairo type and how many felts it takes.
type input struct {
	name, cairoType string
	felts           int
	array           bool // it takes its length and that many times felts
	option          bool // it takes 0 and felts, or 1 alone
}

// taken returns how many of the felts the parameter takes, and false if they are too few.
func (in input) taken(from []validator.Felt) (int, bool) {
	n := in.felts
	if in.array || in.option {
		if len(from) == 0 {
			return 0, false
		}
		head := from[0].Big()
		switch {
		case in.array && head.IsInt64() && head.Int64() <= int64(len(from)):
			n = 1 + n*int(head.Int64())
		case in.option && head.Sign() == 0:
			n++
		case in.option && head.IsInt64() && head.Int64() == 1:
			n = 1
		default:
			return 0, false
		}
	}
	return n, n <= len(from)
}

func addressInput(name string) input {
	return input{name: name, cairoType: "core::starknet::contract_address::ContractAddress", felts: 1}
}
func feltInput(name string) input { return input{name: name, cairoType: "core::felt252", felts: 1} }
func u32Input(name string) input  { return input{name: name, cairoType: "core::integer::u32", felts: 1} }
func i32Input(name string) input  { return input{name: name, cairoType: "core::integer::i32", felts: 1} }
func u256Input(name string) input {
	return input{name: name, cairoType: "core::integer::u256", felts: 2}
}
func enumInput(name, cairoType string) input {
	return input{name: name, cairoType: cairoType, felts: 1}
}
func optionalU256Input(name string) input {
	return input{name: name, cairoType: "core::option::Option::<core::integer::u256>", felts: 2, option: true}
}
func feltsInput(name string) input {
	return input{name: name, cairoType: "core::array::Array::<core::felt252>", felts: 1, array: true}
}

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

// badParam is the panic of Cairo's Serde for the parameter at a place, from 1.
func badParam(place int) error {
	return panicked(fmt.Sprintf("Failed to deserialize param #%d", place))
}

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
	rest := calldata
	for i, in := range f.inputs {
		n, ok := in.taken(rest)
		if !ok {
			return nil, badParam(i + 1)
		}
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return nil, panicked("Input too long for arguments")
	}
	x.self = at
	return f.run(x, calldata)
}

// run runs a call of a transaction, by its function's name or selector.
func (x *execution) run(c Call) ([]validator.Felt, error) {
	d, ok := x.state.deployed[c.To]
	if !ok {
		return nil, errNoContract
	}
	name := c.Function
	if c.entryPoint != "" {
		if name, ok = functionOf(d, c.entryPoint); !ok {
			return nil, errNoEntryPoint
		}
	}
	return x.call(c.To, name, c.Calldata)
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

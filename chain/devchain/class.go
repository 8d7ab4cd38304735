package devchain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/bitsage-network/validator-dashboard/validator"
)

func (v chainView) deployment(p []json.RawMessage) (deployment, error) {
	b, _, err := v.at(p[0])
	if err != nil {
		return deployment{}, err
	}
	contracts := b.classes
	if contracts == nil {
		if b, _, err = v.stateAt(p[0]); err != nil {
			return deployment{}, err
		}
		contracts = b.state.deployed
	}
	at, err := feltParam(p[1])
	if err != nil {
		return deployment{}, err
	}
	for addr, d := range contracts {
		if addr.Felt() == at {
			return d, nil
		}
	}
	return deployment{}, &RPCError{Code: 20, Message: "Contract not found"}
}

// classHash is the hash of a contract's class. It depends on what the class is called and
// lacks, and is no hash of its code: nobody else has to agree with it.
func classHash(d deployment) validator.Felt {
	if d.kind == nil {
		return feltOfUint(0)
	}
	return digest("class", d.kind.name, fmt.Sprint(d.dropped))
}

func (v chainView) classHashAt(p []json.RawMessage) (any, error) {
	d, err := v.deployment(p)
	if err != nil {
		return nil, err
	}
	return classHash(d).Short(), nil
}

func (v chainView) classAt(p []json.RawMessage) (any, error) {
	d, err := v.deployment(p)
	if err != nil {
		return nil, err
	}
	return classJSON(d)
}

// class is starknet_getClass: of a class that a contract has.
func (v chainView) class(p []json.RawMessage) (any, error) {
	b, _, err := v.stateAt(p[0])
	if err != nil {
		return nil, err
	}
	hash, err := feltParam(p[1])
	if err != nil {
		return nil, err
	}
	for _, d := range b.state.deployed {
		if classHash(d) == hash {
			return classJSON(d)
		}
	}
	return nil, &RPCError{Code: 28, Message: "Class hash not found"}
}

// classJSON writes a class as nodes do: Sierra, its ABI a string of JSON with the functions
// inside an interface. The program in it is not the contract's.
func classJSON(d deployment) (any, error) {
	items, err := abiOf(d)
	if err != nil {
		return nil, err
	}
	abi, err := json.Marshal(items)
	if err != nil {
		return nil, fmt.Errorf("write the ABI of %s: %w", d.kind.name, err)
	}
	var external []entryPoint
	for name := range d.kind.functions {
		if d.has(name) {
			external = append(external, entryPoint{Selector: selector(name).Short()})
		}
	}
	slices.SortFunc(external, func(a, b entryPoint) int { return feltOrder(a.Selector, b.Selector) })
	for i := range external {
		external[i].Index = i
	}
	return map[string]any{
		"contract_class_version": "0.1.0",
		"sierra_program":         []string{"0x1", "0x7", "0x0"},
		"entry_points_by_type":   map[string]any{"CONSTRUCTOR": []any{}, "EXTERNAL": append([]entryPoint{}, external...), "L1_HANDLER": []any{}},
		"abi":                    string(abi),
	}, nil
}

// entryPoint is an entry point of a class.
type entryPoint struct {
	Selector string `json:"selector"`
	Index    int    `json:"function_idx"`
}

// feltOrder compares felts without leading zeros by their values.
func feltOrder(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

// abiItem is an item of an ABI: a function, an event, a type, or an interface with further
// items.
type abiItem map[string]any

// abiOf returns the ABI of a contract without the functions that its class lacks.
func abiOf(d deployment) ([]abiItem, error) {
	if d.kind.abi == nil {
		return plainABI(d), nil
	}
	var items []abiItem
	if err := json.Unmarshal(d.kind.abi, &items); err != nil {
		return nil, fmt.Errorf("read the ABI of %s: %w", d.kind.name, err)
	}
	for _, item := range items {
		functions, ok := item["items"].([]any)
		if !ok {
			continue
		}
		item["items"] = slices.DeleteFunc(functions, func(f any) bool {
			known, _ := f.(map[string]any)
			name, _ := known["name"].(string)
			return !d.has(name)
		})
	}
	return items, nil
}

// plainABI writes an ABI from a contract's functions; it tells nothing of what they answer.
func plainABI(d deployment) []abiItem {
	trait := "sage_contracts::I" + d.kind.name
	items := []abiItem{}
	for _, name := range slices.Sorted(maps.Keys(d.kind.functions)) {
		if !d.has(name) {
			continue
		}
		f := d.kind.functions[name]
		inputs := make([]any, len(f.inputs))
		for i, in := range f.inputs {
			inputs[i] = map[string]string{"name": in.name, "type": in.cairoType}
		}
		mutability := "external"
		if f.view {
			mutability = "view"
		}
		outputs := []any{}
		for _, t := range f.outputs {
			outputs = append(outputs, map[string]string{"type": t})
		}
		items = append(items, abiItem{
			"type": "function", "name": name, "inputs": inputs, "outputs": outputs, "state_mutability": mutability,
		})
	}
	return []abiItem{
		{"type": "impl", "name": d.kind.name + "Impl", "interface_name": trait},
		{"type": "interface", "name": trait, "items": items},
	}
}

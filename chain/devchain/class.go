package devchain

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

func (v chainView) deployment(p []json.RawMessage) (deployment, error) {
	b, _, err := v.stateAt(p[0])
	if err != nil {
		return deployment{}, err
	}
	at, err := feltParam(p[1])
	if err != nil {
		return deployment{}, err
	}
	for addr, d := range b.state.deployed {
		if addr.Felt() == at {
			return d, nil
		}
	}
	return deployment{}, &RPCError{Code: 20, Message: "Contract not found"}
}

func (v chainView) classHashAt(p []json.RawMessage) (any, error) {
	d, err := v.deployment(p)
	if err != nil {
		return nil, err
	}
	return digest("class", d.kind.name, fmt.Sprint(d.dropped)).Short(), nil
}

// classAt answers the class as a node does: Sierra, its ABI a string of JSON with the
// functions inside an interface.
func (v chainView) classAt(p []json.RawMessage) (any, error) {
	d, err := v.deployment(p)
	if err != nil {
		return nil, err
	}
	abi, err := json.Marshal(abiOf(d))
	if err != nil {
		return nil, fmt.Errorf("write the ABI of %s: %w", d.kind.name, err)
	}
	return map[string]any{
		"contract_class_version": "0.1.0",
		"sierra_program":         []string{"0x1", "0x7", "0x0"},
		"entry_points_by_type":   map[string]any{"CONSTRUCTOR": []any{}, "EXTERNAL": []any{}, "L1_HANDLER": []any{}},
		"abi":                    string(abi),
	}, nil
}

func abiOf(d deployment) []any {
	trait := "sage_contracts::I" + d.kind.name
	var items []any
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
		items = append(items, map[string]any{
			"type": "function", "name": name, "inputs": inputs, "outputs": []any{}, "state_mutability": mutability,
		})
	}
	return []any{
		map[string]any{"type": "impl", "name": d.kind.name + "Impl", "interface_name": trait},
		map[string]any{"type": "interface", "name": trait, "items": items},
	}
}

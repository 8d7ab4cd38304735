package chain

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// errNoABI says that a class tells neither its ABI nor its entry points.
var errNoABI = errors.New("the class tells neither an ABI nor entry points")

// classFunctions says what a class can be called with: functions by name from its ABI, and
// by selector from its entry points, since a node may leave the ABI out.
type classFunctions struct {
	names     map[string]bool
	selectors map[validator.Felt]bool
}

// has says whether the class has a function.
func (f classFunctions) has(name string) bool { return f.names[name] || f.selectors[selector(name)] }

// functionsOf reads the answer to starknet_getClassAt: a Sierra class, whose ABI is JSON
// inside a string, or a legacy class, whose ABI is a list.
func functionsOf(class json.RawMessage) (classFunctions, error) {
	f := classFunctions{names: make(map[string]bool), selectors: make(map[validator.Felt]bool)}
	var answer struct {
		ABI         json.RawMessage `json:"abi"`
		EntryPoints struct {
			External []struct {
				Selector string `json:"selector"`
			} `json:"EXTERNAL"`
		} `json:"entry_points_by_type"`
	}
	if err := json.Unmarshal(class, &answer); err != nil {
		return f, fmt.Errorf("read the class: %w", err)
	}
	for _, e := range answer.EntryPoints.External {
		if s, err := validator.ParseFelt(e.Selector); err == nil {
			f.selectors[s] = true
		}
	}
	abi := answer.ABI
	var inString string
	if json.Unmarshal(abi, &inString) == nil {
		abi = json.RawMessage(inString)
	}
	var items []abiItem
	if len(abi) > 0 {
		if err := json.Unmarshal(abi, &items); err != nil && len(f.selectors) == 0 {
			return f, fmt.Errorf("read the class's ABI: %w", err)
		}
	}
	collectFunctions(items, f.names)
	if len(f.names) == 0 && len(f.selectors) == 0 {
		return f, errNoABI
	}
	return f, nil
}

// abiItem is an item of an ABI; an interface holds further ones.
type abiItem struct {
	Type  string    `json:"type"`
	Name  string    `json:"name"`
	Items []abiItem `json:"items"`
}

func collectFunctions(items []abiItem, into map[string]bool) {
	for _, i := range items {
		switch i.Type {
		case "function":
			into[i.Name] = true
		case "interface":
			collectFunctions(i.Items, into)
		}
	}
}

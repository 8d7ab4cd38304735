package devchain

import (
	"compress/gzip"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"
)

func contractsWithABIs() []*contract {
	at := Contracts{}
	return []*contract{proverStaking(at, false), reputationManager(), sageToken(), jobManager()}
}

func TestABIsAreTheCompilers(t *testing.T) {
	for _, c := range contractsWithABIs() {
		f, err := os.Open("../testdata/cairo/classes/" + c.name + ".json.gz")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var class struct {
			Sierra struct {
				ABI any `json:"abi"`
			} `json:"sierra"`
		}
		if err := json.NewDecoder(z).Decode(&class); err != nil {
			t.Fatal(err)
		}
		var embedded any
		if err := json.Unmarshal(c.abi, &embedded); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(embedded, class.Sierra.ABI) {
			t.Errorf("%s: the ABI is another than that of the compiled class", c.name)
		}
	}
}

// abiFunction is a function as an ABI tells it.
type abiFunction struct {
	Name       string
	Mutability string `json:"state_mutability"`
	Inputs     []struct{ Name, Type string }
}

func TestContractsHaveTheFunctionsOfTheirABIs(t *testing.T) {
	at := Contracts{}
	for _, c := range append(contractsWithABIs(), proverStaking(at, true)) {
		var items []struct{ Items []abiFunction }
		if err := json.Unmarshal(c.abi, &items); err != nil {
			t.Fatal(err)
		}
		told := make(map[string]abiFunction)
		for _, item := range items {
			for _, f := range item.Items {
				told[f.Name] = f
			}
		}
		names := slices.Sorted(maps.Keys(c.functions))
		if got := slices.Sorted(maps.Keys(told)); !slices.Equal(got, names) {
			t.Errorf("%s: the ABI has %q, the contract %q", c.name, got, names)
		}
		for name, f := range c.functions {
			if view := told[name].Mutability == "view"; view != f.view {
				t.Errorf("%s.%s: a view by the ABI: %v, by the contract: %v", c.name, name, view, f.view)
			}
			var inputs []struct{ Name, Type string }
			for _, in := range f.inputs {
				inputs = append(inputs, struct{ Name, Type string }{in.name, in.cairoType})
			}
			if !slices.Equal(inputs, told[name].Inputs) {
				t.Errorf("%s.%s: the ABI takes %v, the contract %v", c.name, name, told[name].Inputs, inputs)
			}
		}
	}
}

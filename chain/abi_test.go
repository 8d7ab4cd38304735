package chain

import (
	"errors"
	"strconv"
	"testing"
)

const nestedABI = `[{"type":"impl","name":"I","interface_name":"a::I"},
 {"type":"interface","name":"a::I","items":[{"type":"function","name":"get_stake","inputs":[],"outputs":[],"state_mutability":"view"},
  {"type":"interface","name":"deep","items":[{"type":"function","name":"stake"}]}]},
 {"type":"function","name":"top_level"},{"type":"l1_handler","name":"handler"},{"type":"event","name":"Staked"},{"type":"constructor","name":"constructor"}]`

func TestFunctionsOfAClass(t *testing.T) {
	for _, c := range []struct{ name, class string }{
		{"Sierra, ABI in a string", `{"contract_class_version":"0.1.0","abi":` + strconv.Quote(nestedABI) + `}`},
		{"legacy, ABI a list", `{"program":"","abi":` + nestedABI + `}`},
	} {
		f, err := functionsOf([]byte(c.class))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for _, name := range []string{"get_stake", "stake", "top_level"} {
			if !f.has(name) {
				t.Errorf("%s: %s was not found", c.name, name)
			}
		}
		for _, name := range []string{"handler", "Staked", "constructor", "claim_rewards", "I"} {
			if f.has(name) {
				t.Errorf("%s: %s was found, which is no function", c.name, name)
			}
		}
	}
}

func TestEntryPointsStandInForAMissingABI(t *testing.T) {
	f, err := functionsOf([]byte(`{"contract_class_version":"0.1.0","entry_points_by_type":{"EXTERNAL":[{"selector":"` +
		selector("get_stake").Short() + `","function_idx":1}],"CONSTRUCTOR":[],"L1_HANDLER":[]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if !f.has("get_stake") || f.has("is_eligible") {
		t.Error("the entry points were not read")
	}
}

func TestAClassThatTellsNothing(t *testing.T) {
	if _, err := functionsOf([]byte(`{"contract_class_version":"0.1.0"}`)); !errors.Is(err, errNoABI) {
		t.Errorf("%v, want errNoABI", err)
	}
	for _, bad := range []string{`[]`, `"x"`, `{"abi":"{"}`, `{"abi":{"a":1}}`} {
		if _, err := functionsOf([]byte(bad)); err == nil {
			t.Errorf("%s was read as a class", bad)
		}
	}
}

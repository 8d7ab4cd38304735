package validator

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"
)

// goldenGPU is a sample as the database holds it, with every field known.
const goldenGPU = "testdata/gpu_sample.json"

// TestStoredSamplesOfGPUsAreAContract: what is stored today is read by every later version, so a
// field may be added and none renamed, dropped or given another form.
func TestStoredSamplesOfGPUsAreAContract(t *testing.T) {
	golden, err := os.ReadFile(goldenGPU)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(golden))
	d.DisallowUnknownFields()
	var g GPU
	if err := d.Decode(&g); err != nil {
		t.Fatalf("a field of the stored form is unknown now: %v", err)
	}
	var stored, written map[string]json.RawMessage
	again, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(golden, &stored); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &written); err != nil {
		t.Fatal(err)
	}
	for name, value := range stored {
		var want bytes.Buffer
		if err := json.Compact(&want, value); err != nil {
			t.Fatal(err)
		}
		if got := written[name]; want.String() != string(got) {
			t.Errorf("%s was stored as %s and is written as %s", name, &want, got)
		}
		if string(value) == "null" {
			t.Errorf("%s is missing in the golden sample", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(written)) {
		if _, has := stored[name]; !has {
			t.Errorf("%s is new: add it to %s, so that its form is kept", name, goldenGPU)
		}
	}
}

// TestEveryStoredFieldHasATag, so that renaming one in the code renames nothing that is stored.
func TestEveryStoredFieldHasATag(t *testing.T) {
	for _, stored := range []reflect.Type{reflect.TypeFor[GPU](), reflect.TypeFor[GPUProcess](), reflect.TypeFor[Slowdown]()} {
		for i := range stored.NumField() {
			if f := stored.Field(i); f.Tag.Get("json") == "" {
				t.Errorf("%s.%s has no json tag", stored, f.Name)
			}
		}
	}
}

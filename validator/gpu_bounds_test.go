package validator

import (
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"testing"
)

// The bounds hold what cards of all kinds answer, and what NVML writes for "no value" not.
func TestBoundsHoldRealCards(t *testing.T) {
	for _, c := range []struct {
		name  string
		bound Bound
		v     float64
		holds bool
	}{
		{"busy", BoundPercent, 100, true},
		{"seen on an H100", BoundPercent, 808_334_905, false},
		{"fan above its noise limit", BoundFanPercent, 131, true},
		{"GB300's power", BoundPower, 1_400_000, true},
		{"a rack-scale module's power", BoundPower, 3_600_000, true},
		{"no power", BoundPower, math.MaxUint32, false},
		{"Jetson's power", BoundPower, 900, true},
		{"no power limit", BoundPowerLimit, 0, false},
		{"GB300's memory", BoundMemoryTotal, 288e9, true},
		{"a card of 8 TiB", BoundMemoryTotal, 8 << 40, true},
		{"no memory of its own", BoundMemoryTotal, 0, false},
		{"an empty card", BoundMemory, 0, true},
		{"GDDR7's clock", BoundClock, 16_000, true},
		{"a card outdoors", BoundTemperature, -20, true},
		{"NVML_VALUE_NOT_AVAILABLE", BoundTemperature, -1, false},
		{"H100 memory's limit", BoundThreshold, 105, true},
		{"a bad card's corrected errors", BoundErrors, 1e12, true},
		{"NVML_VALUE_NOT_AVAILABLE of 32 bits", BoundErrors, math.MaxUint32, false},
		{"ten years at 1.4 kW", BoundEnergy, 1_400_000 * 10 * 365 * 86_400, true},
		{"PCIe 7", BoundPCIeGen, 7, true},
		{"a reason of a driver to come", BoundThrottle, 0x2000, true},
		{"no number", BoundPercent, math.NaN(), false},
	} {
		if got := c.bound.Holds(c.v); got != c.holds {
			t.Errorf("%s: %v is held %v", c.name, c.v, got)
		}
	}
}

func TestSaid(t *testing.T) {
	for want, got := range map[string]string{
		"the worker said 905 %":                      BoundPercent.Said(Worker, 905),
		"the driver said 4,294,967.295 W":            BoundPower.Said(Driver, math.MaxUint32),
		"the driver said 17,179,869,184 GiB":         BoundMemory.Said(Driver, math.MaxUint64),
		"the worker said -1 °C":                      BoundTemperature.Said(Worker, -1),
		"the worker said -1,234.5 MHz":               BoundClock.Said(Worker, -1234.5),
		"the worker said 1e+40 %":                    BoundPercent.Said(Worker, 1e40),
		"the worker said more than 1.8e+308 %":       BoundPercent.Said(Worker, math.Inf(1)),
		"the driver said 18,446,744,073,709,551,615": Within(Some[uint64](math.MaxUint64), BoundErrors, Driver).Reason(),
		"the driver said 33":                         Within(Some(33), BoundPState, Driver).Reason(),
		"not supported by this GPU":                  Within(None[int]("not supported by this GPU"), BoundPState, Driver).Reason(),
		"the driver said 81 GiB of 80 GiB":           GPU{MemoryTotalBytes: Some[uint64](80 << 30), MemoryUsedBytes: Some[uint64](81 << 30)}.Bounded(Driver).MemoryUsedBytes.Reason(),
		"the driver said 0 GiB in all":               GPU{MemoryTotalBytes: Some[uint64](0), MemoryUsedBytes: Some[uint64](0)}.Bounded(Driver).MemoryUsedBytes.Reason(),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if used := (GPU{MemoryUsedBytes: Some[uint64](5)}).Bounded(Worker).MemoryUsedBytes; used.Or(0) != 5 {
		t.Errorf("used without a total: %v", used)
	}
}

// Every field that holds a number has a bound: the largest and the smallest of its type are
// none of a card's.
func TestEveryNumberIsBounded(t *testing.T) {
	for _, extreme := range []func(reflect.Value) any{
		func(v reflect.Value) any {
			switch v.Interface().(type) {
			case Maybe[uint32]:
				return Some[uint32](math.MaxUint32)
			case Maybe[uint64]:
				return Some[uint64](math.MaxUint64)
			case Maybe[int]:
				return Some(math.MaxInt)
			case Maybe[ThrottleReasons]:
				return Some(ThrottleReasons(math.MaxUint64))
			case Maybe[[]GPUProcess]:
				return Some([]GPUProcess{{PID: 1, MemoryBytes: Some[uint64](math.MaxUint64)}})
			}
			return nil
		},
		func(v reflect.Value) any {
			if _, is := v.Interface().(Maybe[int]); is {
				return Some(math.MinInt)
			}
			return nil
		},
	} {
		var g GPU
		fields := reflect.ValueOf(&g).Elem()
		set := map[string]bool{}
		for i := range fields.NumField() {
			if v := extreme(fields.Field(i)); v != nil {
				fields.Field(i).Set(reflect.ValueOf(v))
				set[fields.Type().Field(i).Name] = true
			}
		}
		bounded := g.Bounded(Driver)
		for name := range set {
			if name == "Processes" {
				if m := bounded.Processes.Or(nil)[0].MemoryBytes; m.Known() {
					t.Errorf("a process has %v", m)
				}
				continue
			}
			if reflect.ValueOf(bounded).FieldByName(name).MethodByName("Known").Call(nil)[0].Bool() {
				t.Errorf("%s has no bound", name)
			}
		}
	}
}

// What is kept as JSON keeps its reasons.
func TestReasonsOutliveJSON(t *testing.T) {
	g := GPU{UUID: "GPU-a", TemperatureC: Some(50), FanPercent: None[uint32]("passively cooled"), UtilizationPercent: Some[uint32](905), Name: None[string]("not reported")}.Bounded(Worker)
	why := g.Reasons()
	if !maps.Equal(why, map[string]string{"FanPercent": "passively cooled", "UtilizationPercent": "the worker said 905 %"}) {
		t.Fatalf("reasons %v", why)
	}
	b, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	var again GPU
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	why["TemperatureC"], why["Gone"], why["UUID"] = "it has a value", "no such field", "it is no Maybe"
	again = again.WithReasons(why)
	if again.FanPercent.Reason() != "passively cooled" || again.UtilizationPercent.Reason() != "the worker said 905 %" || again.TemperatureC.Or(0) != 50 || again.UUID != "GPU-a" || again.Name.Reason() != "not reported" {
		t.Errorf("%+v", again)
	}
}

//go:build linux && cgo

package gpu

import (
	"reflect"
	"slices"
	"testing"

	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// fieldCase is a field of validator.GPU, the keys of the fake that it is read from (all
// must fail for it to be missing), a value for the first of them and what it must become.
type fieldCase struct {
	field string
	keys  []string
	value string
	want  any
}

var fieldCases = []fieldCase{
	{"Name", []string{"name"}, "NVIDIA A100-SXM4-80GB", "NVIDIA A100-SXM4-80GB"},
	{"PCIBusID", []string{"bus"}, "00000000:3B:00.0", "00000000:3B:00.0"},
	{"VBIOS", []string{"vbios"}, "92.00.36.00.10", "92.00.36.00.10"},
	{"MemoryTotalBytes", []string{"mem.total"}, "85899345920", uint64(85899345920)},
	{"MemoryUsedBytes", []string{"mem.used"}, "42949672960", uint64(42949672960)},
	{"MemoryReservedBytes", []string{"mem.reserved"}, "629145600", uint64(629145600)},
	{"UtilizationPercent", []string{"util"}, "73", uint32(73)},
	{"MemoryActivityPercent", []string{"util.mem"}, "41", uint32(41)},
	{"EncoderPercent", []string{"util.enc"}, "12", uint32(12)},
	{"DecoderPercent", []string{"util.dec"}, "13", uint32(13)},
	{"TemperatureC", []string{"temp"}, "61", 61},
	{"MemoryTemperatureC", []string{"temp.mem"}, "77", 77},
	{"ShutdownTemperatureC", []string{"temp.max.0"}, "92", 92},
	{"SlowdownTemperatureC", []string{"temp.max.1"}, "89", 89},
	{"MaxTemperatureC", []string{"temp.max.3"}, "85", 85},
	{"PowerMilliwatts", []string{"power"}, "412345", uint32(412345)},
	{"PowerLimitMilliwatts", []string{"power.enforced", "power.limit"}, "650000", uint32(650000)},
	{"PowerDefaultMilliwatts", []string{"power.default"}, "700000", uint32(700000)},
	{"EnergyMillijoules", []string{"energy"}, "123456789012", uint64(123456789012)},
	{"SMClockMHz", []string{"clock.1"}, "1755", uint32(1755)},
	{"SMClockMaxMHz", []string{"clock.max.1"}, "1980", uint32(1980)},
	{"MemoryClockMHz", []string{"clock.2"}, "2619", uint32(2619)},
	{"MemoryClockMaxMHz", []string{"clock.max.2"}, "2620", uint32(2620)},
	{"FanPercent", []string{"fan"}, "44", uint32(44)},
	{"PerformanceState", []string{"pstate"}, "2", 2},
	{"ThrottleReasons", []string{"throttle"}, "0x24", validator.ThrottlePowerCap | validator.ThrottleSWThermal},
	{"ECCEnabled", []string{"ecc"}, "1", true},
	{"ECCCorrectedVolatile", []string{"ecc.0.0"}, "7", uint64(7)},
	{"ECCUncorrectedVolatile", []string{"ecc.1.0"}, "2", uint64(2)},
	{"ECCUncorrectedAggregate", []string{"ecc.1.1"}, "9", uint64(9)},
	{"RetiredPages", []string{"remapped.0", "retired.0"}, "3", uint32(3)},
	{"PCIeGeneration", []string{"pcie.gen"}, "4", 4},
	{"PCIeGenerationMax", []string{"pcie.gen.max"}, "5", 5},
	{"PCIeWidth", []string{"pcie.width"}, "8", 8},
	{"PCIeWidthMax", []string{"pcie.width.max"}, "16", 16},
	{"Processes", []string{"procs"}, "4242:1073741824", []validator.GPUProcess{{
		PID: 4242, Name: validator.None[string]("it has ended, or runs in another container"), MemoryBytes: validator.Some[uint64](1 << 30), Compute: true,
	}}},
	{"ProcessCount", []string{"procs"}, "4242:1073741824", 1},
	{"XIDsWatchedSince", []string{"events.register"}, "0", nil}, // any time
	{"MIGEnabled", []string{"mig"}, "1", true},
	{"ConfidentialComputeActive", []string{"cc.protected"}, "1024", true},
}

// together are fields that one call of NVML reads: a failure takes all of them.
var together = [][]string{
	{"MemoryTotalBytes", "MemoryUsedBytes", "MemoryReservedBytes"},
	{"UtilizationPercent", "MemoryActivityPercent"},
	{"Processes", "ProcessCount"},
}

// setByOthers are fields of validator.GPU that no key of the fake stands for.
var setByOthers = []string{"Fault", "MissingSince", "SlowedSince", "HotSince", "SlowedLately", "Tier"}

// script returns the lines that give every field its value.
func script() []string {
	lines := []string{"cc=1", "cc.env=2", "remapped.1=0", "retired.1=0"}
	for _, c := range fieldCases {
		lines = append(lines, c.keys[0]+"="+c.value)
	}
	return lines
}

// get returns a field's value, whether it is known, and else why not.
func get(t *testing.T, g validator.GPU, field string) (value any, known bool, reason string) {
	t.Helper()
	f := reflect.ValueOf(g).FieldByName(field)
	if !f.IsValid() {
		t.Fatalf("validator.GPU has no field %s", field)
	}
	got := f.MethodByName("Get").Call(nil)
	return got[0].Interface(), got[1].Bool(), f.MethodByName("Reason").Call(nil)[0].String()
}

func TestEveryFieldHasACase(t *testing.T) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[validator.GPU]()) {
		if _, maybe := f.Type.MethodByName("Get"); !maybe || slices.Contains(setByOthers, f.Name) {
			continue
		}
		if !slices.ContainsFunc(fieldCases, func(c fieldCase) bool { return c.field == f.Name }) {
			t.Errorf("validator.GPU.%s has no case in this test", f.Name)
		}
	}
}

func TestFieldsRead(t *testing.T) {
	onFake(t, gputest.Current, script(), func(t *testing.T, f fake) {
		wantFields(t, f.readOnce(t).GPUs[0], nil)
	})
}

// wantFields checks every field: those of missing must have that reason.
func wantFields(t *testing.T, g validator.GPU, missing map[string]string) {
	t.Helper()
	for _, c := range fieldCases {
		value, known, reason := get(t, g, c.field)
		if want, gone := missing[c.field]; gone {
			if known || reason != want {
				t.Errorf("%s = %v, %v, %q; it should be missing because %q", c.field, value, known, reason, want)
			}
			continue
		}
		if !known || (c.want != nil && !reflect.DeepEqual(value, c.want)) {
			t.Errorf("%s = %v, %v, %q; want %v", c.field, value, known, reason, c.want)
		}
	}
}

func TestFieldsUnsupportedByGPU(t *testing.T) {
	onFake(t, gputest.Current, script(), func(t *testing.T, f fake) {
		missing := map[string]string{}
		for _, c := range fieldCases {
			for _, k := range c.keys {
				f.Fail(k, 3)
			}
			missing[c.field] = "not supported by this GPU"
		}
		g := f.readOnce(t).GPUs[0]
		wantFields(t, g, missing)
		if g.UUID == "" || g.Fault.Known() {
			t.Errorf("UUID %q, fault %v: a GPU without values is still a GPU", g.UUID, g.Fault)
		}
	})
}

// Each field can be missing by itself, for whatever reason, and takes no other with it.
func TestFieldsMissingOneByOne(t *testing.T) {
	onFake(t, gputest.Current, script(), func(t *testing.T, f fake) {
		for _, c := range fieldCases {
			for _, k := range c.keys {
				f.Fail(k, 4)
			}
			missing := map[string]string{c.field: "no permission"}
			for _, group := range together {
				if slices.Contains(group, c.field) {
					for _, field := range group {
						missing[field] = "no permission"
					}
				}
			}
			wantFields(t, f.readOnce(t).GPUs[0], missing)
			if t.Failed() {
				t.Fatalf("with %s missing", c.field)
			}
			f.Unset(c.keys...)
			f.Set(c.keys[0], c.value)
		}
	})
}

func TestFieldsUnsupportedByDriver(t *testing.T) {
	onFake(t, gputest.Bare, []string{"count=2"}, func(t *testing.T, f fake) {
		missing := map[string]string{}
		for _, c := range fieldCases {
			missing[c.field] = "not supported by this driver"
		}
		reading := f.readOnce(t)
		for _, g := range reading.GPUs {
			wantFields(t, g, missing)
		}
		if len(reading.GPUs) != 2 || reading.GPUs[1].UUID == "" {
			t.Errorf("GPUs %+v; want two with UUIDs", reading.GPUs)
		}
		h := reading.Host
		for _, reason := range []string{h.DriverVersion.Reason(), h.CUDAVersion.Reason(), h.ConfidentialCompute.Reason()} {
			if reason != "not supported by this driver" {
				t.Errorf("host %+v; want nothing known", h)
			}
		}
	})
}

func TestOldDriver(t *testing.T) {
	onFake(t, gputest.OldDriver, append(script(), "driver=470.256.02", "cuda=11040"), func(t *testing.T, f fake) {
		const none = "not supported by this driver"
		f.Set("mem.used", "42320527360") // memory v1 counts the reserve of 629145600 as used
		reading := f.readOnce(t)
		wantFields(t, reading.GPUs[0], map[string]string{
			"MemoryReservedBytes": none, "ConfidentialComputeActive": none,
		})
		if v := reading.Host.DriverVersion.Or(""); v != "470.256.02" {
			t.Errorf("driver %q", v)
		}
		if v := reading.Host.CUDAVersion.Or(""); v != "11.4" {
			t.Errorf("CUDA %q; want 11.4", v)
		}
	})
}

func TestAncientDriver(t *testing.T) {
	lines := append(script(), "bus=0000:3B:00.0", "power.limit=650000", "retired.0=3")
	onFake(t, gputest.Ancient, lines, func(t *testing.T, f fake) {
		const none = "not supported by this driver"
		f.Set("mem.used", "42320527360", "bus", "0000:3B:00.0")
		g := f.readOnce(t).GPUs[0]
		if id := g.PCIBusID.Or(""); id != "0000:3B:00.0" {
			t.Errorf("PCI bus id %q; want the short form of this driver", id)
		}
		g.PCIBusID = validator.Some("00000000:3B:00.0")
		wantFields(t, g, map[string]string{
			"MemoryReservedBytes": none, "MemoryTemperatureC": none, "EnergyMillijoules": none,
			"MIGEnabled": none, "ConfidentialComputeActive": none,
		})
	})
}

// Where a newer call exists and the GPU refuses it, the older one is asked.
func TestFallsBackWhenGPURefuses(t *testing.T) {
	onFake(t, gputest.Current, script(), func(t *testing.T, f fake) {
		f.Set("mem.v2", "!3", "mem.used", "42320527360", "temp.v", "!25", "throttle.event", "!13",
			"power.enforced", "!3", "power.limit", "650000", "remapped.0", "!3", "retired.0", "1", "retired.1", "2")
		wantFields(t, f.readOnce(t).GPUs[0], map[string]string{"MemoryReservedBytes": "not supported by this GPU"})
	})
}

func TestFalseZeros(t *testing.T) {
	onFake(t, gputest.Current, script(), func(t *testing.T, f fake) {
		f.Set("temp.mem", "0", "pstate", "32", "ecc", "0")
		g := f.readOnce(t).GPUs[0]
		for field, want := range map[string]string{
			"MemoryTemperatureC":      "not supported by this GPU",
			"PerformanceState":        "the driver has no data for it",
			"ECCCorrectedVolatile":    "ECC is off",
			"ECCUncorrectedVolatile":  "ECC is off",
			"ECCUncorrectedAggregate": "ECC is off",
		} {
			if v, known, reason := get(t, g, field); known || reason != want {
				t.Errorf("%s = %v, %v, %q; it should be missing because %q", field, v, known, reason, want)
			}
		}
		if v, known := g.ECCEnabled.Get(); !known || v {
			t.Errorf("ECCEnabled = %v, %v; want off", v, known)
		}
	})
}

// A value that failed in passing is asked for again, though it is one that lasts.
func TestLastingValuesAreRetried(t *testing.T) {
	onFake(t, gputest.Current, script(), func(t *testing.T, f fake) {
		f.Fail("temp.max.1", 10)
		r := f.open(t)
		defer func() { _ = r.Close() }()
		for _, want := range []string{"the driver did not answer in time", ""} {
			reading, err := r.Read()
			if err != nil {
				t.Fatal(err)
			}
			if got := reading.GPUs[0].SlowdownTemperatureC.Reason(); got != want {
				t.Errorf("reason %q; want %q", got, want)
			}
			f.Set("temp.max.1", "89")
		}
	})
}

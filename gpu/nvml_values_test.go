//go:build linux && cgo

package gpu

import (
	"math"
	"strings"
	"testing"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestProcesses(t *testing.T) {
	lines := []string{
		"procs=4243:18446744073709551615 4242:1073741824 4244:1 4245:2 4246:3 4247:18446744073709551615",
		"procs.graphics=77:4096 4242:1073741824 4247:5",
		"pid.4242=/usr/bin/python3 train.py",
		"pid.4243=!4",
		"pid.77=/usr/lib/xorg/Xorg\x1b[31m\xff",
	}
	for name, v := range map[string]gputest.Variant{"v3": gputest.Current, "v2": gputest.OldDriver, "v1": gputest.Ancient} {
		t.Run(name, func(t *testing.T) {
			onFake(t, v, lines, func(t *testing.T, f fake) {
				g := f.readOnce(t).GPUs[0]
				procs, known := g.Processes.Get()
				if !known || len(procs) != 7 || g.ProcessCount.Or(0) != 7 {
					t.Fatalf("processes %+v; want seven", procs)
				}
				if p := procs[0]; p.PID != 4242 || p.Name.Or("") != "/usr/bin/python3 train.py" || p.MemoryBytes.Or(0) != 1<<30 || !p.Graphics || !p.Compute {
					t.Errorf("the largest process, which has contexts of both kinds: %+v", p)
				}
				if p := procs[1]; p.PID != 77 || !p.Graphics || p.Compute || p.Name.Or("") != "/usr/lib/xorg/Xorg[31m\uFFFD" {
					t.Errorf("graphics process %+v", p)
				}
				if p := procs[2]; p.PID != 4247 || p.MemoryBytes.Or(0) != 5 {
					t.Errorf("a process of which one kind tells no memory: %+v", p)
				}
				if p := procs[6]; p.PID != 4243 || p.Name.Reason() != "no permission" || p.MemoryBytes.Reason() != "the driver does not tell" {
					t.Errorf("a process that may not be seen: %+v", p)
				}
			})
		})
	}
}

// Of hundreds of programs the largest are kept, and the others counted.
func TestHundredsOfProcesses(t *testing.T) {
	onFake(t, gputest.Current, []string{"procs=1000+600:104857600 1000:104857600 5:1 99999:209715200", "procs.graphics=1000:104857600"}, func(t *testing.T, f fake) {
		g := f.readOnce(t).GPUs[0]
		procs := g.Processes.Or(nil)
		if len(procs) != validator.ProcessesKept || g.ProcessCount.Or(0) != 602 || procs[0].PID != 99999 || procs[1].PID != 1000 || procs[1].MemoryBytes.Or(0) != 100<<20 || procs[7].PID != 1006 {
			t.Errorf("%d programs, of which %+v", g.ProcessCount.Or(0), procs)
		}
	})
}

// A program on two parts of a GPU that is split has memory on both.
func TestProcessesOfASplitGPU(t *testing.T) {
	on := func(pid, part uint32, bytes uint64) nvml.ProcessInfo {
		return nvml.ProcessInfo{Pid: pid, UsedGpuMemory: bytes, GpuInstanceId: part}
	}
	all := onePerProgram([]nvml.ProcessInfo{on(7, 1, 100), on(7, 2, 50), on(7, 1, 100), on(8, 1, math.MaxUint64-1), on(8, 2, 5)}, []nvml.ProcessInfo{on(7, 2, 60)})
	if len(all) != 2 || all[0].MemoryBytes.Or(0) != 160 || all[1].MemoryBytes.Or(0) != math.MaxUint64 {
		t.Errorf("%+v", all)
	}
}

func TestProcessesWithoutGraphics(t *testing.T) {
	onFake(t, gputest.Current, []string{"procs=1:2"}, func(t *testing.T, f fake) {
		f.Fail("procs.graphics", 3) // a card that has no graphics
		if procs, known := f.readOnce(t).GPUs[0].Processes.Get(); !known || len(procs) != 1 {
			t.Errorf("processes %v, %v; want the one that computes", procs, known)
		}
		f.Fail("procs.graphics", 4)
		if p := f.readOnce(t).GPUs[0].Processes; p.Known() || p.Reason() != "no permission" {
			t.Errorf("processes %v; half a list is none", p)
		}
	})
}

func TestConfidentialComputing(t *testing.T) {
	onFake(t, gputest.Current, []string{"name=NVIDIA H100 80GB HBM3"}, func(t *testing.T, f fake) {
		read := func() (validator.Maybe[validator.ConfidentialCompute], validator.Maybe[bool]) {
			r := f.readOnce(t)
			return r.Host.ConfidentialCompute, r.GPUs[0].ConfidentialComputeActive
		}
		if host, gpu := read(); host.Known() || gpu.Known() {
			t.Errorf("host %v, GPU %v: a model's name alone says nothing", host, gpu)
		}
		f.Set("cc", "0", "cc.ready", "0")
		host, active := read()
		if cc, known := host.Get(); !known || cc.Enabled || cc.Environment != "unavailable" {
			t.Errorf("off: host %+v", host)
		}
		if on, known := active.Get(); !known || on {
			t.Errorf("off: GPU %v, %v", on, known)
		}
		f.Set("cc", "1", "cc.env", "2", "cc.devtools", "1", "cc.ready", "1", "cc.protected", "0")
		host, active = read()
		cc, _ := host.Get()
		if ready, known := cc.GPUsReady.Get(); !cc.Enabled || !cc.DevTools || cc.Environment != "production" || !known || !ready {
			t.Errorf("on: host %+v", cc)
		}
		if on, known := active.Get(); !known || on {
			t.Errorf("on, but this GPU has no protected memory: %v, %v", on, known)
		}
		f.Set("cc.protected", "83886080", "cc.env", "1")
		host, active = read()
		if cc, _ := host.Get(); cc.Environment != "simulation" {
			t.Errorf("environment %q; want simulation", cc.Environment)
		}
		if on, known := active.Get(); !known || !on {
			t.Errorf("on with protected memory: %v, %v", on, known)
		}
	})
}

// Our bits are those of nvml.h, and there is none there that we do not know.
func TestThrottleBitsAreNVMLs(t *testing.T) {
	for ours, theirs := range map[validator.ThrottleReasons]uint64{
		validator.ThrottleGPUIdle:       nvml.ClocksEventReasonGpuIdle,
		validator.ThrottleAppClocks:     nvml.ClocksEventReasonApplicationsClocksSetting,
		validator.ThrottlePowerCap:      nvml.ClocksEventReasonSwPowerCap,
		validator.ThrottleHWSlowdown:    nvml.ClocksThrottleReasonHwSlowdown,
		validator.ThrottleSyncBoost:     nvml.ClocksEventReasonSyncBoost,
		validator.ThrottleSWThermal:     nvml.ClocksEventReasonSwThermalSlowdown,
		validator.ThrottleHWThermal:     nvml.ClocksThrottleReasonHwThermalSlowdown,
		validator.ThrottleHWPowerBrake:  nvml.ClocksThrottleReasonHwPowerBrakeSlowdown,
		validator.ThrottleDisplayClocks: nvml.ClocksEventReasonDisplayClockSetting,
		validator.ThrottleBoardLimit:    nvml.ClocksEventReasonBoardLimit,
		validator.ThrottleReliability:   nvml.ClocksEventReasonReliability,
	} {
		if uint64(ours) != theirs {
			t.Errorf("%#x is %#x in nvml.h", ours, theirs)
		}
	}
	for _, r := range validator.ThrottleReasons(nvml.ClocksEventReasonAll).List() {
		if strings.Contains(r.Words, "does not know") {
			t.Errorf("nvml.h knows the reasons %#x, validator does not", r.Bit)
		}
	}
}

// Every code of nvml.h has words of its own, and none shows a bare number.
func TestReturnCodesHaveWords(t *testing.T) {
	unknown := explain(12345)
	codes := []nvml.Return{nvml.ERROR_UNKNOWN}
	for c := nvml.ERROR_UNINITIALIZED; c <= nvml.ERROR_RESET_TYPE_NOT_SUPPORTED; c++ {
		codes = append(codes, c)
	}
	for _, c := range codes {
		a := explain(c)
		if a.phrase == unknown.phrase || a.reason == unknown.reason || !strings.HasPrefix(a.name, "NVML_ERROR_") {
			t.Errorf("code %d has no words: %+v", int32(c), a)
		}
	}
	for _, c := range append(codes, 12345) {
		a := explain(c)
		if strings.Contains(a.phrase+a.reason+a.remedy, "ERROR_") || strings.ContainsAny(a.phrase+a.reason, "0123456789") {
			t.Errorf("code %d speaks in codes: %+v", int32(c), a)
		}
		if a.phrase == "" || !strings.HasSuffix(a.reason, ".") || !strings.HasSuffix(a.remedy, ".") || strings.HasSuffix(a.phrase, ".") {
			t.Errorf("code %d: the phrase is no sentence, the others are: %+v", int32(c), a)
		}
	}
	if unknown.name != "nvmlReturn_t 12345" {
		t.Errorf("the log must have the code: %q", unknown.name)
	}
}

func BenchmarkRead8GPUs(b *testing.B) {
	script := gputest.NewScript(b, append(script(), "count=8", "procs=1:2 3:4")...)
	b.Setenv(gputest.Env, script.Path())
	r, err := OpenNVML(gputest.BuildFake(b, gputest.Current))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	b.ReportAllocs()
	for b.Loop() {
		if reading, err := r.Read(); err != nil || len(reading.GPUs) != 8 {
			b.Fatal(len(reading.GPUs), err)
		}
	}
}

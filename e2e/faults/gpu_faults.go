//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
)

const gpusPath = "/api/validator/gpus"

// firstCard is the page of the GPU with index 0.
const firstCard = "/gpus/GPU-00000000-0000-0000-0000-000000000000"

// values changes what the driver says.
func values(pairs ...string) func(context.Context, *stage) error {
	return func(_ context.Context, s *stage) error { return s.values.Set(pairs...) }
}

// goodCards makes the driver say again what it said before.
func goodCards(_ context.Context, s *stage) error { return s.values.Reset(s.healthyGPUs()...) }

// driver is a fault of the driver as a whole.
func driver(name, says string, pairs ...string) fault {
	return fault{name: name, source: sourceGPU, inject: values(pairs...), heal: goodCards, noticed: sourceSays(sourceGPU, says)}
}

// garbage is a fault in which the first card says something of one field that cannot be.
// The second card's reading must stay.
func garbage(name, member, why string, pairs ...string) fault {
	return fault{
		name: name, source: sourceGPU, inject: values(pairs...), heal: goodCards, looks: []string{gpusPath, "/gpus"},
		noticed: all(gpuUnknown(0, member, why), gpuRead(1), pageSays("/gpus", why)),
		after:   gpuIs("tells "+member+" again", 0, func(g map[string]any) bool { return g[member] != nil }),
	}
}

// ofAPI leaves out of a fault of one field that the page must name it: not every field has a
// place there.
func ofAPI(f fault, member, why string) fault {
	f.noticed = all(gpuUnknown(0, member, why), gpuRead(1))
	return f
}

// cardIs holds when a card's status is one of some, and the page says so.
func cardIs(index int, page string, statuses ...string) condition {
	return all(gpuIs("is "+strings.Join(statuses, " or "), index, func(g map[string]any) bool {
		for _, st := range statuses {
			if g["status"] == st {
				return true
			}
		}
		return false
	}), pageSays("/gpus", page))
}

// lostCard is what the page says of a card that does not answer.
const lostCard = `(Missing It no longer answers|Fault [^.]{0,80}|Load unknown)`

// readable holds when both cards are read.
func readable() condition {
	good := func(g map[string]any) bool { return g["temperature_celsius"] == 61.0 && g["status"] == "active" }
	return all(gpuIs("is read", 0, good), gpuIs("is read", 1, good), sourceIs(sourceGPU, "ok"))
}

// card is a fault of single cards.
func card(name string, noticed condition, pairs ...string) fault {
	return fault{
		name: name, source: sourceGPU, inject: values(pairs...), heal: goodCards, looks: []string{gpusPath, "/gpus", firstCard}, noticed: noticed,
		after: readable(), recover: 60 * time.Second,
	}
}

// traceless is something odd of the driver that changes nothing of what is shown.
func traceless(name string, pairs ...string) fault {
	return fault{
		name: name, source: sourceGPU, inject: values(pairs...), heal: goodCards, looks: []string{gpusPath, "/gpus", firstCard}, after: readable(), hold: 5 * time.Second,
	}
}

// relink puts another library in the place of the driver's, or none for "".
func (s *stage) relink(ctx context.Context, v gputest.Variant) error {
	if err := os.Remove(s.library); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("take the NVML library away: %w", err)
	}
	if v == "" {
		return nil
	}
	built, err := gputest.Build(ctx, v)
	if err != nil {
		return err
	}
	if err := os.Symlink(built, s.library); err != nil {
		return fmt.Errorf("place the NVML library: %w", err)
	}
	return nil
}

// restart ends the program, changes something and starts it.
func (s *stage) restart(ctx context.Context, change func() error) error {
	if err := s.program().end(); err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	return s.program().start(ctx)
}

// restartOn starts the program anew on another library.
func restartOn(v gputest.Variant) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		return s.restart(ctx, func() error { return s.relink(ctx, v) })
	}
}

func gpuLanes() []lane {
	return []lane{
		{name: "gpu", faults: append(driverFaults(), cardFaults()...)},
		{name: "values", faults: valueFaults()},
		{name: "library", faults: libraryFaults()},
	}
}

func driverFaults() []fault {
	return []fault{
		driver("every call fails with an unknown error", "", "count", "!999"),
		driver("the driver is unloaded", "driver", "count", "!1", "init", "!9"),
		driver("driver and library are of different versions", "version|match", "count", "!1", "init", "!18"),
		driver("the program may not open the driver", "may not", "count", "!1", "init", "!4"),
		driver("a call of the driver hangs", "answer|hang|read", "sleep", "60000"),
		traceless("the driver was restarted: handles are void", "session", "2"),
		traceless("every pass takes 1.5 s", "sleep", "1500"),
		traceless("the driver tells no events", "events", "!3", "events.wait", "!3"),
		traceless("the driver has no process list", "procs", "!3", "procs.graphics", "!3"),
	}
}

func cardFaults() []fault {
	return []fault{
		card("one card falls off the bus", cardIs(1, lostCard, "missing", "fault"), "1.lost", "!15"),
		card("all cards fall off the bus", all(cardIs(0, lostCard, "missing", "fault"), cardIs(1, lostCard, "missing", "fault")), "lost", "!15"),
		card("one card needs a reset", cardIs(1, `((?i)[^.]{0,60}reset[^.]{0,60})`, "missing", "fault"), "1.lost", "!16"),
		card("one card's handle is refused", cardIs(1, lostCard, "missing", "fault", "unknown"), "1.handle", "!999"),
		card("the driver lists one card less", cardIs(1, lostCard, "missing"), "count", "1"),
		card("the driver lists no card", all(cardIs(0, "", "missing"), cardIs(1, lostCard, "missing")), "count", "0"),
		{
			name: "a card is slowed by its heat", source: sourceGPU, inject: values("0.temp", "93", "0.throttle", "0x40"), heal: goodCards, looks: []string{gpusPath, "/gpus", firstCard},
			noticed: cardIs(0, `(hardware thermal slowdown)`, "throttled"), after: readable(),
		},
		{
			name: "XID 79 of a card", source: sourceGPU, inject: func(_ context.Context, s *stage) error { return s.values.XID(0, 79) }, looks: []string{firstCard},
			noticed: pageSays(firstCard, "(XID 79[^0-9]*)"),
		},
		{
			name: "a card is replaced: another UUID at its index", source: sourceGPU, inject: values("1.uuid", "GPU-11111111-0000-0000-0000-000000000001"), heal: goodCards,
			looks:   []string{gpusPath, "/gpus"},
			noticed: gpuIs("has another UUID", 1, func(g map[string]any) bool { return g["uuid"] == "GPU-11111111-0000-0000-0000-000000000001" }), rebuild: true,
		},
		{
			name: "a card is added", source: sourceGPU, inject: values("count", "3"), heal: goodCards, looks: []string{gpusPath},
			noticed: gpuIs("is there", 2, func(g map[string]any) bool { return g["status"] == "active" }), rebuild: true,
		},
	}
}

func valueFaults() []fault {
	const said = "(driver said .{1,40})"
	return []fault{
		garbage("use of 905 %", "compute_utilization", said, "0.util", "905"),
		ofAPI(garbage("memory activity of 300 %", "memory_activity_percent", said, "0.util.mem", "300"), "memory_activity_percent", said),
		garbage("temperature of -1 °C", "temperature_celsius", said, "0.temp", "4294967295"),
		garbage("power of 4,294,967,295 mW", "power_watts", said, "0.power", "4294967295"),
		garbage("fan at 4,294,967,295 %", "fan_percent", said, "0.fan", "4294967295"),
		garbage("17 billion GiB used of 80", "vram_used_bytes", said, "0.mem.used", "18446744073709551615", "0.mem.reserved", "0"),
		garbage("memory of 0 bytes in all", "vram_total_bytes", said, "0.mem.total", "0", "0.mem.used", "0", "0.mem.reserved", "0"),
		garbage("a clock of 4,294,967,295 MHz", "sm_clock_mhz", said, "0.clock.1", "4294967295"),
		ofAPI(garbage("a limit of temperature of 0 °C", "temperature_slowdown_celsius", said, "0.temp.max.1", "0", "session", "2"), "temperature_slowdown_celsius", said),
		garbage("2^64-1 ECC errors", "ecc_uncorrected_errors", said, "0.ecc.1.0", "18446744073709551615"),
		garbage("temperature is not supported", "temperature_celsius", "((?i)not support[^.]{0,40})", "0.temp", "!3"),
		garbage("use cannot be read (NVML 999)", "compute_utilization", "((?i)(unknown|internal|fail)[^.]{0,40})", "0.util", "!999"),
		traceless("a counter of energy that runs backwards", "0.energy", "5"),
		traceless("all bits of the throttle mask that nobody defined", "0.throttle", "0xffff000000000000"),
		{
			name: "a card's name holds markup and controls", source: sourceGPU, inject: values("0.name", "NVIDIA <script>x</script>\x01\x1b[31m H100"), heal: goodCards,
			looks: []string{gpusPath, "/gpus", firstCard}, after: readable(), hold: 4 * time.Second,
		},
		{
			name: "hundreds of processes on a card", source: sourceGPU, inject: values("0.procs", manyProcesses()), heal: goodCards, looks: []string{gpusPath, "/gpus"},
			noticed: pageSays("/gpus", `(and [0-9]+ more)`), after: readable(),
		},
		traceless("MIG is on", "0.mig", "1"),
	}
}

// manyProcesses lists as many processes as a line of the stand-in's values holds.
func manyProcesses() string {
	var b strings.Builder
	for pid := 1; b.Len() < 480; pid++ {
		fmt.Fprintf(&b, "%d:9 ", pid)
	}
	return strings.TrimSpace(b.String())
}

func libraryFaults() []fault {
	back := restartOn(gputest.Current)
	return []fault{
		{
			name: "no NVML library at the start, and one later", source: sourceGPU, inject: restartOn(""), noticed: sourceIs(sourceGPU, "unavailable"),
			heal: func(ctx context.Context, s *stage) error { return s.relink(ctx, gputest.Current) }, recover: 60 * time.Second, may: allowance{silence: true},
		},
		{
			name: "another library under NVML's name", source: sourceGPU, inject: restartOn(gputest.NotNVML), heal: back,
			noticed: sourceIs(sourceGPU, "unavailable"), may: allowance{silence: true},
		},
		{
			name: "driver 470: fields that it lacks", source: sourceGPU, inject: restartOn(gputest.OldDriver), heal: back, looks: []string{gpusPath, "/gpus", firstCard},
			noticed: all(gpuRead(0), gpuIs("does not know confidential computing", 0, func(g map[string]any) bool { return g["has_tee"] == nil })),
			may:     allowance{silence: true},
		},
		{
			name: "driver 304: hardly a call has its name of today", source: sourceGPU, inject: restartOn(gputest.Ancient), heal: back, looks: []string{gpusPath, "/gpus", firstCard},
			noticed: gpuRead(0), may: allowance{silence: true},
		},
		{
			name: "a driver that can only list cards", source: sourceGPU, inject: restartOn(gputest.Bare), heal: back, looks: []string{gpusPath, "/gpus", firstCard},
			noticed: gpuIs("has no temperature", 0, func(g map[string]any) bool { return g["uuid"] != nil && g["temperature_celsius"] == nil }), may: allowance{silence: true},
		},
	}
}

//go:build linux && cgo

package gpu

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// childEnv names the one test that a child process runs.
const childEnv = "GPU_TEST_IN_CHILD"

// fake is a fake library with the script that drives it.
type fake struct {
	*gputest.Script

	lib string
}

// onFake runs body in a process of its own, since a process keeps the first NVML that it
// loads, and since a mistake with symbols ends the process. The values of lines hold from
// the start.
func onFake(t *testing.T, v gputest.Variant, lines []string, body func(*testing.T, fake)) {
	t.Helper()
	if os.Getenv(childEnv) != t.Name() {
		t.Parallel()
		runChild(t)
		return
	}
	f := fake{Script: gputest.NewScript(t, lines...), lib: gputest.BuildFake(t, v)}
	t.Setenv(gputest.Env, f.Path())
	body(t, f)
}

// runChild runs this very test in another process and fails if it fails or never ran.
func runChild(t *testing.T) {
	t.Helper()
	parts := strings.Split(t.Name(), "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	cmd := exec.Command(os.Args[0], "-test.run="+strings.Join(parts, "/"), "-test.v", "-test.count=1", "-test.timeout=2m")
	cmd.Env = append(os.Environ(), childEnv+"="+t.Name(), "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("the process of this test: %v\n%s", err, out)
	}
}

// open opens the fake through the real way.
func (f fake) open(t *testing.T) Reader {
	t.Helper()
	r, err := OpenNVML(f.lib)
	if err != nil {
		t.Fatalf("OpenNVML: %v", err)
	}
	return r
}

// readOnce opens the fake, makes one pass and closes it.
func (f fake) readOnce(t *testing.T) Reading {
	t.Helper()
	r := f.open(t)
	reading, err := r.Read()
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	return reading
}

// fast makes a Sampler quick enough for a test, and slow to call a reading stale, so
// that a busy machine does not.
func (f fake) fast() Config {
	return Config{
		LibraryPath: f.lib,
		Interval:    20 * time.Millisecond,
		StaleAfter:  2 * time.Second,
		RetryMin:    20 * time.Millisecond,
		RetryMax:    50 * time.Millisecond,
		RescanMin:   100 * time.Millisecond,
		RescanMax:   200 * time.Millisecond,
		Log:         slog.New(slog.DiscardHandler),
	}
}

// run starts a Sampler that ends with the test.
func run(t *testing.T, cfg Config) *Sampler {
	t.Helper()
	s, err := NewSampler(cfg)
	if err != nil {
		t.Fatalf("NewSampler: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s
}

// until waits for a snapshot that is as wanted, and returns it.
func until(t *testing.T, s *Sampler, what string, ok func(validator.GPUSnapshot) bool) validator.GPUSnapshot {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		snap := s.Snapshot()
		if ok(snap) {
			return snap
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s; the snapshot is %s", what, summary(snap))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// summary is what a failed test needs to see of a snapshot.
func summary(s validator.GPUSnapshot) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %q", s.State.Health, s.State.Reason)
	for _, g := range s.GPUs {
		fmt.Fprintf(&out, "\n%d %s %q: fault %q, missing since %v, sampled at %v, %v °C, events %v",
			g.Index, g.UUID, g.Name.Or(g.Name.Reason()), g.Fault.Or("none"), g.MissingSince.Or(time.Time{}), g.SampledAt, g.TemperatureC.Or(0), g.Events)
	}
	return out.String()
}

func healthy(n int) func(validator.GPUSnapshot) bool {
	return func(s validator.GPUSnapshot) bool {
		if s.State.Health != validator.HealthOK || len(s.GPUs) != n {
			return false
		}
		for _, g := range s.GPUs {
			if g.Fault.Known() {
				return false
			}
		}
		return true
	}
}

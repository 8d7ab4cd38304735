//go:build linux && cgo

package gpu

import (
	"slices"
	"testing"

	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
)

// A call of a function that the driver lacks ends the process. So each function is left
// out once, and all that is read must still be read without it, or be missing.
func TestEachFunctionMissing(t *testing.T) {
	needed := []string{"nvmlInit_v2", "nvmlShutdown", "nvmlDeviceGetCount_v2", "nvmlDeviceGetHandleByIndex_v2"}
	functions := gputest.Functions()
	if len(functions) < 50 {
		t.Fatalf("only %d functions found: %v", len(functions), functions)
	}
	for _, function := range functions {
		t.Run(function, func(t *testing.T) {
			onFake(t, gputest.Without(function), append(script(), "procs.graphics=7:1"), func(t *testing.T, f fake) {
				r, err := OpenNVML(f.lib)
				if slices.Contains(needed, function) {
					wantError(t, err)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					reading, err := r.Read()
					if err != nil || len(reading.GPUs) != 1 || reading.GPUs[0].Fault.Known() {
						t.Errorf("%+v, %v; want one GPU", reading, err)
					}
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

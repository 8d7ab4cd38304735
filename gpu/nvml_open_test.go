//go:build linux && cgo

package gpu

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// wantError checks that err is an *Error that says each of the words and what to do.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v; want an *Error", err)
	}
	for _, w := range words {
		if !strings.Contains(e.Reason, w) {
			t.Errorf("reason %q does not say %q", e.Reason, w)
		}
	}
	if e.Remedy == "" || e.Err == nil {
		t.Errorf("%+v has no remedy or no cause", e)
	}
	if strings.Contains(e.Reason, "NVML_ERROR") || !strings.HasSuffix(e.Reason, ".") {
		t.Errorf("reason %q is no sentence for people", e.Reason)
	}
}

func TestNoLibrary(t *testing.T) {
	_, err := openFirst("libnvidia-ml-that-is-not-there.so.1", "/nowhere/libnvidia-ml.so.1")
	wantError(t, err, "no NVIDIA driver", "libnvidia-ml.so.1")
	var e *Error
	if errors.As(err, &e); e.Remedy != "Install NVIDIA's driver, or set NVML_LIBRARY to its libnvidia-ml.so.1." {
		t.Errorf("remedy %q", e.Remedy)
	}
}

func TestLibraryPathThatIsNone(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	_, err := OpenNVML(gone)
	wantError(t, err, "NVML_LIBRARY", gone, "no such file")

	text := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	if err := os.WriteFile(text, []byte("not an ELF file"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = OpenNVML(text)
	wantError(t, err, text, "cannot be loaded")

	_, err = openFirst("libnvidia-ml-that-is-not-there.so.1", text)
	wantError(t, err, text, "cannot be loaded")

	_, err = OpenNVML(t.TempDir())
	wantError(t, err, "cannot be loaded")
}

func TestLibraryThatIsNotNVML(t *testing.T) {
	onFake(t, gputest.NotNVML, nil, func(t *testing.T, f fake) {
		_, err := OpenNVML(f.lib)
		wantError(t, err, f.lib, "is not NVIDIA's management library")
	})
}

func TestInitFails(t *testing.T) {
	for name, c := range map[string]struct {
		code  string
		words []string
	}{
		"driver not loaded": {"!9", []string{"driver is not loaded"}},
		"version mismatch":  {"!18", []string{"different versions"}},
		"no permission":     {"!4", []string{"This user may not"}},
		"no device":         {"!28", []string{"finds no GPU"}},
		"internal error":    {"!999", []string{"internal error"}},
		"a code of later":   {"!4711", []string{"does not know"}},
	} {
		t.Run(name, func(t *testing.T) {
			onFake(t, gputest.Current, []string{"init=" + c.code, "count=1"}, func(t *testing.T, f fake) {
				_, err := OpenNVML(f.lib)
				wantError(t, err, c.words...)

				s := run(t, f.fast())
				snap := until(t, s, "NVML failed", func(s validator.GPUSnapshot) bool { return s.State.Reason != "The GPUs have not been read yet." })
				if snap.State.Health != validator.HealthUnavailable || len(snap.GPUs) != 0 || !snap.State.ObservedAt.IsZero() {
					t.Errorf("snapshot %+v; want unavailable without GPUs", snap)
				}
				if !strings.Contains(snap.State.Reason, c.words[0]) || snap.State.Remedy == "" {
					t.Errorf("state %+v; want the reason and a remedy", snap.State)
				}

				f.Unset("init")
				until(t, s, "the driver works", healthy(1))
			})
		})
	}
}

// A driver that is installed while the server runs is picked up.
func TestLibraryAppearsLater(t *testing.T) {
	onFake(t, gputest.Current, nil, func(t *testing.T, f fake) {
		built := f.lib
		f.lib = filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
		s := run(t, f.fast())
		until(t, s, "the library is missed", func(s validator.GPUSnapshot) bool {
			return s.State.Health == validator.HealthUnavailable && strings.Contains(s.State.Reason, "no such file")
		})
		if err := os.Symlink(built, f.lib); err != nil {
			t.Fatal(err)
		}
		until(t, s, "the library is found", healthy(1))
	})
}

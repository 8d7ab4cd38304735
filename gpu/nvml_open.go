//go:build linux && cgo

package gpu

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/NVIDIA/go-nvml/pkg/dl"
	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// OpenNVML loads NVIDIA's library from path, or from where the driver puts it if path is
// empty, and initialises it. The error is an *Error that says what is missing.
//
// A process keeps the first NVIDIA library that it loads until it ends: one opened later
// under another path is not used.
func OpenNVML(path string) (Reader, error) {
	if path == "" {
		return openFirst(
			"libnvidia-ml.so.1",                                  // by the linker's rules
			"/usr/lib/wsl/lib/libnvidia-ml.so.1",                 // Windows Subsystem for Linux
			"/run/opengl-driver/lib/libnvidia-ml.so.1",           // NixOS
			"/usr/local/nvidia/lib64/libnvidia-ml.so.1",          // GKE nodes
			"/opt/nvidia/lib/x86_64-linux-gnu/libnvidia-ml.so.1", // driver containers
		)
	}
	if err := probe(path); err != nil {
		return nil, err
	}
	return openLibrary(path)
}

// openFirst opens the first of the places that has a library at all.
func openFirst(places ...string) (Reader, error) {
	for _, place := range places {
		err := probe(place)
		if err == nil {
			return openLibrary(place)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, &Error{
		Reason: "This host has no NVIDIA driver: libnvidia-ml.so.1 was not found.",
		Remedy: "Install NVIDIA's driver, or set NVML_LIBRARY to its libnvidia-ml.so.1.",
		Err:    fmt.Errorf("%w in %v", fs.ErrNotExist, places),
	}
}

// probe checks that path is NVML before go-nvml opens it: with another library, go-nvml's
// first call would end the process.
func probe(path string) error {
	if strings.Contains(path, "/") {
		if _, err := os.Stat(path); err != nil {
			return pathError(path, err)
		}
	}
	lib := dl.New(path, dl.RTLD_LAZY|dl.RTLD_LOCAL)
	if err := lib.Open(); err != nil {
		e := &Error{
			Reason: path + " cannot be loaded as a library.",
			Remedy: "Set NVML_LIBRARY to the libnvidia-ml.so.1 of this host's NVIDIA driver.",
			Err:    fmt.Errorf("dlopen: %w", err),
		}
		if !strings.Contains(path, "/") && strings.Contains(err.Error(), "cannot open shared object file") {
			e.Err = fmt.Errorf("%w: %w", fs.ErrNotExist, err) // dlerror has no codes
		}
		return e
	}
	defer func() { _ = lib.Close() }() // nothing is lost if it stays loaded
	for _, symbol := range []string{"nvmlInit_v2", "nvmlShutdown"} {
		if err := lib.Lookup(symbol); err != nil {
			return &Error{
				Reason: path + " is not NVIDIA's management library.",
				Remedy: "Set NVML_LIBRARY to the libnvidia-ml.so.1 of this host's NVIDIA driver.",
				Err:    fmt.Errorf("looking up a function: %w", err),
			}
		}
	}
	return nil
}

func pathError(path string, err error) error {
	e := &Error{
		Reason: fmt.Sprintf("NVML_LIBRARY names %s, which cannot be opened.", path),
		Remedy: "Set NVML_LIBRARY to the driver's libnvidia-ml.so.1, or leave it empty.",
		Err:    err,
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Reason = fmt.Sprintf("NVML_LIBRARY names %s, and there is no such file.", path)
	case errors.Is(err, fs.ErrPermission):
		e.Reason = fmt.Sprintf("NVML_LIBRARY names %s, which this user may not read.", path)
	}
	return e
}

// openLibrary initialises the library that probe found to be NVML.
func openLibrary(path string) (Reader, error) {
	r := &nvmlReader{
		lib:      nvml.New(nvml.WithLibraryPath(path)),
		symbols:  map[string]bool{},
		lasting:  map[nvml.Device]validator.GPU{},
		watching: map[nvml.Device]string{},
	}
	if ret := r.lib.Init(); ret != nvml.SUCCESS {
		return nil, sourceError("nvmlInit_v2", ret)
	}
	for _, either := range [][]string{countSymbols, handleSymbols} {
		if !r.has(either...) {
			_ = r.lib.Shutdown() // it is not used
			return nil, &Error{
				Reason: "NVIDIA's driver is too old for this program: its library cannot list the GPUs.",
				Remedy: "Install a current NVIDIA driver.",
				Err:    fmt.Errorf("%s has none of %v", path, either),
			}
		}
	}
	r.readVersions()
	return r, nil
}

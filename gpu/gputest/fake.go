// Package gputest builds a stand-in for NVIDIA's library and drives it, so that tests
// go through the real way: dlopen, the lookup of symbols, C calls.
//
//	lib := gputest.BuildFake(t, gputest.Current)
//	script := gputest.NewScript(t, "count=2", "0.temp=61")
//	// start the program with NVML_LIBRARY=lib and gputest.Env=script.Path()
//	script.Set("0.temp", "90")       // it is hotter now
//	script.Fail("1.lost", 15)        // GPU 1 fell off the bus
//	script.XID(1, 79)                // and the driver says so
//
// The keys are listed in testdata/fakenvml.c. A process keeps the first library that it
// loads, so a test of another variant needs another process; and C sees the environment
// as it was when the process started, so set Env before.
package gputest

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

//go:embed testdata/fakenvml.c
var source string

// Variant is a driver that the fake library stands for, as the flags that build it.
type Variant string

// The variants, newest first.
const (
	Current   Variant = "-DDRIVER=570"
	OldDriver Variant = "-DDRIVER=470" // before memory v2, event reasons, confidential computing
	Ancient   Variant = "-DDRIVER=304" // before all versioned calls but nvmlInit_v2
	Bare      Variant = "-DDRIVER=0"   // can list GPUs and name their UUIDs, nothing else
	NotNVML   Variant = "-DNOT_NVML"   // another library under NVML's name
)

// Without returns the current driver as it would be without one of its functions.
func Without(function string) Variant {
	return Variant(fmt.Sprintf("%s -D%s=absent_%s", Current, function, function))
}

// Functions lists what the current driver of this package offers, by the names of nvml.h.
func Functions() []string {
	defined := regexp.MustCompile(`(?m)^(?:R |CALL1?\()(nvml\w+)`)
	var names []string
	for _, m := range defined.FindAllStringSubmatch(source, -1) {
		names = append(names, m[1])
	}
	return names
}

// BuildFake compiles the fake library with cc against go-nvml's own nvml.h and returns
// its path. A library that was built from the same text before is used again.
func BuildFake(tb testing.TB, v Variant) string {
	tb.Helper()
	header := headerFolder(tb)
	folder := filepath.Join(cacheFolder(tb), digest(tb, filepath.Join(header, "nvml.h"), v))
	lib := filepath.Join(folder, "libnvidia-ml.so.1")
	if _, err := os.Stat(lib); err == nil {
		return lib
	}
	work, err := os.MkdirTemp(filepath.Dir(folder), "build-") //nolint:usetesting // it is renamed to outlive the test
	if err != nil {
		tb.Fatalf("making a folder for the fake NVML library: %v", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	compile(tb, work, header, v)
	if err := os.Rename(work, folder); err != nil {
		if _, built := os.Stat(lib); built != nil { // nobody else built it meanwhile
			tb.Fatalf("keeping the fake NVML library: %v", err)
		}
	}
	return lib
}

func compile(tb testing.TB, folder, header string, v Variant) {
	tb.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		tb.Fatalf("the tests build a stand-in for NVIDIA's library and need a C compiler named cc: %v", err)
	}
	c := filepath.Join(folder, "fakenvml.c")
	if err := os.WriteFile(c, []byte(source), 0o600); err != nil {
		tb.Fatalf("writing the fake NVML library's source: %v", err)
	}
	flags := append(strings.Fields(string(v)), "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations",
		"-DNVML_NO_UNVERSIONED_FUNC_DEFS", "-I"+header, "-shared", "-fPIC", "-pthread",
		"-Wl,-soname,libnvidia-ml.so.1", "-o", filepath.Join(folder, "libnvidia-ml.so.1"), c)
	cmd := exec.CommandContext(tb.Context(), cc, flags...)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("building the fake NVML library: %v\n%s", err, out)
	}
}

// headerFolder finds the nvml.h that go-nvml is built with.
func headerFolder(tb testing.TB) string {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/NVIDIA/go-nvml").Output()
	if err != nil {
		tb.Fatalf("finding go-nvml's nvml.h: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "pkg", "nvml")
}

func cacheFolder(tb testing.TB) string {
	tb.Helper()
	folder, err := os.UserCacheDir()
	if err != nil {
		return tb.TempDir()
	}
	folder = filepath.Join(folder, "bitsage-fakenvml")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return tb.TempDir()
	}
	return folder
}

func digest(tb testing.TB, header string, v Variant) string {
	tb.Helper()
	h, err := os.ReadFile(header)
	if err != nil {
		tb.Fatalf("reading go-nvml's nvml.h: %v", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", v, source, h))
	return hex.EncodeToString(sum[:12])
}

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
	"context"
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

// BuildFake is Build for a test, which fails if the library cannot be built.
func BuildFake(tb testing.TB, v Variant) string {
	tb.Helper()
	lib, err := Build(tb.Context(), v)
	if err != nil {
		tb.Fatal(err)
	}
	return lib
}

// Build compiles the fake library with cc against go-nvml's own nvml.h and returns its
// path. A library that was built from the same text before is used again.
func Build(ctx context.Context, v Variant) (string, error) {
	header, err := headerFolder(ctx)
	if err != nil {
		return "", err
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	sum, err := digest(filepath.Join(header, "nvml.h"), v)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, sum)
	lib := filepath.Join(folder, "libnvidia-ml.so.1")
	if _, err := os.Stat(lib); err == nil {
		return lib, nil
	}
	work, err := os.MkdirTemp(cache, "build-")
	if err != nil {
		return "", fmt.Errorf("make a folder for the fake NVML library: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := compile(ctx, work, header, v); err != nil {
		return "", err
	}
	if err := os.Rename(work, folder); err != nil {
		if _, built := os.Stat(lib); built != nil { // nobody else built it meanwhile
			return "", fmt.Errorf("keep the fake NVML library: %w", err)
		}
	}
	return lib, nil
}

func compile(ctx context.Context, folder, header string, v Variant) error {
	cc, err := exec.LookPath("cc")
	if err != nil {
		return fmt.Errorf("the stand-in for NVIDIA's library needs a C compiler named cc: %w", err)
	}
	c := filepath.Join(folder, "fakenvml.c")
	if err := os.WriteFile(c, []byte(source), 0o600); err != nil {
		return fmt.Errorf("write the fake NVML library's source: %w", err)
	}
	flags := append(strings.Fields(string(v)), "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations",
		"-DNVML_NO_UNVERSIONED_FUNC_DEFS", "-I"+header, "-shared", "-fPIC", "-pthread",
		"-Wl,-soname,libnvidia-ml.so.1", "-o", filepath.Join(folder, "libnvidia-ml.so.1"), c)
	if out, err := exec.CommandContext(ctx, cc, flags...).CombinedOutput(); err != nil {
		return fmt.Errorf("build the fake NVML library: %w\n%s", err, out)
	}
	return nil
}

// headerFolder finds the nvml.h that go-nvml is built with.
func headerFolder(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/NVIDIA/go-nvml").Output()
	if err != nil {
		return "", fmt.Errorf("find go-nvml's nvml.h: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "pkg", "nvml"), nil
}

func cacheFolder() (string, error) {
	folder, err := os.UserCacheDir()
	if err == nil {
		folder = filepath.Join(folder, "bitsage-fakenvml")
		err = os.MkdirAll(folder, 0o700)
	}
	if err != nil { // a system account may have no home of its own
		folder = filepath.Join(os.TempDir(), fmt.Sprintf("bitsage-fakenvml-%d", os.Getuid()))
		err = os.MkdirAll(folder, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("make a folder for the fake NVML library: %w", err)
	}
	return folder, nil
}

func digest(header string, v Variant) (string, error) {
	h, err := os.ReadFile(header)
	if err != nil {
		return "", fmt.Errorf("read go-nvml's nvml.h: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", v, source, h))
	return hex.EncodeToString(sum[:12]), nil
}

package gputest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Env is the environment variable that names the file which the fake library reads.
const Env = "FAKE_NVML"

// Script is the file of values that a fake library answers from. Every change is written
// at once and whole; the library sees it at its next pass. A Script belongs to one test
// and is used from one goroutine.
type Script struct {
	tb    testing.TB
	path  string
	lines []string // "key=value"
	xids  []string
}

// NewScript writes a file with the given lines ("count=2", "0.temp=61") in a folder of
// the test's own.
func NewScript(tb testing.TB, lines ...string) *Script {
	tb.Helper()
	s := &Script{tb: tb, path: filepath.Join(tb.TempDir(), "fakenvml.conf"), lines: slices.Clone(lines)}
	s.write()
	return s
}

// Path is the file's path, the value of Env.
func (s *Script) Path() string { return s.path }

// Set gives keys their values, as in Set("count", "2", "0.temp", "61").
func (s *Script) Set(pairs ...string) {
	s.tb.Helper()
	if len(pairs)%2 != 0 {
		s.tb.Fatalf("Script.Set wants pairs of key and value, this has %d strings", len(pairs))
	}
	for pair := range slices.Chunk(pairs, 2) {
		s.drop(pair[0])
		s.lines = append(s.lines, strings.Join(pair, "="))
	}
	s.write()
}

// Fail makes the calls that read key return the given nvmlReturn_t.
func (s *Script) Fail(key string, code int) {
	s.tb.Helper()
	s.Set(key, "!"+strconv.Itoa(code))
}

// Unset gives keys back their defaults.
func (s *Script) Unset(keys ...string) {
	s.tb.Helper()
	for _, k := range keys {
		s.drop(k)
	}
	s.write()
}

// XID lets the driver report an error of the GPU with the given index.
func (s *Script) XID(gpu, code int) {
	s.tb.Helper()
	s.xids = append(s.xids, fmt.Sprintf("%d:%d:%d", len(s.xids)+1, gpu, code))
	s.write()
}

// Log returns what the library noted down: init, shutdown, eventset and eventset-free,
// in their order.
func (s *Script) Log() []string {
	s.tb.Helper()
	b, err := os.ReadFile(s.path + ".log")
	if err != nil && !os.IsNotExist(err) {
		s.tb.Fatalf("reading the fake NVML library's log: %v", err)
	}
	return strings.Fields(string(b))
}

func (s *Script) drop(key string) {
	s.lines = slices.DeleteFunc(s.lines, func(l string) bool { return strings.HasPrefix(l, key+"=") })
}

func (s *Script) write() {
	s.tb.Helper()
	lines := s.lines
	if len(s.xids) > 0 {
		lines = append(slices.Clone(lines), "xids="+strings.Join(s.xids, " "))
	}
	next := s.path + ".next"
	if err := os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		s.tb.Fatalf("writing the fake NVML library's values: %v", err)
	}
	if err := os.Rename(next, s.path); err != nil {
		s.tb.Fatalf("writing the fake NVML library's values: %v", err)
	}
}

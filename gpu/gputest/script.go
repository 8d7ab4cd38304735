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

// Values is the file of values that a fake library answers from. Every change is written at
// once and whole; the library sees it at its next pass. One goroutine uses a Values.
type Values struct {
	path  string
	lines []string // "key=value"
	xids  []string
}

// NewValues writes a file with the given lines ("count=2", "0.temp=61") in a folder.
func NewValues(folder string, lines ...string) (*Values, error) {
	v := &Values{path: filepath.Join(folder, "fakenvml.conf"), lines: slices.Clone(lines)}
	return v, v.write()
}

// Path is the file's path, the value of Env.
func (v *Values) Path() string { return v.path }

// Set gives keys their values, as in Set("count", "2", "0.temp", "61").
func (v *Values) Set(pairs ...string) error {
	if len(pairs)%2 != 0 {
		return fmt.Errorf("set the fake NVML library's values: pairs of key and value are wanted, this has %d strings", len(pairs))
	}
	for pair := range slices.Chunk(pairs, 2) {
		v.drop(pair[0])
		v.lines = append(v.lines, strings.Join(pair, "="))
	}
	return v.write()
}

// Unset gives keys back their defaults.
func (v *Values) Unset(keys ...string) error {
	for _, k := range keys {
		v.drop(k)
	}
	return v.write()
}

// Reset replaces all values. XIDs that were reported stay reported.
func (v *Values) Reset(lines ...string) error {
	v.lines = slices.Clone(lines)
	return v.write()
}

// XID lets the driver report an error of the GPU with the given index.
func (v *Values) XID(gpu, code int) error {
	v.xids = append(v.xids, fmt.Sprintf("%d:%d:%d", len(v.xids)+1, gpu, code))
	return v.write()
}

// Log returns what the library noted down: init, shutdown, eventset and eventset-free,
// in their order.
func (v *Values) Log() ([]string, error) {
	b, err := os.ReadFile(v.path + ".log")
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("read the fake NVML library's log: %w", err)
	}
	return strings.Fields(string(b)), nil
}

func (v *Values) drop(key string) {
	v.lines = slices.DeleteFunc(v.lines, func(l string) bool { return strings.HasPrefix(l, key+"=") })
}

func (v *Values) write() error {
	lines := v.lines
	if len(v.xids) > 0 {
		lines = append(slices.Clone(lines), "xids="+strings.Join(v.xids, " "))
	}
	next := v.path + ".next"
	err := os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
	if err == nil {
		err = os.Rename(next, v.path)
	}
	if err != nil {
		return fmt.Errorf("write the fake NVML library's values: %w", err)
	}
	return nil
}

// Script is the Values of a test, which fails if they cannot be written.
type Script struct {
	tb     testing.TB
	values *Values
}

// NewScript writes a file with the given lines ("count=2", "0.temp=61") in a folder of
// the test's own.
func NewScript(tb testing.TB, lines ...string) *Script {
	tb.Helper()
	values, err := NewValues(tb.TempDir(), lines...)
	s := &Script{tb: tb, values: values}
	s.check(err)
	return s
}

// Path is the file's path, the value of Env.
func (s *Script) Path() string { return s.values.Path() }

// Set gives keys their values, as in Set("count", "2", "0.temp", "61").
func (s *Script) Set(pairs ...string) {
	s.tb.Helper()
	s.check(s.values.Set(pairs...))
}

// Fail makes the calls that read key return the given nvmlReturn_t.
func (s *Script) Fail(key string, code int) {
	s.tb.Helper()
	s.Set(key, "!"+strconv.Itoa(code))
}

// Unset gives keys back their defaults.
func (s *Script) Unset(keys ...string) {
	s.tb.Helper()
	s.check(s.values.Unset(keys...))
}

// XID lets the driver report an error of the GPU with the given index.
func (s *Script) XID(gpu, code int) {
	s.tb.Helper()
	s.check(s.values.XID(gpu, code))
}

// Log returns what the library noted down: init, shutdown, eventset and eventset-free,
// in their order.
func (s *Script) Log() []string {
	s.tb.Helper()
	noted, err := s.values.Log()
	s.check(err)
	return noted
}

func (s *Script) check(err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatal(err)
	}
}

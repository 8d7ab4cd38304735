//go:build unix

package privatepg

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// binaries is a folder with initdb and postgres of one major version.
type binaries struct {
	dir   string
	major int
}

// findBinaries looks in dir alone if it is set, else in the usual places. It prefers
// the version that a cluster was made by; want is 0 if there is no cluster yet.
func findBinaries(dir string, want int) (binaries, error) {
	dirs := []string{dir}
	if dir == "" {
		dirs = usualDirs()
	}
	var found []binaries
	for _, d := range dirs {
		if major, err := versionOf(d); err == nil {
			found = append(found, binaries{d, major})
		} else if dir != "" {
			return binaries{}, &Problem{
				Reason: "PG_BINDIR names no folder with PostgreSQL's server programs.",
				Remedy: "It must hold initdb and postgres.", Kind: ErrNoBinaries, Cause: err,
			}
		}
	}
	slices.SortStableFunc(found, func(a, b binaries) int { return b.major - a.major })
	if i := slices.IndexFunc(found, func(b binaries) bool { return b.major == want }); i >= 0 {
		return found[i], nil
	}
	switch {
	case len(found) == 0:
		return binaries{}, &Problem{
			Reason: "PostgreSQL's server programs (initdb and postgres) were not found on this machine.",
			Remedy: "Install PostgreSQL 14 or newer (Debian and Ubuntu: sudo apt-get install postgresql), set PG_BINDIR to their folder, or set DATABASE_URL to a server that runs elsewhere.",
			Kind:   ErrNoBinaries,
		}
	case want != 0:
		return binaries{}, &Problem{
			Reason: fmt.Sprintf("The database was made by PostgreSQL %d, and this machine has PostgreSQL %d.", want, found[0].major),
			Remedy: fmt.Sprintf("Install PostgreSQL %d beside it, or move the data over with pg_upgrade.", want),
			Kind:   ErrOtherVersion,
		}
	case found[0].major < OldestVersion:
		return binaries{}, &Problem{
			Reason: fmt.Sprintf("PostgreSQL %d in %s is too old.", found[0].major, found[0].dir),
			Remedy: fmt.Sprintf("Install PostgreSQL %d or newer, or set DATABASE_URL to a server that runs elsewhere.", OldestVersion),
			Kind:   ErrNoBinaries,
		}
	}
	return found[0], nil
}

// usualDirs are Debian's folders, those of other distributions, and the PATH.
func usualDirs() []string {
	var dirs []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/lib/postgresql*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(p))
		}
	}
	return dirs
}

// versionOf asks the server program in dir for its major version.
func versionOf(dir string) (int, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0, err
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "-V").Output() // "postgres (PostgreSQL) 15.14 (Debian …)"
	if err != nil {
		return 0, fmt.Errorf("ask %s for its version: %w", dir, err)
	}
	fields := strings.Fields(string(out))
	if len(fields) < 3 {
		return 0, fmt.Errorf("%s answers %q to -V", dir, out)
	}
	return majorVersion(fields[2])
}

func majorVersion(s string) (int, error) {
	digits := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(s)
	}
	return strconv.Atoi(s[:digits])
}

// clusterVersion is the major version that made the cluster below dir, 0 if there is none
// or it cannot be read.
func clusterVersion(dir string) int {
	b, err := os.ReadFile(filepath.Join(dir, "data", "PG_VERSION"))
	if err != nil {
		return 0
	}
	v, _ := majorVersion(strings.TrimSpace(string(b)))
	return v
}

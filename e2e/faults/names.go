//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Host names that only a file of the stage knows.
const (
	databaseName = "database.faults.test"
	nodeName     = "node.faults.test"
)

// writeHosts makes the stage's /etc/hosts know these names and no others.
func (s *stage) writeHosts(names ...string) error {
	s.hosts = filepath.Join(s.dir, "hosts")
	text := "127.0.0.1 localhost\n"
	if len(names) > 0 {
		text += "127.0.0.1 " + strings.Join(names, " ") + "\n"
	}
	// Written in place: the program's mount shows this very file.
	if err := os.WriteFile(s.hosts, []byte(text), 0o644); err != nil { //nolint:gosec // the program must read it
		return fmt.Errorf("write the hosts: %w", err)
	}
	resolver := filepath.Join(s.dir, "resolv.conf")
	if err := os.WriteFile(resolver, []byte("nameserver 127.0.0.1\noptions attempts:1 timeout:1\n"), 0o644); err != nil { //nolint:gosec // likewise
		return fmt.Errorf("write the resolver's configuration: %w", err)
	}
	return nil
}

// privateHosts is what gives a program the stage's hosts in the place of the machine's, and
// a resolver that does not answer.
func (s *stage) privateHosts() []string {
	script := `mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"`
	return []string{"unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", s.hosts, filepath.Join(s.dir, "resolv.conf")}
}

// needRoot says why a fault cannot be made by an ordinary user.
func needRoot() string {
	if os.Geteuid() != 0 {
		return "it needs root, to mount"
	}
	return ""
}

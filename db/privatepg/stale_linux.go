package privatepg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// removeStaleLocks removes the lock files of a server that has died. PostgreSQL itself believes
// in one for as long as any process of the same user has its number, or any thread: after a
// container was killed, the numbers begin anew. The caller holds the directory's lock and the
// server's, so nothing that this program started lives. A server that somebody started by hand
// holds neither: it is known by its process and by who is attached to its shared memory.
func (c *Cluster) removeStaleLocks() error {
	data := c.place.path("data")
	pidFile := filepath.Join(data, "postmaster.pid")
	b, err := os.ReadFile(pidFile)
	if errors.Is(err, fs.ErrNotExist) {
		return c.removeSocketLock()
	}
	if err != nil {
		return fmt.Errorf("read an earlier server's lock: %w", err)
	}
	lines := strings.Split(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(lines[0]), "-"))
	if err == nil && isServerOf(pid, data) {
		return &Problem{
			Reason: fmt.Sprintf("A PostgreSQL server that another program started (process %d) uses the database in %s.", pid, c.cfg.Dir),
			Remedy: "Stop that server, or set DATA_DIR to another folder.",
			Kind:   ErrInUse,
		}
	}
	if len(lines) > 6 && isAttached(lines[6]) {
		return &Problem{
			Reason: fmt.Sprintf("Processes of an earlier PostgreSQL server still use the database in %s.", c.cfg.Dir),
			Remedy: "Wait until they end, or end them.",
			Kind:   ErrInUse,
		}
	}
	if err := os.Remove(pidFile); err != nil {
		return fmt.Errorf("remove an earlier server's lock: %w", err)
	}
	return c.removeSocketLock()
}

// removeSocketLock removes the lock beside the socket, which nothing but this directory's
// server uses.
func (c *Cluster) removeSocketLock() error {
	err := os.Remove(filepath.Join(c.place.socketDir, ".s.PGSQL.5432.lock"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the lock of an earlier server's socket: %w", err)
	}
	return nil
}

// isServerOf reports whether a process is a PostgreSQL server that works in a directory. A
// process that may not be looked at is another user's, whom PostgreSQL would not let in.
func isServerOf(pid int, data string) bool {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	exe, err := os.Readlink(filepath.Join(proc, "exe"))
	if err != nil || !strings.HasPrefix(filepath.Base(exe), "postgres") {
		return false
	}
	works, err := os.Stat(filepath.Join(proc, "cwd"))
	if err != nil {
		return false
	}
	there, err := os.Stat(data)
	return err == nil && os.SameFile(works, there)
}

// isAttached reports whether any process uses the shared memory that a line of postmaster.pid
// names by key and identifier.
func isAttached(line string) bool {
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return false
	}
	id, err := strconv.Atoi(fields[1])
	if err != nil {
		return false
	}
	var segment unix.SysvShmDesc
	_, err = unix.SysvShmCtl(id, unix.IPC_STAT, &segment)
	switch {
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EIDRM), errors.Is(err, syscall.EACCES), errors.Is(err, syscall.ENOSYS):
		return false // it is gone, or another user's that has its number
	case err != nil:
		return true
	}
	return segment.Nattch > 0
}

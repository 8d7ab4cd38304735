//go:build unix

package privatepg

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// heldError says that another process holds the lock.
type heldError struct {
	owner      int // 0 if unknown
	ownerAlive bool
}

func (e *heldError) Error() string { return fmt.Sprintf("locked by process %d", e.owner) }

// tryLock locks the file for this process and every child that inherits it, and writes
// our pid into it. Only closing every copy of the descriptor unlocks it.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database's lock: %w", err)
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		defer func() { _ = f.Close() }()
		b, _ := io.ReadAll(io.LimitReader(f, 20))
		pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
		return nil, &heldError{owner: pid, ownerAlive: pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)}
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock the database's directory: %w", err), f.Close())
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write the database's lock: %w", err), f.Close())
	}
	return f, nil
}

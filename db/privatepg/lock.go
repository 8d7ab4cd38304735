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
	"time"
)

// heldError says that another process holds the lock.
type heldError struct {
	owner      int // 0 if unknown
	ownerAlive bool
}

func (e *heldError) Error() string { return fmt.Sprintf("locked by process %d", e.owner) }

// ownerWait is how long an owner may take to write who it is, once it has the lock.
const ownerWait = 300 * time.Millisecond

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
		return nil, holderOf(f)
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

// holderOf tells whose lock a file is. What it says at first may be from before: who has just
// taken the lock writes only then.
func holderOf(f *os.File) *heldError {
	for end := time.Now().Add(ownerWait); ; time.Sleep(ownerWait / 20) {
		b, _ := io.ReadAll(io.NewSectionReader(f, 0, 20))
		pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
		alive := pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
		if alive || time.Now().After(end) {
			return &heldError{owner: pid, ownerAlive: alive}
		}
	}
}

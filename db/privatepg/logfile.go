//go:build unix

package privatepg

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// maxLogBytes is the size from which the log is trimmed. With the part before it the log
// takes twice that.
const maxLogBytes = 4 << 20

// logFile is the server's log as one start of it sees it.
type logFile struct {
	file *os.File
	from int64 // where this start's lines begin
}

func openLog(path string) (*logFile, error) {
	if err := trimLog(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &logFile{f, end}, nil
}

func (l *logFile) Close() error { return l.file.Close() }

// tail returns the last lines since this start.
func (l *logFile) tail() string {
	const most = 2048
	end, err := l.file.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	b := make([]byte, min(most, max(end-l.from, 0)))
	n, _ := l.file.ReadAt(b, end-int64(len(b)))
	return string(bytes.TrimSpace(b[:n]))
}

// trimLog moves the contents of a large log to path.1. The server keeps writing to the
// same file, which it opened for appending.
func trimLog(path string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("trim the database's log: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil || info.Size() <= maxLogBytes {
		return err
	}
	old, err := os.OpenFile(path+".1", os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("trim the database's log: %w", err)
	}
	_, err = f.Seek(-maxLogBytes, io.SeekEnd)
	if err == nil {
		_, err = io.Copy(old, f)
	}
	return errors.Join(err, old.Close(), f.Truncate(0))
}

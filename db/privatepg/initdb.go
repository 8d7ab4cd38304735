//go:build unix

package privatepg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// initOnce makes the cluster if there is none. It is made under another name, so that one
// whose making was cut off is never taken for a whole one.
func (c *Cluster) initOnce(ctx context.Context, log *logFile) error {
	if _, err := os.Lstat(c.place.path("data")); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the database: %w", err)
	}
	fresh := c.place.path("data.new")
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("clear a database whose making was cut off: %w", err)
	}
	p, err := c.spawn("initdb", log, nil, "-D", fresh, "-U", Role, "-E", "UTF8", "--locale=C",
		"--auth-local=trust", "--auth-host=reject", "--data-checksums", "--no-instructions")
	if err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // with its children
		<-p.done
		return fmt.Errorf("make the database: %w", context.Cause(ctx))
	}
	if p.err != nil {
		return &Problem{
			Reason: "The private database could not be made.",
			Remedy: "The log of the attempt is " + c.logPath() + ".",
			Cause:  fmt.Errorf("initdb: %w: %s", p.err, log.tail()),
		}
	}
	if err := os.Rename(fresh, c.place.path("data")); err != nil {
		return fmt.Errorf("put the new database in place: %w", err)
	}
	return nil
}

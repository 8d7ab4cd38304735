//go:build unix

package privatepg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Cluster is a private server's directory, which it holds alone until Close, and the
// server while it runs. One goroutine starts and stops it; the other methods may be
// called from any.
type Cluster struct {
	cfg Config

	mu     sync.Mutex
	bin    binaries
	place  place
	placed bool
	closed bool
	lock   *os.File
	server *process
}

// Open takes the directory. It returns an error only for what trying again cannot mend:
// the directory belongs to a live server (ErrInUse) or holds a cluster that none of the
// machine's binaries fit (ErrOtherVersion). Start reports everything else.
func Open(cfg Config) (*Cluster, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the database's directory: %w", err)
	}
	cfg.Dir = dir
	c := &Cluster{cfg: cfg}
	var p *Problem
	if err := c.prepare(); errors.As(err, &p) && p.Permanent() {
		return nil, errors.Join(p, c.Close())
	}
	return c, nil
}

// Start starts the server and returns when it accepts connections. A running one whose socket
// was deleted, as cleaners of folders do, is started again. Start waits, until ctx
// ends, for a server that a dead process left behind to end. The error is a *Problem
// where a person can do something about it.
func (c *Cluster) Start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return errors.New("start the private PostgreSQL: it was closed")
	case c.server != nil && !c.server.gone():
		if c.hasSocket() {
			return nil
		}
		c.cfg.Log.Warn("the private PostgreSQL's socket was deleted, so it is started again", slog.String("dir", c.place.socketDir))
		if err := c.server.stop(); err != nil {
			return err
		}
		c.placed = false // the socket's folder may be gone with it
	}
	if err := c.prepareLocked(); err != nil {
		return err
	}
	if err := c.awaitLock(ctx); err != nil {
		return err
	}
	log, err := openLog(c.logPath())
	if err != nil {
		return fmt.Errorf("open the database's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	if err := c.initOnce(ctx, log); err != nil {
		return err
	}
	inherited, err := c.awaitServersEnd(ctx)
	if err != nil {
		return err
	}
	if err := c.removeStaleLocks(); err != nil {
		return errors.Join(err, inherited.Close())
	}
	server, err := c.spawn("postgres", log, []*os.File{inherited}, c.serverArguments()...)
	if err = errors.Join(err, inherited.Close()); err != nil {
		return fmt.Errorf("start the private PostgreSQL: %w", err)
	}
	c.server = server
	if err := c.awaitReady(ctx, log); err != nil {
		return errors.Join(err, server.stop())
	}
	return nil
}

// hasSocket reports whether the server can be reached: the socket's name leads to it alone.
func (c *Cluster) hasSocket() bool {
	_, err := os.Stat(filepath.Join(c.place.socketDir, ".s.PGSQL.5432"))
	return !errors.Is(err, fs.ErrNotExist)
}

func (c *Cluster) serverArguments() []string {
	args := []string{
		"-D", c.place.path("data"), "-k", c.place.socketDir,
		"-c", "listen_addresses=", "-c", "port=5432", "-c", "unix_socket_permissions=0700",
		"-c", "logging_collector=off", "-c", "log_destination=stderr",
		"-c", "timezone=UTC", "-c", "log_timezone=UTC", "-c", "log_checkpoints=off",
		// Parallel queries need more of /dev/shm than containers have by default.
		"-c", "max_parallel_workers_per_gather=0",
	}
	for _, s := range c.cfg.Settings {
		args = append(args, "-c", s)
	}
	return args
}

// awaitReady watches postmaster.pid as pg_ctl does: line 1 is the server's pid, line 8
// its state. A server that is a standby takes no writes, and is up.
func (c *Cluster) awaitReady(ctx context.Context, log *logFile) error {
	for {
		b, _ := os.ReadFile(c.place.path("data/postmaster.pid"))
		if l := strings.Split(string(b), "\n"); len(l) > 7 && l[0] == strconv.Itoa(c.server.pid) {
			if state := strings.TrimSpace(l[7]); state == "ready" || state == "standby" {
				return nil
			}
		}
		select {
		case <-c.server.done:
			p := &Problem{
				Reason: "The private PostgreSQL did not start.",
				Remedy: "Its log is " + c.logPath() + ".",
				Cause:  fmt.Errorf("%w: %s", c.server.exit(), log.tail()),
			}
			if strings.Contains(log.tail(), "No space left on device") {
				p.Reason = "The private PostgreSQL did not start, since its disk is full."
				p.Remedy = "Free space on the disk of " + c.place.dir + ". " + p.Remedy
			}
			return p
		case <-ctx.Done():
			return fmt.Errorf("wait for the private PostgreSQL to start: %w: %s", context.Cause(ctx), log.tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Done is closed when the server that was started last is gone, asked or not. It is nil
// before the first Start.
func (c *Cluster) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil {
		return nil
	}
	return c.server.done
}

// PID is the process id of the server's postmaster, 0 while none runs.
func (c *Cluster) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server == nil || c.server.gone() {
		return 0
	}
	return c.server.pid
}

// SocketDir is the folder of the server's socket, port 5432, "" while it is not known.
func (c *Cluster) SocketDir() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.place.socketDir
}

// LogPath is the server's log file, "" while the directory's place is not known.
func (c *Cluster) LogPath() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.placed {
		return ""
	}
	return c.logPath()
}

func (c *Cluster) logPath() string { return c.place.path("postgres.log") }

// TrimLog keeps the log file from growing without end; call it now and then.
func (c *Cluster) TrimLog() error {
	if path := c.LogPath(); path != "" {
		return trimLog(path)
	}
	return nil
}

// Stop shuts the server down: disconnecting clients first, then without a checkpoint,
// then by force. Stopping a stopped server is no error.
func (c *Cluster) Stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopLocked()
}

func (c *Cluster) stopLocked() error {
	if c.server == nil {
		return nil
	}
	return c.server.stop()
}

// Close stops the server and gives the directory back.
func (c *Cluster) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	err := c.stopLocked()
	if c.lock != nil {
		// What a killed server left behind may hold the lock for a while: it has no owner then.
		err = errors.Join(err, c.lock.Truncate(0), c.lock.Close())
		c.lock = nil
	}
	return err
}

// prepare finds the binaries, the place of the files and takes the lock if it is free.
func (c *Cluster) prepare() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.prepareLocked()
}

func (c *Cluster) prepareLocked() error {
	if !c.placed {
		bin, err := findBinaries(c.cfg.BinDir, clusterVersion(c.cfg.Dir))
		if err != nil {
			return err
		}
		pl, err := choosePlace(c.cfg.Dir, bin)
		if err != nil {
			return err
		}
		if pl.dir != c.cfg.Dir {
			c.cfg.Log.Info("private PostgreSQL lies elsewhere, since its user cannot enter the data directory",
				slog.String("dir", pl.dir), slog.String("data_dir", c.cfg.Dir))
			if bin, err = findBinaries(c.cfg.BinDir, clusterVersion(pl.dir)); err != nil {
				return err
			}
		}
		c.bin, c.place, c.placed = bin, pl, true
	}
	if c.lock != nil {
		return nil
	}
	lock, err := tryLock(c.place.path("lock"))
	var held *heldError
	if errors.As(err, &held) && held.ownerAlive {
		return &Problem{
			Reason: fmt.Sprintf("The database in %s belongs to the running process %d.", c.cfg.Dir, held.owner),
			Remedy: "Stop that process, or give this one another DATA_DIR or a DATABASE_URL.",
			Kind:   ErrInUse,
		}
	}
	if held != nil {
		return nil // Start waits for it
	}
	c.lock = lock
	return err
}

// awaitLock takes the lock once the processes that a dead owner left behind are gone.
func (c *Cluster) awaitLock(ctx context.Context) error {
	for c.lock == nil {
		if err := c.prepareLocked(); err != nil {
			return err
		}
		if c.lock != nil {
			break
		}
		if err := c.pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// awaitServersEnd returns a lock that no process but the server holds, once those of the
// server before it are gone. The directory's own lock does not tell: this process shares it
// with all servers that it ever started.
func (c *Cluster) awaitServersEnd(ctx context.Context) (*os.File, error) {
	for {
		lock, err := tryLock(c.place.path("server.lock"))
		if _, held := errors.AsType[*heldError](err); !held {
			return lock, err
		}
		if err := c.pause(ctx); err != nil {
			return nil, err
		}
	}
}

// pause waits for processes that an earlier server left behind.
func (c *Cluster) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return &Problem{
			Reason: "A database server that an earlier process left behind has not ended yet.",
			Remedy: "Its log is " + c.logPath() + ".",
			Cause:  context.Cause(ctx),
		}
	case <-time.After(50 * time.Millisecond):
	}
	return nil
}

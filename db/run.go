package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	startLimit       = 90 * time.Second // for the private server to make its files and start
	firstPause       = 200 * time.Millisecond
	longestPause     = 10 * time.Second
	maintenanceEvery = time.Minute
	closeConnWait    = 2 * time.Second
)

// errServerGone says that the private server ended unasked.
var errServerGone = errors.New("the private PostgreSQL ended")

// Run keeps the database available until ctx ends or Close is called: it starts the
// private server or connects, migrates, watches, and begins again when the database is
// lost. It returns nil.
func (s *Store) Run(ctx context.Context) error {
	ctx, leave := s.enter(ctx)
	defer leave()

	pause := firstPause
	for ctx.Err() == nil {
		wasReady, err := s.session(ctx)
		if ctx.Err() != nil {
			break
		}
		s.lost(err)
		if wasReady {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
	s.setState(func(st *validator.SourceState) {
		st.Health, st.Reason, st.Remedy = validator.HealthUnavailable, "The database connection is closed.", ""
	})
	return nil
}

// session brings the database up, stays with it and returns why it was lost.
func (s *Store) session(ctx context.Context) (wasReady bool, err error) {
	if err := s.bringUp(ctx); err != nil {
		return false, err
	}
	watch, err := s.newHealthWatch(ctx)
	if err != nil {
		return false, err
	}
	defer func() { watch.close(ctx) }()
	s.pool.Reset() // connections of an earlier session are dead
	if err := watch.look(ctx); err != nil {
		return false, err
	}
	return true, s.watch(ctx, watch)
}

// bringUp starts the private server if there is one, and migrates.
func (s *Store) bringUp(ctx context.Context) error {
	s.raising.Lock()
	defer s.raising.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.cluster != nil {
		ctx, cancel := context.WithTimeout(ctx, startLimit)
		defer cancel()
		if err := s.cluster.Start(ctx); err != nil {
			return err
		}
		if err := s.makeDatabase(ctx); err != nil {
			return err
		}
	}
	if s.cluster == nil {
		if err := s.findPooling(ctx); err != nil {
			return err
		}
	}
	return s.migrate(ctx)
}

// makeDatabase makes the private server's database the first time.
func (s *Store) makeDatabase(ctx context.Context) error {
	conn, err := s.connect(ctx, "postgres")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var exists bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", privatepg.Role).Scan(&exists)
	if err == nil && !exists {
		_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{privatepg.Role}.Sanitize())
	}
	if err != nil {
		return fmt.Errorf("make the database %s: %w", privatepg.Role, err)
	}
	return nil
}

// connConfig is the configuration of a connection outside the pool, to the named database or
// the usual one, with settings of its session beside the usual ones.
func (s *Store) connConfig(database string, more map[string]string) (*pgx.ConnConfig, error) {
	c := s.pool.Config().ConnConfig
	c.Tracer = nil
	s.prepareConn(c, more)
	if err := s.directToSocket(c); err != nil {
		return nil, err
	}
	if database != "" {
		c.Database = database
	}
	return c, nil
}

// directConfig is the configuration of a connection for work that must not share one: to the
// server itself, where Config says how to reach it past a pooler.
func (s *Store) directConfig(more map[string]string) (*pgx.ConnConfig, error) {
	if s.direct == nil {
		return s.connConfig("", more)
	}
	c := s.direct.pool.ConnConfig.Copy()
	c.Tracer = nil
	makeSettings(c, s.direct.settings, more)
	return c, nil
}

func (s *Store) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	c, err := s.connConfig(database, nil)
	if err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, c)
}

// watch returns when the database is lost or ctx ends.
func (s *Store) watch(ctx context.Context, w *healthWatch) error {
	defer s.runMaintenance(ctx)()
	ping := time.NewTicker(s.cfg.PingInterval)
	defer ping.Stop()
	var gone <-chan struct{}
	if s.cluster != nil {
		gone = s.cluster.Done()
	}
	for looked := time.Now(); ; looked = time.Now() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-gone:
			return errServerGone
		case <-ping.C:
		case <-s.wake:
			w.doubt = true
			select {
			case <-ctx.Done():
			case <-time.After(lookPause - time.Since(looked)):
			}
		}
		if err := w.look(ctx); err != nil {
			return err
		}
	}
}

// runMaintenance does the maintenance every so often, beside the watch: on a server that stands still it
// would wait. What it returns ends it.
func (s *Store) runMaintenance(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(maintenanceEvery)
		defer tick.Stop()
		for {
			s.maintain(ctx)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// lost says for people why the database is away, and logs the cause once per reason.
func (s *Store) lost(err error) {
	reason, remedy := s.explain(err)
	before := s.State()
	s.setState(func(st *validator.SourceState) {
		st.Health, st.Reason, st.Remedy = validator.HealthUnavailable, reason, remedy
	})
	if before.Health != validator.HealthUnavailable || before.Reason != reason {
		s.cfg.Log.Warn("database not available", slog.String("reason", reason), slog.Any("error", err))
	}
}

// Migrate brings the tables up to date and returns; it starts the private server if need
// be. It needs no Run, and works beside one. Servers that migrate at the same time take
// turns.
func (s *Store) Migrate(ctx context.Context) error {
	ctx, leave := s.enter(ctx)
	defer leave()
	if err := s.bringUp(ctx); err != nil {
		reason, remedy := s.explain(err)
		if remedy != "" {
			reason += " " + remedy
		}
		return fmt.Errorf("migrate the database: %s: %w", reason, err)
	}
	return nil
}

package db

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// Store answers questions about validators from the database. All methods may be called
// from any goroutine. While the database cannot answer they fail at once with an error
// that matches ErrUnavailable.
type Store struct {
	cfg     Config
	pool    *pgxpool.Pool
	cluster *privatepg.Cluster // nil with a URL
	q       *Queries
	wake    chan struct{} // asks the watch to look at once
	replica string        // names this Store to the others on the database
	clock   databaseClock
	shares  *shares

	usual  connections
	direct *connections // nil without a DirectURL

	life    context.Context // ends with Close
	end     context.CancelFunc
	running sync.WaitGroup // Run and Migrate
	raising sync.Mutex     // one bringUp at a time

	mu      sync.Mutex
	closed  bool
	pooling pooling
	state   validator.SourceState
	changed chan struct{} // closed and replaced when state changes
}

// Open returns a Store, which becomes ready while Run runs. It returns an error only for
// what can never get better: a URL that cannot be read (ErrBadURL), or a private
// database that belongs to another running server (privatepg.ErrInUse) or was made by a
// PostgreSQL that this machine lacks (privatepg.ErrOtherVersion).
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	usual, err := cfg.parse("DATABASE_URL", cfg.URL)
	if err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, wake: make(chan struct{}, 1), replica: rand.Text(), clock: databaseClock{local: cfg.Now}, changed: make(chan struct{}),
		usual: usual,
		state: validator.SourceState{
			Source: validator.SourceDatabase, Health: validator.HealthUnavailable,
			Reason: "The database is starting.",
		},
	}
	if cfg.URL == "" {
		s.cluster, err = privatepg.Open(privatepg.Config{
			Dir: filepath.Join(cfg.DataDir, "postgres"), BinDir: cfg.PGBinDir, Settings: cfg.PrivateSettings, Log: cfg.Log,
		})
		if err != nil {
			return nil, fmt.Errorf("open the private database: %w", err)
		}
	}
	if cfg.DirectURL != "" {
		direct, err := cfg.parse("DATABASE_DIRECT_URL", cfg.DirectURL)
		if err != nil {
			return nil, err
		}
		s.direct = &direct
	}
	usual.pool.BeforeConnect = s.beforeConnect
	// The pool connects when it is first asked to.
	if s.pool, err = pgxpool.NewWithConfig(ctx, usual.pool); err != nil {
		err = fmt.Errorf("open the database: %w", err)
		if s.cluster != nil {
			err = errors.Join(err, s.cluster.Close())
		}
		return nil, err
	}
	s.shares = newShares(usual.pool.MaxConns, cfg.StatementTimeout)
	s.q = New(gate{s})
	s.life, s.end = context.WithCancel(context.WithoutCancel(ctx))
	return s, nil
}

// beforeConnect makes the configuration of a connection of the pool right.
func (s *Store) beforeConnect(_ context.Context, c *pgx.ConnConfig) error {
	s.prepareConn(c, nil)
	return s.directToSocket(c)
}

// directToSocket directs a connection to the private server's socket, wherever that is.
func (s *Store) directToSocket(c *pgx.ConnConfig) error {
	if s.cluster == nil {
		return nil
	}
	dir := s.cluster.SocketDir()
	if dir == "" {
		return ErrUnavailable
	}
	c.Host, c.Port, c.Database, c.User, c.Password = dir, 5432, privatepg.Role, privatepg.Role, ""
	c.TLSConfig, c.Fallbacks = nil, nil
	return nil
}

// afterConnect makes times come back in UTC.
func afterConnect(_ context.Context, c *pgx.Conn) error {
	c.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// PrivateURL is the URL under which programs of the same user reach the private server,
// "" with a database of one's own or before the server's place is known.
func (s *Store) PrivateURL() string {
	if s.cluster == nil {
		return ""
	}
	dir := s.cluster.SocketDir()
	if dir == "" {
		return ""
	}
	return privateURL(dir, privatepg.Role)
}

// RunningURL is the URL of the private server that another process of this program runs
// in a data directory; binDir is Config.PGBinDir.
func RunningURL(dataDir, binDir string) (string, error) {
	dir, err := privatepg.RunningSocketDir(filepath.Join(dataDir, "postgres"), binDir)
	if err != nil {
		return "", fmt.Errorf("find the private database: %w", err)
	}
	return privateURL(dir, privatepg.Role), nil
}

func privateURL(socketDir, database string) string {
	q := url.Values{"sslmode": {"disable"}}
	if socketDir != "" {
		q.Set("host", socketDir)
	}
	return (&url.URL{Scheme: "postgres", User: url.User(privatepg.Role), Path: "/" + database, RawQuery: q.Encode()}).String()
}

// Close ends Run, closes all connections and stops the private server.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.running.Wait()
	s.pool.Close()
	if s.cluster == nil {
		return nil
	}
	if err := s.cluster.Close(); err != nil {
		return fmt.Errorf("close the private database: %w", err)
	}
	return nil
}

// State says whether the database answers and takes writes, and if not why. It is stale while
// the database answers and takes none. ObservedAt is the last time at which it answered.
func (s *Store) State() validator.SourceState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Ready reports whether the database answers and its tables are up to date.
func (s *Store) Ready() bool { return isReady(s.State()) }

func isReady(st validator.SourceState) bool {
	return st.Health == validator.HealthOK || st.Health == validator.HealthStale
}

// CanStore reports whether the database also takes writes.
func (s *Store) CanStore() bool { return takesWrites(s.State()) }

func takesWrites(st validator.SourceState) bool { return st.Health == validator.HealthOK }

// WaitReady waits until the database is ready. If ctx ends first, the error matches
// ErrUnavailable and says what the database lacks.
func (s *Store) WaitReady(ctx context.Context) error { return s.waitFor(ctx, isReady) }

// waitFor waits until a state is right.
func (s *Store) waitFor(ctx context.Context, right func(validator.SourceState) bool) error {
	for {
		s.mu.Lock()
		state, changed := s.state, s.changed
		s.mu.Unlock()
		if right(state) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for the database: %w: %s: %w", ErrUnavailable, state.Reason, context.Cause(ctx))
		case <-s.life.Done():
			return fmt.Errorf("wait for the database: %w: it was closed", ErrUnavailable)
		}
	}
}

func (s *Store) setState(change func(*validator.SourceState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.state
	change(&s.state)
	if s.state.Health != before.Health || s.state.Reason != before.Reason {
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// enter ties a long call to the Store's life: Close ends its context and waits for leave.
func (s *Store) enter(ctx context.Context) (_ context.Context, leave func()) {
	s.mu.Lock()
	if !s.closed {
		s.running.Add(1)
		defer s.mu.Unlock()
		ctx, cancel := context.WithCancel(ctx)
		unhook := context.AfterFunc(s.life, cancel)
		return ctx, func() { unhook(); cancel(); s.running.Done() }
	}
	s.mu.Unlock()
	return s.life, func() {}
}

// look asks the watch to look after the database at once.
func (s *Store) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

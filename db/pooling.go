package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

// pooling is how long a connection of ours keeps the same connection of the server behind a
// pooler such as PgBouncer.
type pooling int

const (
	poolingSession     pooling = iota // always: there is no pooler, or one that pools sessions
	poolingTransaction                // for a transaction: nothing of a session outlives it
)

// poolerTries is how often two connections are compared. A pooler that gives out the connection
// that became free last, as PgBouncer does, is found by the first.
const poolerTries = 10

// startupSettings are the settings of a session that PgBouncer keeps for each of its clients.
// It refuses a connection whose first message names another, so those are made later.
var startupSettings = []string{"application_name", "client_encoding", "datestyle", "standard_conforming_strings", "timezone"}

// errStatementPooling is PgBouncer's answer to BEGIN where it pools single statements.
const errStatementPooling = "transaction blocks not allowed in statement pooling mode"

// findPooling finds out what stands between this program and the database's server. PgBouncer
// gives its clients keys of its own making, so a key that names another process than the
// server's shows a pooler. If it lends that process to another connection while the first is
// open, or gives the first another, then it pools transactions.
func (s *Store) findPooling(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*s.cfg.ConnectTimeout)
	defer cancel()
	first, err := s.connectBare(ctx)
	if err != nil {
		return fmt.Errorf("find out how connections are pooled: %w", err)
	}
	defer func() { _ = first.Close(context.WithoutCancel(ctx)) }()
	found, err := s.comparePooled(ctx, first)
	if pg, is := errors.AsType[*pgconn.PgError](err); is && strings.Contains(pg.Message, errStatementPooling) {
		return &privatepg.Problem{
			Reason: "DATABASE_URL leads through a pooler that shares connections by statement.",
			Remedy: "Set its pool_mode to transaction or session.",
			Cause:  err,
		}
	}
	if err != nil {
		return fmt.Errorf("find out how connections are pooled: %w", err)
	}
	if found == poolingTransaction && len(s.usual.fromURL) > 0 {
		return &privatepg.Problem{
			Reason: fmt.Sprintf("DATABASE_URL sets %s, which a pooler that shares connections by transaction cannot keep.", strings.Join(s.usual.fromURL, ", ")),
			Remedy: "Leave it out, and set it for the database's user: ALTER ROLE … SET ….",
		}
	}
	if before := s.setPooling(found); before != found && found == poolingTransaction {
		s.cfg.Log.Info("a pooler shares the database's connections by transaction; settings of a session are left to the database's user",
			slog.Any("advised", s.usersOwnSettings()))
	}
	return nil
}

// errPoolingChanged says that what was prepared and set is for another way of pooling.
var errPoolingChanged = errors.New("connections with the database are pooled in another way than before")

// sharesAsBefore fails where a new connection is no longer pooled as findPooling found. It takes
// no further one where there is no pooler, and cannot tell while none is to be had.
func (s *Store) sharesAsBefore(ctx context.Context, conn *pgx.Conn) error {
	if s.cluster != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*s.cfg.ConnectTimeout)
	defer cancel()
	found, err := s.comparePooled(ctx, conn)
	if refused, is := errors.AsType[*pgconn.ConnectError](err); is {
		s.cfg.Log.Debug("how connections are pooled cannot be found out", slog.Any("error", refused))
		return nil
	}
	if err != nil {
		return fmt.Errorf("find out how connections are pooled: %w", err)
	}
	if (found == poolingTransaction) != s.pooledByTransaction() {
		return errPoolingChanged
	}
	return nil
}

// comparePooled finds out how a connection that just began is pooled.
func (s *Store) comparePooled(ctx context.Context, first *pgx.Conn) (pooling, error) {
	process, err := serverProcess(ctx, first)
	if err != nil || process == first.PgConn().PID() {
		return poolingSession, err
	}
	second, err := s.connectBare(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = second.Close(context.WithoutCancel(ctx)) }()
	for range poolerTries {
		var lent, again uint32
		err := pgx.BeginFunc(ctx, second, func(tx pgx.Tx) (err error) {
			lent, err = serverProcess(ctx, tx)
			return err
		})
		if err == nil {
			again, err = serverProcess(ctx, first)
		}
		if err != nil {
			return 0, err
		}
		if lent == process || again != process {
			return poolingTransaction, nil
		}
	}
	return poolingSession, nil
}

// serverProcess is the server's process that answers.
func serverProcess(ctx context.Context, q interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}) (uint32, error) {
	var pid int64
	err := q.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	return uint32(pid), err
}

// connectBare connects without settings of the session.
func (s *Store) connectBare(ctx context.Context) (*pgx.Conn, error) {
	c := s.pool.Config().ConnConfig
	c.Tracer, c.AfterConnect = nil, nil
	return pgx.ConnectConfig(ctx, c)
}

// setPooling remembers how connections are pooled and returns what was believed before.
func (s *Store) setPooling(p pooling) (before pooling) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, s.pooling = s.pooling, p
	return before
}

func (s *Store) pooledByTransaction() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pooling == poolingTransaction
}

// prepareConn makes a connection's configuration right for how connections are pooled. Where
// they are lent by transaction, no statement is prepared under a name and no setting is made:
// the next transaction may be another server process's.
func (s *Store) prepareConn(c *pgx.ConnConfig, more map[string]string) {
	if s.pooledByTransaction() {
		c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		boundStatements(c, s.cfg.StatementTimeout)
		return
	}
	boundStatements(c, s.cfg.StatementTimeout+answerTime)
	makeSettings(c, s.usual.settings, more)
}

// makeSettings lets a connection make settings of its session once it stands.
func makeSettings(c *pgx.ConnConfig, settings, more map[string]string) {
	all := maps.Clone(settings)
	maps.Copy(all, more)
	var calls []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		calls = append(calls, fmt.Sprintf("set_config(%s, %s, false)", quoted(name), quoted(all[name])))
	}
	c.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		_, err := conn.Exec(ctx, "SELECT "+strings.Join(calls, ", ")).ReadAll()
		return err
	}
}

// usersOwnSettings are what every session of ours has where its settings can be made, as SQL
// that gives them to the database's user.
func (s *Store) usersOwnSettings() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.usual.settings)) {
		out = append(out, fmt.Sprintf("ALTER ROLE %s SET %s = %s", pgx.Identifier{s.usual.pool.ConnConfig.User}.Sanitize(), name, quoted(s.usual.settings[name])))
	}
	return out
}

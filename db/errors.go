package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Errors that callers tell apart, for errors.Is.
var (
	// ErrUnavailable says that the database cannot answer now; Store.State says why.
	ErrUnavailable = errors.New("the database is not available")
	// ErrNotFound says that there is no such row, or that it is another wallet's.
	ErrNotFound = errors.New("not found in the database")
	// ErrInvalid says that the database refuses a value; the message says which.
	ErrInvalid = errors.New("refused by the database")
)

// fail gives an error of the driver its kind and says what was attempted.
func (s *Store) fail(attempt string, err error) error {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrInvalid), errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", attempt, err)
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("%s: %w", attempt, ErrNotFound)
	case isOutage(err), !s.Ready() && !errors.As(err, &pg):
		s.look()
		return fmt.Errorf("%s: %w", attempt, outage(err))
	case errors.As(err, &pg) && (class(pg) == "22" || class(pg) == "23"):
		return fmt.Errorf("%s: %w: %w", attempt, ErrInvalid, err)
	}
	return fmt.Errorf("%s: %w", attempt, err)
}

// BrokenRule returns the name of the database's rule that a refused value breaks, such as
// jobs_payment_amount_is_u256; "" if the refusal names none.
func BrokenRule(err error) string {
	if pg, is := errors.AsType[*pgconn.PgError](err); is {
		return pg.ConstraintName
	}
	return ""
}

// isConflict reports whether the database undid a write because of another's: a deadlock or a
// serialization failure, after which the same write may succeed.
func isConflict(err error) bool {
	pg, is := errors.AsType[*pgconn.PgError](err)
	return is && (pg.Code == "40001" || pg.Code == "40P01")
}

// isMovedPartition says whether a row's time got a partition of its own while the row was on
// its way to where it would have waited for one. Unlike a broken rule of ours, this refusal
// names no constraint.
func isMovedPartition(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23514" && pg.ConstraintName == ""
}

// class is the class of an SQLSTATE.
func class(e *pgconn.PgError) string { return e.Code[:min(2, len(e.Code))] }

// isOutage says whether an error means that the database cannot answer, rather than that
// the question was wrong.
func isOutage(err error) bool {
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &connect), errors.As(err, &network):
		return true
	case errors.As(err, &pg):
		switch class(pg) {
		case "08", "53", "57", "58": // connection, resources, intervention or time-out, system
			return true
		}
		_, hindered := hindrances[pg.Code]
		return isConflict(err) || hindered || pg.Code == stateReadOnly || pg.Code == stateLocked
	}
	for _, target := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.DeadlineExceeded, pgconn.ErrConnClosed,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

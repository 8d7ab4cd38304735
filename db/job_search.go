package db

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// searchTime is how long a search for a text in jobs may run: error messages are looked through
// one by one, of as many jobs as failed.
const searchTime = 2 * time.Second

// ErrSearchTooLong says that a search did not end within its time. It comes as an UnavailableError.
var ErrSearchTooLong = errors.New("the search takes too long")

// SearchTooLong says in words what to do about ErrSearchTooLong.
const SearchTooLong = "The search takes too long. Narrow it by type, state or days."

// searching runs reads of a filter: one that looks for a text under the time that a search has.
func (s *Store) searching(ctx context.Context, f JobFilter, read func(*Queries) error) error {
	if f.Search == "" {
		return read(s.q)
	}
	err := s.inSnapshot(ctx, func(q *Queries) error {
		if err := q.limitStatements(ctx, milliseconds(searchTime)); err != nil {
			return err
		}
		return read(q)
	})
	if pg, is := errors.AsType[*pgconn.PgError](err); is && pg.Code == stateCanceled {
		return &UnavailableError{Reason: SearchTooLong, Cause: errors.Join(ErrSearchTooLong, err)}
	}
	return err
}

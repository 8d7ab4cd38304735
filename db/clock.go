package db

import (
	"context"
	"time"
)

// Clock returns the time by the database's clock, which all servers on it share.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	at, err := s.q.databaseTime(ctx)
	return at, s.fail("read the database's clock", err)
}

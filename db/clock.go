package db

import (
	"context"
	"sync"
	"time"
)

// databaseClock tells the database's time, to which all programs on it agree, whatever their
// own clocks say. It is this machine's until the database has answered.
type databaseClock struct {
	local func() time.Time // with a monotonic reading

	mu        sync.Mutex
	at        time.Time     // local, when the database answered
	reference time.Time     // by the database then; zero = never
	inexact   time.Duration // how far off that may be
	fell      chan struct{} // closed when the time goes back
}

// clockSlack is how far a new answer may be from what the clock tells before the clock is set
// anew, beside how exact both are: times that pages show stay the same until something is wrong.
const clockSlack = 50 * time.Millisecond

// clockFall is by how much the time must go back at once before whoever waits for a later one
// is known.
const clockFall = time.Second

func (c *databaseClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nowLocked(c.local())
}

func (c *databaseClock) nowLocked(local time.Time) time.Time {
	if c.reference.IsZero() {
		return local.UTC()
	}
	return c.reference.Add(local.Sub(c.at)).UTC()
}

// set takes the database's time, read between two times of this machine. An answer that was on
// its way for longer than those before counts only where it contradicts them.
func (c *databaseClock) set(asked, answered, reference time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	inexact := answered.Sub(asked) / 2
	at := asked.Add(inexact)
	off := reference.Sub(c.nowLocked(at))
	if !c.reference.IsZero() && off.Abs() <= c.inexact+inexact+clockSlack {
		return
	}
	c.at, c.reference, c.inexact = at, reference, inexact
	if off < -clockFall && c.fell != nil {
		close(c.fell)
		c.fell = nil
	}
}

// fall is closed when the database's time next goes back, by what it tells: a time that was to
// come soon is far off then.
func (c *databaseClock) fall() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fell == nil {
		c.fell = make(chan struct{})
	}
	return c.fell
}

// Now is the database's time, as far as this program knows it: until the database has answered,
// it is this machine's.
func (s *Store) Now() time.Time { return s.clock.now() }

// Clock is Now, or ErrUnavailable while nobody knows whether that still holds.
func (s *Store) Clock(context.Context) (time.Time, error) {
	return s.Now(), s.fail("read the database's clock", (gate{s}).open())
}

// ClockOffset is how far the database's clock is ahead of this machine's.
func (s *Store) ClockOffset() time.Duration { return s.clock.now().Sub(s.clock.local().Round(0)) }

// queueClock lets the job queue judge times by the database's clock.
type queueClock struct{ s *Store }

// Now is the database's time.
func (c queueClock) Now() time.Time { return c.s.Now() }

// NowOrNil leaves times that only the database uses to the database.
func (queueClock) NowOrNil() *time.Time { return nil }

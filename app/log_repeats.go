package app

import (
	"context"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How many lines of one cause, and of one message whatever its cause, are logged: so many at
// once, and one per period after that.
const (
	causeBurst, causeEvery     = 20, 10 * time.Second
	messageBurst, messageEvery = 100, time.Second
	causesMost                 = 1000
	// repeatsAfter is how long a cause rests before its last count is logged.
	repeatsAfter = time.Minute
)

// causeKeys are the attributes that tell causes of one message apart.
var causeKeys = map[string]bool{"error": true, "cause": true, "reason": true, "event": true, "route": true, "read": true, "task": true, "periodic_job": true}

// varying is what differs between two lines of the same cause: numbers, hashes and texts of
// somebody else's.
var varying = regexp.MustCompile(`"[^"]*"|0[xX][0-9a-fA-F]+|[0-9a-fA-F]*[0-9][0-9a-fA-F]*`)

// repeats counts lines by their cause.
type repeats struct {
	mu     sync.Mutex
	causes map[string]*repeated
}

type repeated struct {
	limit   *rate.Limiter
	left    int // out, since the last line
	at      time.Time
	level   slog.Level
	message string
}

// repeatLimit leaves out lines that repeat too often and logs how many there were. Debug
// lines are asked for, and pass.
type repeatLimit struct {
	slog.Handler

	seen *repeats
}

func limitRepeats(next slog.Handler) repeatLimit {
	return repeatLimit{next, &repeats{causes: make(map[string]*repeated)}}
}

// Handle logs a line, or counts it.
func (h repeatLimit) Handle(ctx context.Context, line slog.Record) error {
	if line.Level < slog.LevelInfo {
		return h.Handler.Handle(ctx, line)
	}
	h.seen.rested(ctx, h.Handler, line.Time)
	logged, left := h.seen.take(line)
	if !logged {
		return nil
	}
	if left > 0 {
		line = line.Clone()
		line.AddAttrs(slog.Int("left_out", left))
	}
	return h.Handler.Handle(ctx, line)
}

// take counts a line; left is how many of its cause were left out before it.
func (r *repeats) take(line slog.Record) (logged bool, left int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.of(causeOf(line), line, rate.Every(causeEvery), causeBurst)
	all := r.of("message "+line.Message, line, rate.Every(messageEvery), messageBurst)
	if !c.limit.AllowN(line.Time, 1) || !all.limit.AllowN(line.Time, 1) {
		c.left++
		return false, 0
	}
	left, c.left = c.left, 0
	return true, left
}

// of finds what is known of a key. Keys beyond causesMost share one.
func (r *repeats) of(key string, line slog.Record, every rate.Limit, burst int) *repeated {
	c, known := r.causes[key]
	if !known && len(r.causes) >= causesMost {
		key = "others"
		c, known = r.causes[key]
	}
	if !known {
		c = &repeated{limit: rate.NewLimiter(every, burst), level: line.Level, message: line.Message}
		r.causes[key] = c
	}
	c.at = line.Time
	return c
}

// rested logs what was left out of causes that came to rest, and forgets those.
func (r *repeats) rested(ctx context.Context, next slog.Handler, now time.Time) {
	r.mu.Lock()
	var lines []slog.Record
	for key, c := range r.causes {
		if now.Sub(c.at) < repeatsAfter {
			continue
		}
		if c.left > 0 {
			line := slog.NewRecord(now, c.level, "lines of one cause were left out", 0)
			line.AddAttrs(slog.String("of", c.message), slog.Int("left_out", c.left))
			lines = append(lines, line)
			c.left = 0
		}
		if now.Sub(c.at) >= messageBurst*messageEvery+causeBurst*causeEvery { // its allowance is whole again
			delete(r.causes, key)
		}
	}
	r.mu.Unlock()
	for _, line := range lines {
		_ = next.Handle(ctx, line)
	}
}

// causeOf names what a line is about without what varies between two of the same cause.
func causeOf(line slog.Record) string {
	const longest = 300
	key := line.Level.String() + " " + line.Message
	line.Attrs(func(a slog.Attr) bool {
		if causeKeys[a.Key] {
			key += " " + a.Key + "=" + varying.ReplaceAllString(a.Value.String(), "#")
		}
		return true
	})
	return key[:min(len(key), longest)]
}

// WithAttrs counts together with the logger that it is made from.
func (h repeatLimit) WithAttrs(attrs []slog.Attr) slog.Handler {
	return repeatLimit{h.Handler.WithAttrs(attrs), h.seen}
}

// WithGroup counts together with the logger that it is made from.
func (h repeatLimit) WithGroup(name string) slog.Handler {
	return repeatLimit{h.Handler.WithGroup(name), h.seen}
}

package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// flood logs lines at a time of the test's choice.
func flood(h slog.Handler, at time.Time, level slog.Level, lines int, line func(n int) (string, slog.Attr)) {
	for n := range lines {
		message, attr := line(n)
		r := slog.NewRecord(at, level, message, 0)
		r.AddAttrs(attr)
		_ = h.Handle(context.Background(), r)
	}
}

func TestRepeatsOfACauseAreCountedRatherThanLogged(t *testing.T) {
	var log bytes.Buffer
	h := limitRepeats(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	same := func(n int) (string, slog.Attr) {
		return "request failed", slog.Any("cause", fmt.Errorf("row %d of \"worker-%d\" at 0x%x is refused", n, n, n))
	}
	flood(h, at, slog.LevelError, 1000, same)
	if n := strings.Count(log.String(), "\n"); n != causeBurst {
		t.Errorf("%d lines of one cause are logged, want %d", n, causeBurst)
	}
	log.Reset()
	flood(h.WithAttrs([]slog.Attr{slog.String("room", "web")}), at, slog.LevelError, 1, func(int) (string, slog.Attr) {
		return "request failed", slog.Any("cause", errors.New("another cause"))
	})
	if !strings.Contains(log.String(), "another cause") {
		t.Error("a flood of one cause hides another")
	}
	log.Reset()
	at = at.Add(causeEvery)
	flood(h, at, slog.LevelError, 1, same)
	if want := fmt.Sprintf("left_out=%d", 1000-causeBurst); !strings.Contains(log.String(), want) {
		t.Errorf("the next line lacks %s: %s", want, log.String())
	}
	flood(h, at, slog.LevelError, 7, same)
	log.Reset()
	h.seen.rested(t.Context(), h.Handler, at.Add(repeatsAfter))
	if !strings.Contains(log.String(), `of="request failed" left_out=7`) {
		t.Errorf("a flood that is over is not summed up: %s", log.String())
	}
	log.Reset()
	flood(h, at, slog.LevelDebug, 500, same)
	if n := strings.Count(log.String(), "\n"); n != 500 {
		t.Errorf("%d of 500 debug lines are logged", n)
	}
}

func TestAFloodOfManyCausesIsBoundedToo(t *testing.T) {
	var log bytes.Buffer
	h := limitRepeats(slog.NewTextHandler(&log, nil))
	letters := "abcdefghijklmnopqrstuvwxyz"
	flood(h, time.Now(), slog.LevelInfo, 5000, func(n int) (string, slog.Attr) {
		return "audit", slog.String("event", string([]byte{letters[n%26], 'z', letters[n/26%26], 'z', letters[n/676%26]}))
	})
	if n := strings.Count(log.String(), "\n"); n != messageBurst {
		t.Errorf("%d lines are logged, want %d", n, messageBurst)
	}
	if n := len(h.seen.causes); n > causesMost+1 {
		t.Errorf("%d causes are remembered", n)
	}
}

// stuckReader takes nothing until it is let go.
type stuckReader struct {
	free chan struct{}
	log  bytes.Buffer
}

func (s *stuckReader) Write(b []byte) (int, error) {
	<-s.free
	return s.log.Write(b)
}

func TestALogWithoutReaderNeitherWaitsNorGrows(t *testing.T) {
	out := &stuckReader{free: make(chan struct{})}
	w := newLogWriter(out, func(n int64) string { return fmt.Sprintf("lost %d\n", n) })
	line := []byte(strings.Repeat("x", 1023) + "\n")
	const written = 5000
	for range written {
		if n, err := w.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	if q := w.queued.Load(); q > logBytesMost {
		t.Errorf("%d bytes are queued", q)
	}
	close(out.free)
	w.flush()
	<-w.ended
	var lost int
	kept := strings.Count(out.log.String(), "x\n")
	if _, text, known := strings.Cut(out.log.String(), "lost "); !known {
		t.Fatal("nothing says that lines were lost")
	} else if _, err := fmt.Sscan(text, &lost); err != nil || kept+lost != written {
		t.Errorf("%d lines were kept and %d lost, of %d: %v", kept, lost, written, err)
	}
}

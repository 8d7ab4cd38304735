package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// logs are what a server writes: its log and the lines for who started it. Neither can stop
// it, whatever becomes of their readers.
type logs struct {
	log    *slog.Logger
	stdout io.Writer
	seen   *repeats
	next   slog.Handler
	out    []*logWriter
	stop   chan struct{}
}

func startLogs(level slog.Level, stdout, stderr io.Writer) *logs {
	lost := func(n int64) string {
		return fmt.Sprintf("time=%s level=WARN msg=\"lines of the log were lost, since nobody read it\" lines=%d\n", time.Now().UTC().Format(time.RFC3339Nano), n)
	}
	errs, lines := newLogWriter(stderr, lost), newLogWriter(stdout, func(int64) string { return "" })
	limited := limitRepeats(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: level}))
	l := &logs{log: slog.New(limited), stdout: lines, seen: limited.seen, next: limited.Handler, out: []*logWriter{errs, lines}, stop: make(chan struct{})}
	// Go ends a program that writes to a standard stream without a reader, unless it asks for
	// the signal. Ignoring it would be inherited by PostgreSQL.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go l.count()
	return l
}

// count logs what was left out also when nothing else is logged.
func (l *logs) count() {
	every := time.NewTicker(repeatsAfter / 2)
	defer every.Stop()
	for {
		select {
		case <-l.stop:
			return
		case now := <-every.C:
			l.seen.rested(context.Background(), l.next, now)
		}
	}
}

// close writes what is left, as far as somebody reads it.
func (l *logs) close() {
	close(l.stop)
	for _, w := range l.out {
		w.flush()
	}
}

// LastWords writes why the program ends, for a moment only: a reader that stopped must not
// keep it.
func LastWords(w io.Writer, text string) {
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(w, text)
	}()
	select {
	case <-written:
	case <-time.After(logFlushLimit):
	}
}

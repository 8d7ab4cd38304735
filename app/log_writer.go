package app

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// What the log may hold for a reader that is slow.
const (
	logLinesMost  = 8192
	logBytesMost  = 1 << 20
	logFlushLimit = 2 * time.Second // at the end
)

// logWriter writes lines to a log without ever keeping its caller: a reader that stopped,
// so that the pipe is full, or that is gone, costs lines and nothing else. How many were
// lost is written when the reader goes on.
type logWriter struct {
	out    io.Writer
	notice func(lost int64) string // "" says nothing

	lines  chan []byte
	queued atomic.Int64 // bytes
	lost   atomic.Int64 // lines
	ending chan struct{}
	end    sync.Once
	ended  chan struct{}
}

func newLogWriter(out io.Writer, notice func(lost int64) string) *logWriter {
	w := &logWriter{out: out, notice: notice, lines: make(chan []byte, logLinesMost), ending: make(chan struct{}), ended: make(chan struct{})}
	go w.run()
	return w
}

// Write takes a line, or counts it as lost. It never fails.
func (w *logWriter) Write(line []byte) (int, error) {
	if size := int64(len(line)); w.queued.Add(size) > logBytesMost {
		w.queued.Add(-size)
		w.lost.Add(1)
		return len(line), nil
	}
	select {
	case w.lines <- append([]byte(nil), line...):
	default:
		w.queued.Add(-int64(len(line)))
		w.lost.Add(1)
	}
	return len(line), nil
}

func (w *logWriter) run() {
	defer close(w.ended)
	for {
		select {
		case line := <-w.lines:
			w.put(line)
		case <-w.ending:
			for {
				select {
				case line := <-w.lines:
					w.put(line)
				default:
					w.tellLost()
					return
				}
			}
		}
	}
}

func (w *logWriter) put(line []byte) {
	w.queued.Add(-int64(len(line)))
	if _, err := w.out.Write(line); err != nil { // nobody reads now; another reader may come
		w.lost.Add(1)
		return
	}
	w.tellLost()
}

func (w *logWriter) tellLost() {
	n := w.lost.Swap(0)
	if n == 0 {
		return
	}
	text := w.notice(n)
	if text == "" {
		return
	}
	if _, err := io.WriteString(w.out, text); err != nil {
		w.lost.Add(n)
	}
}

// flush writes what is queued, as far as the reader takes it in a moment. What is written
// later is lost.
func (w *logWriter) flush() {
	w.end.Do(func() { close(w.ending) })
	select {
	case <-w.ended:
	case <-time.After(logFlushLimit):
	}
}

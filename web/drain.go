package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

// finishTime is how long open requests have once no new ones are taken: as long as a sender
// may take for a report.
const finishTime = readBody

// drainWords say why a server that ends is not ready.
const drainWords = "This server is ending: it finishes the requests that it has. Send new ones to another replica, or again once it has started."

// drain is what a server that is asked to end knows of its requests.
type drain struct {
	begun atomic.Bool
	open  atomic.Int64 // requests that are not answered to their end
}

// finish answers what is open, and for drainTime also what comes, as a server that is not
// ready; then it closes the listener. What is open after finishTime is cut off.
func (s *Server) finish(ctx context.Context, srv *http.Server, failed <-chan error) error {
	s.drain.begun.Store(true)
	s.log.InfoContext(ctx, "asked to end: not ready any more", slog.Duration("takes_requests_for", s.drainTime))
	select {
	case err := <-failed:
		return fmt.Errorf("serve http: %w", err)
	case <-time.After(s.drainTime):
	}
	s.log.InfoContext(ctx, "no new requests are taken", slog.Int64("open", s.drain.open.Load()), slog.Duration("finish_within", finishTime))
	ctx, cancel := context.WithTimeout(ctx, finishTime)
	defer cancel()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) { // who sent them knows that they are not answered
		s.log.WarnContext(ctx, "open requests were cut off", slog.Int64("open", s.drain.open.Load()))
		err = srv.Close()
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("finish requests: %w", err)
	}
	return nil
}

// countOpen counts open requests, and asks clients of a server that ends for another
// connection, which leads to another replica.
func (s *Server) countOpen(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		s.drain.open.Add(1)
		defer s.drain.open.Add(-1)
		if s.drain.begun.Load() {
			c.Response().Header().Set("Connection", "close")
		}
		return next(c)
	}
}

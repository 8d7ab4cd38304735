package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
)

type bodyBytesKey struct{}

// countedBody counts the bytes of a request's body as they are read.
type countedBody struct {
	io.ReadCloser

	bytes *atomic.Int64
}

func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes.Add(int64(n))
	return n, err
}

// countBody lets a handler know how long a request's body was, also where no header says so.
func countBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.Method != http.MethodPost {
			return next(c)
		}
		bytes := new(atomic.Int64)
		r = r.WithContext(context.WithValue(r.Context(), bodyBytesKey{}, bytes))
		r.Body = countedBody{r.Body, bytes}
		c.SetRequest(r)
		return next(c)
	}
}

// spend counts rows that a worker's own token sends against the worker's quota of the day. Who runs
// the server, and coordinators, have none.
func (s *Server) spend(ctx context.Context, rows int) error {
	worker := viewerOf(ctx).wallet()
	if worker == "" {
		return nil
	}
	bytes := int64(0)
	if counted, is := ctx.Value(bodyBytesKey{}).(*atomic.Int64); is {
		bytes = counted.Load()
	}
	err := s.db.SpendIngest(ctx, worker, int64(rows), bytes)
	if over, is := errors.AsType[*db.QuotaError](err); is {
		p := newProblem(http.StatusTooManyRequests, fmt.Sprintf("Nothing was stored: a worker may send %s rows and %s MB in a day (UTC), and this one has sent %s and %s today. Send the rest tomorrow, or ask who runs this server for more.",
			integer(over.Quota.Rows), integer(over.Quota.Bytes>>20), integer(over.Spent.Rows), integer(over.Spent.Bytes>>20)))
		p.retryAfter = over.Ends
		return p
	}
	if err != nil {
		return s.storeProblem(err)
	}
	return nil
}

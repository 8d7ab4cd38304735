package web

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

// requestIDHeader has a request's ID in its answer. Clients do not choose it, so that it
// names one request in the log.
const requestIDHeader = "X-Request-Id"

// requestRecord is what the log says of a request. One goroutine at a time has it.
type requestRecord struct {
	id    string
	cause error  // why it failed
	stack []byte // of a panic

	refusalKept bool // in the audit log, or counted
}

type requestKey struct{}

// recordOf returns a request's record, and an empty one for what is no request.
func recordOf(ctx context.Context) *requestRecord {
	if r, has := ctx.Value(requestKey{}).(*requestRecord); has {
		return r
	}
	return &requestRecord{}
}

// failedBy notes why a request failed, for the one line that the log has of it.
func failedBy(ctx context.Context, err error) { recordOf(ctx).cause = err }

// identified gives a failed request's problem the request's ID. Requests may share a problem.
func (p *problem) identified(ctx context.Context) *problem {
	if p.Status < http.StatusInternalServerError {
		return p
	}
	own := *p
	own.RequestID = recordOf(ctx).id
	return &own
}

// logRequests gives every request its ID, and logs each failed one in one line with its
// cause. The others are logged at debug level: health checks and polls would drown the rest.
func (s *Server) logRequests(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		record := &requestRecord{id: rand.Text()}
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), requestKey{}, record)))
		c.Response().Header().Set(requestIDHeader, record.id)
		if err := next(c); err != nil {
			c.Error(err)
		}
		s.auditForbidden(c)
		r, status := c.Request(), c.Response().Status
		attrs := []slog.Attr{slog.String("method", r.Method), slog.String("route", c.Path()), slog.Int("status", status)}
		if status < http.StatusInternalServerError || r.Context().Err() != nil { // nobody waits for the answer
			s.log.LogAttrs(r.Context(), slog.LevelDebug, "request", append(attrs, slog.Duration("took", time.Since(start)))...)
			return nil
		}
		attrs = append(attrs, slog.String("cause", causeText(record.cause, status)))
		if record.stack != nil {
			attrs = append(attrs, slog.String("stack", string(record.stack)))
		}
		s.log.LogAttrs(r.Context(), slog.LevelError, "request failed", attrs...)
		return nil
	}
}

// causeText says for the log why a request failed: what people do not see, if there is such.
func causeText(err error, status int) string {
	if err == nil {
		return http.StatusText(status)
	}
	var p *problem
	if errors.As(err, &p) && p.cause != nil {
		return p.cause.Error()
	}
	return err.Error()
}

// notePanic keeps a panic as the cause of a request's failure.
func notePanic(c echo.Context, err error, _ []byte) error {
	record := recordOf(c.Request().Context())
	record.cause, record.stack = err, debug.Stack()
	return err
}

// humaProblem makes huma's own failures problems that name their request.
func humaProblem(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
	err := huma.NewError(status, msg, errs...)
	p, is := err.(*problem)
	if !is || p.Status < http.StatusInternalServerError {
		return err
	}
	failedBy(ctx.Context(), p)
	return p.identified(ctx.Context())
}

// requestLog adds to every line the ID of the request that it is about.
type requestLog struct{ slog.Handler }

// Handle logs a line.
func (h requestLog) Handle(ctx context.Context, line slog.Record) error {
	if id := recordOf(ctx).id; id != "" {
		line.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs keeps the ID in the lines of a logger that is made from this.
func (h requestLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return requestLog{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the ID in the lines of a logger that is made from this.
func (h requestLog) WithGroup(name string) slog.Handler {
	return requestLog{h.Handler.WithGroup(name)}
}

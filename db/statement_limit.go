package db

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
)

// answerTime is how long after its own statement_timeout a server may say so. One that says
// nothing stands still, or is out of reach.
const answerTime = 2 * time.Second

// milliseconds writes a time as the server's settings have it; 0 = no limit.
func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// boundStatements gives up statements that take too long, whatever the server does. A server's
// own statement_timeout says more, where the session has one.
func boundStatements(c *pgx.ConnConfig, limit time.Duration) {
	l := &statementLimit{limit: limit}
	if c.Tracer == nil {
		c.Tracer = l
		return
	}
	c.Tracer = multitracer.New(c.Tracer, l)
}

// statementLimit ends the contexts of statements. Its own context values are those that the
// driver hands from a statement's beginning to its end.
type statementLimit struct{ limit time.Duration }

type (
	limitKey struct{} // time.Duration, in the context of statements that have another limit
	endKey   struct{} // context.CancelFunc, in the context of one that runs
)

// withStatementLimit gives statements another limit than the usual one; 0 = none.
func withStatementLimit(ctx context.Context, limit time.Duration) context.Context {
	return context.WithValue(ctx, limitKey{}, limit)
}

func (l *statementLimit) begin(ctx context.Context) context.Context {
	limit, own := ctx.Value(limitKey{}).(time.Duration)
	if !own {
		limit = l.limit
	}
	if limit == 0 {
		return ctx
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	return context.WithValue(ctx, endKey{}, cancel)
}

func (l *statementLimit) end(ctx context.Context) {
	if cancel, begun := ctx.Value(endKey{}).(context.CancelFunc); begun {
		cancel()
	}
}

// TraceQueryStart begins a statement.
func (l *statementLimit) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return l.begin(ctx)
}

// TraceQueryEnd ends it.
func (l *statementLimit) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	l.end(ctx)
}

// TraceBatchStart begins a batch.
func (l *statementLimit) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return l.begin(ctx)
}

// TraceBatchQuery leaves a batch's statements to the batch's limit.
func (*statementLimit) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd ends it.
func (l *statementLimit) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchEndData) {
	l.end(ctx)
}

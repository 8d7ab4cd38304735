package web

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// delay makes every query take as much longer as a network far away would.
type delay time.Duration

func (d delay) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	select {
	case <-time.After(time.Duration(d)):
	case <-ctx.Done():
	}
	return ctx
}

func (delay) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// BenchmarkDashboardOnASlowDatabase shows the page of a wallet that nothing is remembered of.
func BenchmarkDashboardOnASlowDatabase(b *testing.B) {
	store := dbtest.Open(b, db.Config{URL: dbtest.NewURL(b), Tracer: delay(20 * time.Millisecond), MaxConnections: 16})
	s := newServer(b, store)
	for n := 1; b.Loop(); n++ {
		if w := visit(s, fmt.Sprintf("/?wallet=0x%x", n)); w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}

package web

import (
	"context"
	"log/slog"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
)

// origin is where a request came from.
type origin struct{ address, userAgent string }

func originOf(c echo.Context) origin {
	return origin{shortText(c.RealIP(), maxUserAgent), shortText(c.Request().UserAgent(), maxUserAgent)}
}

// audit keeps a record of what was done with a wallet's access. What was done stays done if
// the record cannot be kept; the log then has it.
func (s *Server) audit(ctx context.Context, from origin, e db.AuditEvent) {
	e.At, e.ClientAddress, e.UserAgent = s.now(), from.address, from.userAgent
	attrs := []any{slog.String("event", string(e.Kind)), slog.String("wallet", string(e.Wallet)), slog.String("detail", e.Detail),
		slog.String("actor", string(e.Actor)), slog.String("client", e.ClientAddress)}
	if err := s.db.Audit(context.WithoutCancel(ctx), e); err != nil {
		s.log.ErrorContext(ctx, "audit event could not be kept", append(attrs, slog.Any("error", err))...)
		return
	}
	s.log.InfoContext(ctx, "audit", attrs...)
}

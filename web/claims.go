package web

import (
	"context"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// claims returns a wallet's newest claims.
func (s *Server) claims(ctx context.Context, asked *databaseRead, wallet validator.Address) validator.Maybe[[]validator.Claim] {
	return readDB(ctx, s, asked, "claims", wallet, func(ctx context.Context) ([]validator.Claim, error) {
		return s.db.Claims(ctx, wallet, claimsShown)
	})
}

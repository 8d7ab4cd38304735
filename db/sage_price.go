package db

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// sagePricesKept is how long observed prices are kept; those at claims stay.
const sagePricesKept = 400 * 24 * time.Hour

// StoreSAGEPrice keeps an observed price, and forgets those that are too old to be shown.
func (s *Store) StoreSAGEPrice(ctx context.Context, p validator.SAGEPrice) error {
	err := s.q.storeSAGEPrice(ctx, storeSAGEPriceParams{ObservedAt: p.At, Currency: p.Currency, Price: validator.PriceText(p.Amount), Source: p.Source})
	if err == nil {
		err = s.q.forgetSAGEPricesBefore(ctx, p.At.Add(-sagePricesKept))
	}
	return s.fail("keep a price of SAGE", err)
}

// SAGEPrice returns the newest observed price, nil if there never was one.
func (s *Store) SAGEPrice(ctx context.Context) (*validator.SAGEPrice, error) {
	row, err := s.q.newestSAGEPrice(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, s.fail("read the price of SAGE", err)
	}
	amount, ok := new(big.Rat).SetString(row.Price)
	if !ok {
		return nil, fmt.Errorf("read the price of SAGE: the database has %q", row.Price)
	}
	return &validator.SAGEPrice{Amount: amount, Currency: row.Currency, Source: row.Source, At: row.ObservedAt}, nil
}

// PricedClaim is a claim with what one SAGE was worth when it arrived.
type PricedClaim struct {
	validator.Claim

	Price *validator.ClaimPrice // nil if not recorded
}

// PricedClaims returns a wallet's claims with their prices, newest first.
func (s *Store) PricedClaims(ctx context.Context, address validator.Address, limit int) ([]PricedClaim, error) {
	rows, err := s.q.listPricedClaims(ctx, listPricedClaimsParams{Address: address, MaxRows: pageSize(limit)})
	out := make([]PricedClaim, len(rows))
	for i, r := range rows {
		out[i] = PricedClaim{r.ClaimRow.claim(), claimPrice(r.Price, r.PriceCurrency, r.PriceSource, r.PriceAt, r.PriceByHand)}
	}
	return out, s.fail("list claims", err)
}

// ErrPriceObserved says that a claim has a price that was observed, which nobody replaces.
var ErrPriceObserved = errors.New("the claim has an observed price")

// SetClaimPrice records what the wallet's owner says one SAGE was worth when a claim arrived.
// ErrNotFound: the wallet has no confirmed claim of that transaction. ErrPriceObserved: an
// observed price stands with it.
func (s *Store) SetClaimPrice(ctx context.Context, address validator.Address, tx validator.Felt, price validator.SAGEPrice) error {
	changed, err := s.q.setClaimPrice(ctx, setClaimPriceParams{
		Address: address, TxHash: &tx, Currency: price.Currency, Price: validator.PriceText(price.Amount), EnteredAt: price.At,
	})
	if err != nil || changed > 0 {
		return s.fail("record a claim's price", err)
	}
	claim, err := s.Claim(ctx, address, tx)
	switch {
	case err != nil:
		return err
	case claim.Status != validator.ClaimConfirmed:
		return fmt.Errorf("record a claim's price: %w", ErrNotFound)
	}
	return fmt.Errorf("record a claim's price: %w", ErrPriceObserved)
}

// claimPrice is nil for a claim without a price.
func claimPrice(price, currency, source string, at *time.Time, byHand bool) *validator.ClaimPrice {
	amount, ok := new(big.Rat).SetString(price)
	if !ok || at == nil {
		return nil
	}
	return &validator.ClaimPrice{SAGEPrice: validator.SAGEPrice{Amount: amount, Currency: currency, Source: source, At: *at}, ByHand: byHand}
}

package db

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// MostOpenClaims is how many claims of a wallet may be open at a time.
const MostOpenClaims = 20

// ErrTooManyClaims says that a wallet has MostOpenClaims open claims.
var ErrTooManyClaims = errors.New("too many claims of this wallet are open")

// SubmitClaim notes that a wallet sent a claim's transaction, and returns the claim as it
// stands: the same transaction noted again changes nothing, unless it had expired. The same
// transaction of another wallet is a claim of its own. ErrTooManyClaims: nothing was noted.
func (s *Store) SubmitClaim(ctx context.Context, address validator.Address, tx validator.Felt, kind validator.RewardKind, now time.Time) (validator.Claim, error) {
	err := s.inTransaction(ctx, func(q *Queries) error {
		if err := q.lockClaims(ctx, string(address)); err != nil {
			return err
		}
		open, err := q.countOtherOpenClaims(ctx, countOtherOpenClaimsParams{Address: address, TxHash: &tx})
		if err != nil {
			return err
		}
		if open >= MostOpenClaims {
			return ErrTooManyClaims
		}
		return q.submitClaim(ctx, submitClaimParams{Address: address, TxHash: &tx, ClaimType: kind, ClaimTime: now})
	})
	if err != nil {
		return validator.Claim{}, s.fail("note a claim", err)
	}
	row, err := s.q.getClaim(ctx, getClaimParams{Address: address, TxHash: &tx})
	if err != nil {
		return validator.Claim{}, s.fail("read a claim", err)
	}
	return row.claim(), nil
}

// Claim returns a wallet's claim by its transaction. ErrNotFound: it is unknown.
func (s *Store) Claim(ctx context.Context, address validator.Address, tx validator.Felt) (validator.Claim, error) {
	row, err := s.q.getClaim(ctx, getClaimParams{Address: address, TxHash: &tx})
	if errors.Is(err, pgx.ErrNoRows) {
		return validator.Claim{}, fmt.Errorf("read a claim: %w", ErrNotFound)
	}
	if err != nil {
		return validator.Claim{}, s.fail("read a claim", err)
	}
	return row.claim(), nil
}

// Claims returns a wallet's claims, newest first.
func (s *Store) Claims(ctx context.Context, address validator.Address, limit int) ([]validator.Claim, error) {
	rows, err := s.q.listClaims(ctx, listClaimsParams{Address: address, MaxRows: pageSize(limit)})
	return claims(rows), s.fail("list claims", err)
}

// OpenClaims returns claims of all wallets whose outcome is not known yet: the newest
// of each wallet first, then the second newest of each.
func (s *Store) OpenClaims(ctx context.Context, limit int) ([]validator.Claim, error) {
	rows, err := s.q.listOpenClaims(ctx, pageSize(limit))
	return claims(rows), s.fail("list open claims", err)
}

// SettleClaim records what the chain said of an open claim. A confirmed claim takes its
// block's time, which is when the reward arrived. A claim that is settled already stays
// as it is; an outcome of submitted changes nothing. ErrInvalid: a confirmed outcome
// without an amount. ErrNotFound: no such claim.
func (s *Store) SettleClaim(ctx context.Context, claim validator.Claim, outcome validator.ClaimOutcome) error {
	p := settleClaimParams{Address: claim.Address, TxHash: &claim.TxHash, Status: outcome.Status}
	switch outcome.Status {
	case validator.ClaimSubmitted:
		return nil
	case validator.ClaimConfirmed:
		if outcome.Amount == nil {
			return fmt.Errorf("settle a claim: %w: a confirmed claim needs the amount that the chain reports", ErrInvalid)
		}
		p.Amount = outcome.Amount
	case validator.ClaimFailed, validator.ClaimExpired:
		p.Failure = foreignText(outcome.Failure)
	default:
		return fmt.Errorf("settle a claim: %w: there is no status %q", ErrInvalid, outcome.Status)
	}
	if b := outcome.Block; b != nil {
		if b.Number > math.MaxInt64 {
			return fmt.Errorf("settle a claim: %w: block number %d", ErrInvalid, b.Number)
		}
		number := int64(b.Number)
		p.BlockNumber = &number
		if outcome.Status == validator.ClaimConfirmed && !b.Time.IsZero() {
			p.BlockTime = &b.Time
		}
	}
	changed, err := s.q.settleClaim(ctx, p)
	if err == nil && changed == 0 {
		if _, err = s.q.getClaim(ctx, getClaimParams{Address: claim.Address, TxHash: &claim.TxHash}); errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("settle a claim: %w", ErrNotFound)
		}
	}
	return s.fail("settle a claim", err)
}

func claims(rows []ClaimRow) []validator.Claim {
	out := make([]validator.Claim, len(rows))
	for i, r := range rows {
		out[i] = r.claim()
	}
	return out
}

func (r ClaimRow) claim() validator.Claim {
	return validator.Claim{
		Address: r.Address, Amount: r.Amount, Kind: r.ClaimType, At: r.ClaimTime, TxHash: orZero(r.TxHash),
		BlockNumber: blockNumber(r.BlockNumber), Status: r.Status, Failure: orZero(r.Failure),
	}
}

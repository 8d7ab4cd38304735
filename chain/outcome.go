package chain

import (
	"context"
	"fmt"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// TransactionOutcome says what became of a transaction, by its receipt. One that no node
// knows is as one that waits for its block. It calls a node at once: whoever serves it bounds
// how often. The error is the context's, or says why no node could answer.
func (c *Client) TransactionOutcome(ctx context.Context, tx validator.Felt) (validator.TransactionOutcome, error) {
	var out validator.TransactionOutcome
	err := c.pool.do(ctx, c.cfg.CallTimeout, func(ctx context.Context, e *endpoint) error {
		r, err := e.receipt(ctx, c.cfg.Network.ChainID, tx)
		if err != nil {
			return err
		}
		out = validator.TransactionOutcome{}
		if r == nil || r.BlockHash == nil {
			return nil
		}
		switch r.ExecutionStatus {
		case "REVERTED":
			out.Reverted, out.Reason = true, revertWords(r.RevertReason)
		case "SUCCEEDED":
		default:
			return e.nonsense("a receipt", fmt.Errorf("execution status %q", r.ExecutionStatus))
		}
		hash, err := parseFelt(r.BlockHash)
		if err != nil {
			return e.nonsense("a receipt", err)
		}
		b, err := e.header(ctx, hash)
		if err != nil {
			return err
		}
		out.Block = &b
		return nil
	})
	if err != nil {
		return validator.TransactionOutcome{}, fmt.Errorf("read the receipt of %s: %w", tx.Short(), err)
	}
	return out, nil
}

package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// exportReconciled streams all payments of a class.
func (s *Server) exportReconciled(c echo.Context) error {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return err
	}
	if wallet == "" {
		return badField("query.wallet", "is missing: name the wallet whose payments are asked for", nil)
	}
	q, err := parseReconcileQuery(c.QueryParams())
	if err != nil {
		return err
	}
	ctx, now := c.Request().Context(), s.now()
	return s.export(c, "payments", wallet, paymentHeader, func(row func(exportRow) error) error {
		all, err := s.db.Reconciliation(ctx, wallet, s.observer.PaymentContracts(), now)
		if err != nil {
			return err
		}
		return s.db.EachReconciledPayment(ctx, wallet, q.windows(all, now), func(p validator.ReconciledPayment) error {
			return row(exportedPaymentOf(p, all.Coverage, now))
		})
	})
}

// exportedPayment is a payment in an export. Amounts are wei; what a side does not have is null.
type exportedPayment struct {
	Class        string                 `json:"class"`
	JobID        *string                `json:"job_id"`
	JobNumber    *string                `json:"job_number"`
	DueAt        string                 `json:"due_at"`
	RecordedWei  *string                `json:"recorded_wei"`
	RecordedSAGE *string                `json:"recorded_sage"`
	OnChainWei   *string                `json:"on_chain_wei"`
	OnChainSAGE  *string                `json:"on_chain_sage"`
	ReleasedWei  *string                `json:"released_wei"`
	PaidWei      *string                `json:"paid_wei"`
	Events       []exportedPaymentEvent `json:"events"`
	Why          *string                `json:"why"`
	SelfReported bool                   `json:"self_reported"`
}

// exportedPaymentEvent is an event of a payment.
type exportedPaymentEvent struct {
	Kind        string  `json:"kind"`
	AmountWei   *string `json:"amount_wei"`
	Private     bool    `json:"private"`
	TxHash      string  `json:"tx_hash"`
	BlockNumber uint64  `json:"block_number"`
	BlockTime   string  `json:"block_time"`
}

func exportedPaymentOf(p validator.ReconciledPayment, known validator.Maybe[validator.EventCoverage], now time.Time) exportedPayment {
	class, _ := validator.ClassOf(p.JobPayment, known, now)
	out := exportedPayment{Class: string(class), DueAt: p.At().UTC().Format(exportTime), Why: nonEmpty(whyOf(p, class, known)), Events: []exportedPaymentEvent{}}
	if number, ok := validator.JobNumber(p.Job); ok {
		out.JobNumber = &number
	}
	if len(p.Rows) > 0 {
		out.JobID, out.SelfReported = &p.Rows[0].ID, p.Rows[0].SelfReported
	}
	wei := func(w validator.Wei) *string { t := w.String(); return &t }
	sage := func(w validator.Wei) *string { t := exactSAGE(w); return &t }
	if p.Jobs > 0 {
		out.RecordedWei, out.RecordedSAGE = wei(p.Recorded), sage(p.Recorded)
	}
	if p.HasChain() && p.Hidden == 0 {
		out.OnChainWei, out.OnChainSAGE = wei(p.OnChain()), sage(p.OnChain())
	}
	if p.Releases > 0 {
		out.ReleasedWei = wei(p.Released)
	}
	if p.Payments > 0 && p.Hidden == 0 {
		out.PaidWei = wei(p.Paid)
	}
	for _, e := range p.Events {
		x := exportedPaymentEvent{Kind: string(e.Kind), Private: e.Private, TxHash: string(e.TxHash), BlockNumber: e.Block.Number, BlockTime: e.Block.Time.UTC().Format(exportTime)}
		if !e.Private || e.Amount.Sign() > 0 {
			x.AmountWei = wei(e.Amount)
		}
		out.Events = append(out.Events, x)
	}
	return out
}

// paymentHeader names the columns as NDJSON names the members, but for the events, whose
// hashes and blocks stand in two of them, separated by spaces.
var paymentHeader = []string{"class", "job_id", "job_number", "due_at", "recorded_wei", "recorded_sage", "on_chain_wei", "on_chain_sage", "released_wei", "paid_wei", "tx_hashes", "block_numbers", "why", "self_reported"}

func (p exportedPayment) cells() []string {
	var txs, blocks []string
	for _, e := range p.Events {
		txs, blocks = append(txs, e.TxHash), append(blocks, fmt.Sprint(e.BlockNumber))
	}
	return []string{
		p.Class, plainCell(cell(p.JobID)), cell(p.JobNumber), p.DueAt, cell(p.RecordedWei), cell(p.RecordedSAGE), cell(p.OnChainWei), cell(p.OnChainSAGE),
		cell(p.ReleasedWei), cell(p.PaidWei), strings.Join(txs, " "), strings.Join(blocks, " "), cell(p.Why), fmt.Sprint(p.SelfReported),
	}
}

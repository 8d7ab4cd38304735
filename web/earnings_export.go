package web

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// exportEarnings streams all earnings of a range.
func (s *Server) exportEarnings(c echo.Context) error {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return err
	}
	if wallet == "" {
		return badField("query.wallet", "is missing: name the wallet whose earnings are asked for", nil)
	}
	v := c.QueryParams()
	q, err := parseEarningsRange(v.Get(paramLast), v.Get(paramFrom), v.Get(paramTo), "")
	if err != nil {
		return err
	}
	q.by = validator.ByMonth // any number of days fits in a file
	ctx := c.Request().Context()
	f := db.EarningFilter{}
	if q.last != lastAll {
		days, err := q.days(nil, s.now())
		if err != nil {
			return err
		}
		if f.To = days.End(); q.last != "" || q.from != "" {
			f.From = days.First
		}
	}
	return s.export(c, "earnings", wallet, earningsHeader, func(row func(exportRow) error) error {
		return s.db.EachEarning(ctx, wallet, f, func(e validator.Earning) error { return row(exportEarning(e)) })
	})
}

// exportedEarning is an earning in an export. What is not known is null, or empty in CSV.
type exportedEarning struct {
	EarnedAt    string  `json:"earned_at"`
	Kind        string  `json:"kind"`
	AmountWei   string  `json:"amount_wei"`
	AmountSAGE  string  `json:"amount_sage"`
	JobID       *string `json:"job_id"`
	TxHash      *string `json:"tx_hash"`
	BlockNumber *uint64 `json:"block_number"`
	Price       *string `json:"price"`
	Currency    *string `json:"price_currency"`
	PriceSource *string `json:"price_source"`
	PriceAt     *string `json:"price_at"`
	Value       *string `json:"value"`

	SelfReported bool `json:"self_reported"`
}

// earningsHeader names the columns as NDJSON names the members.
var earningsHeader = []string{"earned_at", "kind", "amount_wei", "amount_sage", "job_id", "tx_hash", "block_number", "price", "price_currency", "price_source", "price_at", "value", "self_reported"}

// priceByHand is the source of a price that the wallet's owner entered.
const priceByHand = "entered by hand"

func exportEarning(e validator.Earning) exportedEarning {
	out := exportedEarning{
		EarnedAt: e.At.UTC().Format(exportTime), Kind: string(e.Kind), AmountWei: e.Amount.String(), AmountSAGE: exactSAGE(e.Amount),
		JobID: nonEmpty(e.JobID), TxHash: nonEmpty(string(e.TxHash)), BlockNumber: e.BlockNumber, SelfReported: e.SelfReported,
	}
	if p := e.Price; p != nil {
		price, source, value := validator.PriceText(p.Amount), p.Source, validator.PriceText(p.Value(e.Amount))
		if p.ByHand {
			source = priceByHand
		}
		out.Price, out.Currency, out.PriceSource, out.PriceAt, out.Value = &price, &p.Currency, &source, exportedTime(&p.At), &value
	}
	return out
}

func (e exportedEarning) cells() []string {
	block := ""
	if e.BlockNumber != nil {
		block = strconv.FormatUint(*e.BlockNumber, 10)
	}
	return []string{
		e.EarnedAt, e.Kind, e.AmountWei, e.AmountSAGE, plainCell(cell(e.JobID)), cell(e.TxHash), block,
		cell(e.Price), plainCell(cell(e.Currency)), plainCell(cell(e.PriceSource)), cell(e.PriceAt), cell(e.Value), strconv.FormatBool(e.SelfReported),
	}
}

package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

const (
	claimPriceURL = "/earnings/claim-price"
)

// showEarningClaims is the newest claims, whatever days the page is about.
func (s *Server) showEarningClaims(c echo.Context, p validator.Picture, q earningsQuery) views.EarningClaims {
	ctx := c.Request().Context()
	asked := s.reads(ctx)
	read := asked.PricedClaims(ctx, p.Address)
	list, known := read.Get()
	if !known {
		return views.EarningClaims{Empty: &views.Empty{Icon: "database", Tone: views.ToneUnknown, Title: "Claims unknown", Text: validator.Sentence(read.Reason())}}
	}
	m := views.EarningClaims{Notice: staleNotice(p.Now, asked.State())}
	if len(list) == 0 {
		m.Empty = &views.Empty{Icon: "coins", Tone: views.TonePlain, Title: "No claim yet", Text: "Claims of rewards appear here, from the moment they are sent."}
	}
	owner := viewerOf(ctx).may(accessOwner)
	for _, claim := range list {
		row := views.EarningClaimRow{ClaimRow: s.claimRow(claim.Claim, p.Now), Price: views.Value{Reason: "No price is recorded."}, Worth: views.Value{Reason: "No price is recorded."}}
		if claim.Status == validator.ClaimConfirmed && claim.Amount != nil {
			row.Worth = worth(*claim.Amount, claim.Price)
		}
		if price := claim.Price; price != nil {
			row.Price, row.Source = views.Value{Text: validator.PriceText(price.Amount), Unit: price.Currency, Title: utc(price.At)}, "from "+price.Source
			if price.ByHand {
				row.Source = priceByHand
			}
		}
		if owner && claim.Status == validator.ClaimConfirmed && claim.TxHash != "" && (claim.Price == nil || claim.Price.ByHand) {
			row.Enter = s.claimPriceForm(c, claim, q)
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func (s *Server) claimPriceForm(c echo.Context, claim db.PricedClaim, q earningsQuery) *views.ClaimPriceForm {
	f := &views.ClaimPriceForm{
		ID: "claim-" + claim.TxHash.Short(), Action: claimPriceURL + "?wallet=" + string(claim.Address), TxHash: string(claim.TxHash),
		Back: backEarns + "?" + q.values().Encode(), Currency: enteredPrices(c.Request()).currency, OpenText: "Enter the price",
	}
	if claim.Price != nil {
		f.Price, f.Currency, f.OpenText = validator.PriceText(claim.Price.Amount), claim.Price.Currency, "Correct it"
	}
	return f
}

// recordClaimPrice takes what the wallet's owner says one SAGE was worth when a claim arrived.
func (s *Server) recordClaimPrice(c echo.Context) error {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return err
	}
	if wallet == "" {
		return badField("query.wallet", "is missing: name the wallet that claimed", nil)
	}
	tx, err := validator.ParseFelt(c.FormValue("tx"))
	if err != nil {
		return badField("body.tx", "is "+err.Error(), c.FormValue("tx"))
	}
	text := strings.Replace(strings.TrimSpace(c.FormValue("price")), ",", ".", 1)
	amount, err := validator.ParsePrice(text)
	if err != nil {
		return badField("body.price", err.Error(), c.FormValue("price"))
	}
	currency := strings.ToUpper(strings.TrimSpace(c.FormValue("currency")))
	if err := checkCurrency(currency); err != nil {
		return err
	}
	ctx := c.Request().Context()
	price := validator.SAGEPrice{Amount: amount, Currency: currency, At: s.now()}
	switch err := s.db.SetClaimPrice(ctx, wallet, tx, price); {
	case errors.Is(err, db.ErrNotFound):
		return newProblem(http.StatusNotFound, "This wallet has no confirmed claim of that transaction.")
	case errors.Is(err, db.ErrPriceObserved):
		return newProblem(http.StatusConflict, "The price was observed when this claim arrived, so none can be entered.")
	case errors.Is(err, db.ErrUnavailable):
		return unavailable("The price cannot be recorded now. "+whyUnavailable(err), err)
	case err != nil:
		return err
	}
	v := viewerOf(ctx)
	s.audit(ctx, v.origin, db.AuditEvent{Wallet: wallet, Kind: db.AuditClaimPriced, Detail: validator.PriceText(amount) + " " + currency + " at " + tx.Short(), Actor: v.actor()})
	s.observer.ForgetPricedClaims(wallet)
	return c.Redirect(http.StatusSeeOther, s.backFrom(c, wallet))
}

package web

import (
	"errors"
	"math/big"
	"net/http"
	"strings"
	"unicode"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// The reader's prices stay in their browser: "0.25~0.4~EUR".
const (
	pricesCookie    = "prices"
	pricesSeparator = "~"
	pricesKept      = 365 * 24 * 60 * 60 // seconds
	priceMost       = 1_000_000
	currencyLongest = 8
)

// priceEntry is the form as it was entered.
type priceEntry struct{ perKWh, perSAGE, currency string }

func enteredPrices(r *http.Request) priceEntry {
	c, err := r.Cookie(pricesCookie)
	if err != nil {
		return priceEntry{}
	}
	part := strings.Split(c.Value, pricesSeparator)
	if len(part) != 3 {
		return priceEntry{}
	}
	return priceEntry{part[0], part[1], part[2]}
}

// prices checks an entry; the error says what would be right.
func (e priceEntry) prices() (validator.Prices, error) {
	kwh, err := price(e.perKWh)
	if err != nil {
		return validator.Prices{}, badField("body.per_kwh", err.Error(), e.perKWh)
	}
	sage, err := price(e.perSAGE)
	if err != nil {
		return validator.Prices{}, badField("body.per_sage", err.Error(), e.perSAGE)
	}
	for _, r := range e.currency {
		if len(e.currency) > currencyLongest || r > unicode.MaxASCII || !unicode.IsLetter(r) {
			return validator.Prices{}, badField("body.currency", "must be a short name in letters, such as EUR", e.currency)
		}
	}
	if e.currency == "" {
		return validator.Prices{}, badField("body.currency", "is missing: name the currency of both prices, such as EUR", e.currency)
	}
	return validator.Prices{PerKWh: kwh, PerSAGE: sage, Currency: e.currency}, nil
}

// price reads a plain decimal number. A comma is read as the point, as many people write it.
func price(s string) (*big.Rat, error) {
	s = strings.Replace(strings.TrimSpace(s), ",", ".", 1)
	plain := s != "" && len(s) <= 20 && strings.Trim(s, "0123456789.") == ""
	v, ok := new(big.Rat).SetString(s)
	switch {
	case !plain || !ok:
		return nil, errors.New("must be a number such as 0.25")
	case v.Cmp(big.NewRat(priceMost, 1)) > 0:
		return nil, errors.New("must be at most 1,000,000")
	}
	return v, nil
}

// keepPrices stores the prices in the reader's browser and returns to the page.
func (s *Server) keepPrices(c echo.Context) error {
	e := priceEntry{c.FormValue("per_kwh"), c.FormValue("per_sage"), strings.ToUpper(strings.TrimSpace(c.FormValue("currency")))}
	p, err := e.prices()
	if err != nil {
		return err
	}
	c.SetCookie(&http.Cookie{ //nolint:gosec // prices are no secret, and most read this server over plain HTTP on their own machine
		Name: pricesCookie, Value: strings.Join([]string{decimal(p.PerKWh), decimal(p.PerSAGE), p.Currency}, pricesSeparator),
		Path: "/", MaxAge: pricesKept, HttpOnly: true, Secure: c.IsTLS(), SameSite: http.SameSiteLaxMode,
	})
	to := "/"
	if wallet := c.FormValue("wallet"); wallet != "" {
		address, err := validator.ParseAddress(wallet)
		if err != nil {
			return badField("body.wallet", "is "+err.Error(), wallet)
		}
		to += "?wallet=" + string(address)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// decimal writes a price with the digits it was entered with.
func decimal(v *big.Rat) string {
	const mostDecimals = 18
	s := v.FloatString(mostDecimals)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func showPriceForm(r *http.Request, wallet validator.Address) views.PriceForm {
	e := enteredPrices(r)
	return views.PriceForm{Wallet: string(wallet), PerKWh: e.perKWh, PerSAGE: e.perSAGE, Currency: e.currency}
}

// powerRows are what the GPUs draw, and with the reader's prices what is left of a day.
func powerRows(p validator.Picture, e priceEntry) []views.Row {
	draw := p.PowerDraw()
	rows := []views.Row{{Label: "Power draw of the GPUs", Value: show(draw, "W", func(mw uint64) string { return integer((mw + 500) / 1000) })}}
	mw, known := draw.Get()
	if !known {
		return rows
	}
	rows[0].Value.Text += " W = " + validator.KWhPerDay(mw).FloatString(1)
	rows[0].Value.Unit = "kWh a day"
	earned, has := p.Earnings.Get()
	prices, err := e.prices()
	if !has || err != nil {
		return rows
	}
	r := validator.NetOfPower(earned.Last24h, mw, prices)
	money := func(v *big.Rat) views.Value {
		const cents = 2
		return views.Value{Text: v.FloatString(cents), Unit: prices.Currency}
	}
	net := views.Row{Label: "Earned in 24 h, net of power at the present draw", Value: money(r.Net)}
	net.Value.Title = "earned " + earned.Last24h.Format() + " at " + decimal(prices.PerSAGE) + " " + prices.Currency + ", less a day at the present draw for " + r.Cost.FloatString(2) + " " + prices.Currency
	if r.Net.Sign() < 0 {
		net.Tone = views.ToneWarn
	}
	rows = append(rows, net)
	if r.BreakEven != nil {
		const decimals = 4
		rows = append(rows, views.Row{Label: "Breaks even at", Value: views.Value{Text: r.BreakEven.FloatString(decimals), Unit: prices.Currency + " a SAGE"}})
	}
	return rows
}

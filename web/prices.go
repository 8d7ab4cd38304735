package web

import (
	"errors"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// The reader's prices stay in their browser: "0.25~0.4~EUR~1500". Older ones end with the
// currency; a price of SAGE that was left out is empty.
const (
	pricesCookie    = "prices"
	pricesSeparator = "~"
	pricesKept      = 365 * 24 * 60 * 60 // seconds
	priceMost       = 1_000_000
	currencyLongest = 8
)

// priceEntry is the form as it was entered.
type priceEntry struct{ perKWh, perSAGE, currency, watts string }

func enteredPrices(r *http.Request) priceEntry {
	c, err := r.Cookie(pricesCookie)
	if err != nil {
		return priceEntry{}
	}
	part := strings.Split(c.Value, pricesSeparator)
	switch len(part) {
	case 3: //nolint:mnd // as it was before watts
		return priceEntry{part[0], part[1], part[2], ""}
	case 4: //nolint:mnd // with watts
		return priceEntry{part[0], part[1], part[2], part[3]}
	}
	return priceEntry{}
}

// prices checks an entry; the error says what would be right.
func (e priceEntry) prices() (validator.Prices, error) {
	kwh, err := price(e.perKWh)
	if err != nil {
		return validator.Prices{}, badField("body.per_kwh", err.Error(), e.perKWh)
	}
	var sage, watts *big.Rat
	if e.perSAGE != "" {
		if sage, err = price(e.perSAGE); err != nil {
			return validator.Prices{}, badField("body.per_sage", err.Error()+", or empty", e.perSAGE)
		}
	}
	if err := checkCurrency(e.currency); err != nil {
		return validator.Prices{}, err
	}
	if e.watts != "" {
		if watts, err = price(e.watts); err != nil {
			return validator.Prices{}, badField("body.watts", "must be a number of watts such as 1500, at most 1,000,000, or empty", e.watts)
		}
	}
	return validator.Prices{PerKWh: kwh, PerSAGE: sage, Currency: e.currency, AssumedWatts: watts}, nil
}

func checkCurrency(currency string) error {
	for _, r := range currency {
		if len(currency) > currencyLongest || r > unicode.MaxASCII || !unicode.IsLetter(r) {
			return badField("body.currency", "must be a short name in letters, such as EUR", currency)
		}
	}
	if currency == "" {
		return badField("body.currency", "is missing: name the currency of the prices, such as EUR", currency)
	}
	return nil
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
	e := priceEntry{c.FormValue("per_kwh"), strings.TrimSpace(c.FormValue("per_sage")), strings.ToUpper(strings.TrimSpace(c.FormValue("currency"))), strings.TrimSpace(c.FormValue("watts"))}
	p, err := e.prices()
	if err != nil {
		return err
	}
	c.SetCookie(&http.Cookie{ //nolint:gosec // prices are no secret, and most read this server over plain HTTP on their own machine
		Name: pricesCookie, Value: strings.Join([]string{decimal(p.PerKWh), decimal(p.PerSAGE), p.Currency, decimal(p.AssumedWatts)}, pricesSeparator),
		Path: "/", MaxAge: pricesKept, HttpOnly: true, Secure: c.IsTLS(), SameSite: http.SameSiteLaxMode,
	})
	wallet := s.validatorAddress
	if text := c.FormValue("wallet"); text != "" {
		if wallet, err = validator.ParseAddress(text); err != nil {
			return badField("body.wallet", "is "+err.Error(), text)
		}
	}
	return c.Redirect(http.StatusSeeOther, s.backFrom(c, wallet))
}

// decimal writes a price with the digits it was entered with; nothing for one that was not.
func decimal(v *big.Rat) string {
	if v == nil {
		return ""
	}
	const mostDecimals = 18
	s := v.FloatString(mostDecimals)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// The fields by which a form says which page to return to.
const (
	fieldBack = "back"
	backEarns = "earnings" // the range of days follows after a question mark
)

// backFrom is the page that a form came from: the earnings with their range, else the dashboard.
func (s *Server) backFrom(c echo.Context, wallet validator.Address) string {
	page, query, _ := strings.Cut(c.FormValue(fieldBack), "?")
	if page != backEarns {
		return "/" + s.walletQuery(wallet)
	}
	v, err := url.ParseQuery(query)
	if err != nil {
		v = url.Values{}
	}
	q, err := parseEarningsQuery(v)
	if err != nil {
		q = earningsQuery{}
	}
	return s.earningsURL(wallet, q)
}

func (s *Server) showPriceForm(r *http.Request, wallet validator.Address, back string) views.PriceForm {
	e := enteredPrices(r)
	f := views.PriceForm{Wallet: string(wallet), PerKWh: e.perKWh, PerSAGE: e.perSAGE, Currency: e.currency, Watts: e.watts, Back: back}
	if p := validator.UsableSAGEPrice(s.reads(r.Context()).SAGEPrice(r.Context()), s.now()).Or(nil); p != nil {
		f.Observed = "Left empty, the price of " + p.Source + " counts: " + validator.PriceText(p.Amount) + " " + p.Currency + ", " + ago(s.now(), p.At) + "."
		if f.Currency == "" {
			f.Currency = p.Currency
		}
	}
	return f
}

const netAtPresentDraw = "Earned in 24 h, net of power at the present draw"

// powerRows are what the GPUs draw, and with the reader's prices what is left of a day.
func (s *Server) powerRows(p validator.Picture, e priceEntry, observed validator.Maybe[*validator.SAGEPrice]) []views.Row {
	draw := p.PowerDraw()
	rows := []views.Row{{Label: "Power draw of the GPUs", Value: show(draw, "W", func(mw uint64) string { return integer((mw + 500) / 1000) })}}
	mw, known := draw.Get()
	if !known {
		return rows
	}
	rows[0].Value.Text += " W = " + validator.KWhPerDay(mw).FloatString(1)
	rows[0].Value.Unit = "kWh a day"
	entered, err := e.prices()
	if !p.Earnings.Known() || err != nil {
		return rows
	}
	if entered.PerSAGE == nil {
		rows = append(rows, s.priceRow(observed, entered))
	}
	complete := entered.WithObserved(observed, s.now())
	prices, priced := complete.Get()
	if !priced {
		return append(rows, views.Row{Label: netAtPresentDraw, Value: views.Value{Reason: validator.Sentence(complete.Reason())}})
	}
	earned, known := p.Earned(earned24h).Get()
	if !known {
		return append(rows, views.Row{Label: netAtPresentDraw, Value: views.Value{Reason: validator.Sentence(p.Earned(earned24h).Reason())}})
	}
	r := validator.NetOfPower(earned, mw, prices)
	net := views.Row{Label: netAtPresentDraw, Value: money(r.Net, prices.Currency)}
	net.Value.Title = "earned " + earned.Format() + " at " + decimal(prices.PerSAGE) + " " + prices.Currency + ", less a day at the present draw for " + r.Cost.FloatString(2) + " " + prices.Currency
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

// money is a sum for reading; its hover has more digits.
func money(v *big.Rat, currency string) views.Value {
	const cents, exactly = 2, 8
	text := v.FloatString(cents)
	if v.Sign() != 0 && strings.Trim(text, "-0.") == "" {
		text = v.FloatString(exactly) // a zero would be none
	}
	return views.Value{Text: text, Unit: currency, Title: v.FloatString(exactly) + " " + currency}
}

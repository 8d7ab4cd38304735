package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

const earningsOnPage = 50

// earningsURL leads to a wallet's earnings.
func (s *Server) earningsURL(wallet validator.Address, q earningsQuery) string {
	return s.withQuery("/earnings", wallet, q.values())
}

// withQuery leads to something about a wallet; the server's own needs no name.
func (s *Server) withQuery(path string, wallet validator.Address, v url.Values) string {
	if wallet != s.validatorAddress {
		v.Set("wallet", string(wallet))
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// earningsPanel leads to a panel of the earnings page.
func (s *Server) earningsPanel(id, every string, wallet validator.Address, q earningsQuery) views.Panel {
	v := q.whole().values()
	v.Set("wallet", string(wallet))
	return views.Panel{ID: id, URL: "/partials/" + id + "?" + v.Encode(), Every: every}
}

// earningsRead is what a wallet earned in a range, as the database has it.
type earningsRead struct {
	query  earningsQuery
	report validator.Maybe[validator.EarningReport]
	energy validator.Maybe[validator.MeasuredEnergy]
	price  validator.Maybe[*validator.SAGEPrice]
	entry  priceEntry // of the reader
	state  validator.SourceState
}

// rangeOf is the range that a query asks of a wallet. It is missing if it depends on the
// first earning and that is not known; the error tells of a range that cannot be shown.
func (s *Server) rangeOf(p validator.Picture, q earningsQuery) (validator.Maybe[validator.DayRange], error) {
	earned, known := p.Earnings.Get()
	if q.needsFirst() && !known {
		return validator.None[validator.DayRange](p.Earnings.Reason()), nil
	}
	days, err := q.days(earned.First, p.Now)
	return validator.Some(days), err
}

func (s *Server) readEarnings(ctx context.Context, p validator.Picture, q earningsQuery, entry priceEntry) (earningsRead, error) {
	r := earningsRead{query: q, entry: entry, state: p.Database}
	asked := s.reads(ctx)
	days, err := s.rangeOf(p, q)
	if err != nil {
		return r, err
	}
	d, known := days.Get()
	if !known {
		r.report = validator.None[validator.EarningReport](days.Reason())
		return r, nil
	}
	r.report = asked.EarningReport(ctx, p.Address, d, q.grouping())
	r.energy = asked.MeasuredEnergy(ctx, p.Address, d)
	r.price = s.reads(ctx).SAGEPrice(ctx)
	r.state = asked.State()
	return r, nil
}

// earningListRead is a page of the list of single earnings.
type earningListRead struct {
	entries validator.Maybe[[]validator.Earning]
	more    bool // there are others in the direction that was looked in
	state   validator.SourceState
}

func (s *Server) readEarningList(ctx context.Context, wallet validator.Address, d validator.DayRange, q earningsQuery) earningListRead {
	var r earningListRead
	asked := s.reads(ctx)
	r.entries = asked.EarningList(ctx, wallet, db.EarningFilter{From: d.First, To: d.End(), Limit: earningsOnPage + 1, Before: q.before, After: q.after})
	r.state = asked.State()
	if list := r.entries.Or(nil); len(list) > earningsOnPage {
		r.more = true
		if q.after.IsZero() {
			r.entries = validator.Some(list[:earningsOnPage])
		} else {
			r.entries = validator.Some(list[len(list)-earningsOnPage:])
		}
	}
	return r
}

func (s *Server) allEarnings(c echo.Context) error {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return err
	}
	if wallet == "" {
		return c.Redirect(http.StatusFound, "/?choose=1")
	}
	ctx := c.Request().Context()
	p := s.picture(ctx, wallet)
	q, err := parseEarningsQuery(c.QueryParams())
	if err != nil {
		return s.wrongRange(c, p, err)
	}
	days, err := s.rangeOf(p, q)
	if err != nil {
		return s.wrongRange(c, p, err)
	}
	m := views.EarningsPage{
		Against: s.paymentsLink(wallet),
		Page:    s.page(c.Request(), "Earnings · "+wallet.Abbreviated(), "earnings", wallet),
		Form:    s.earningsForm(wallet, q, days), Now: s.showEarningsNow(ctx, p),
	}
	var both sync.WaitGroup
	var read earningsRead
	both.Go(func() { read, _ = s.readEarnings(ctx, p, q, enteredPrices(c.Request())) }) // the range was checked above
	list := earningListRead{entries: validator.None[[]validator.Earning](days.Reason())}
	if d, known := days.Get(); known {
		both.Go(func() { list = s.readEarningList(ctx, wallet, d, q) })
	}
	both.Wait()
	if list.entries.Known() && !q.after.IsZero() && !list.more {
		// The top of the list is reached: its own page is full.
		return c.Redirect(http.StatusSeeOther, s.earningsURL(wallet, q.whole()))
	}
	m.List = s.showEarningList(list, wallet, q)
	m.Claims = s.showEarningClaims(c, p, q)
	m.Prices = s.showPriceForm(c.Request(), wallet, backEarns+"?"+q.whole().values().Encode())
	m.Report = s.showEarningReport(p, read)
	return s.render(c, http.StatusOK, views.Earnings(m))
}

// wrongRange shows the page's form with what is wrong with the range that was asked for.
func (s *Server) wrongRange(c echo.Context, p validator.Picture, wrong error) error {
	var refused *problem
	if !errors.As(wrong, &refused) || len(refused.Errors) != 1 {
		return wrong
	}
	form := s.earningsForm(p.Address, earningsQuery{last: lastDefault}, validator.None[validator.DayRange](""))
	for param, field := range map[string]*string{paramFrom: &form.From, paramTo: &form.To} {
		if t, err := time.Parse(time.DateOnly, c.QueryParam(param)); err == nil { // a browser shows no other
			*field = t.Format(time.DateOnly)
		}
	}
	for i := range form.By {
		form.By[i].Current = form.By[i].Value == c.QueryParam(paramBy)
	}
	for i := range form.Presets {
		form.Presets[i].Current = false
	}
	form.Wrong = strings.TrimPrefix(refused.Errors[0].Field, "query.")
	form.Problem = wrongWords[form.Wrong] + " " + refused.Errors[0].Rule + "."
	if entered, ok := refused.Errors[0].Value.(string); ok && entered != "" {
		form.Problem += " What was asked for: “" + beginning(entered, rowErrorLength) + "”."
	}
	return s.render(c, http.StatusBadRequest, views.Earnings(views.EarningsPage{
		Page: s.page(c.Request(), "Earnings · "+p.Address.Abbreviated(), "earnings", p.Address), Against: s.paymentsLink(p.Address), Form: form, Now: s.showEarningsNow(c.Request().Context(), p),
	}))
}

// wrongWords are what the parameters of the earnings page are called on it.
var wrongWords = map[string]string{
	paramFrom: "The first day", paramTo: "The last day", paramBy: "The length of the periods", paramLast: "The length of time",
	paramBefore: "The place in the list", paramAfter: "The place in the list",
}

// partialEarningsNow answers the polls of what can be claimed now.
func (s *Server) partialEarningsNow(c echo.Context) error {
	return s.partial(c, func(wallet validator.Address) templ.Component {
		ctx := c.Request().Context()
		return views.EarningsNow(s.showEarningsNow(ctx, s.picture(ctx, wallet)))
	})
}

// partialEarnings answers the polls of the sums over a range.
func (s *Server) partialEarnings(c echo.Context) error {
	wallet, err := s.partialWallet(c)
	if err != nil {
		return err
	}
	q, err := parseEarningsQuery(c.QueryParams())
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	p := s.picture(ctx, wallet)
	read, err := s.readEarnings(ctx, p, q, enteredPrices(c.Request()))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, views.EarningReport(s.showEarningReport(p, read)))
}

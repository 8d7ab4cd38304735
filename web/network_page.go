package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// networkWindow is a time over which the network's hours are shown.
type networkWindow struct {
	id, label string
	window    validator.Window
}

// firstHour is the first hour that begins in the window.
func (w networkWindow) firstHour(now time.Time) time.Time {
	return w.window.Start(now).UTC().Add(time.Hour - 1).Truncate(time.Hour)
}

var networkWindows = []networkWindow{{"24h", "24 h", validator.Window24h}, {"7d", "7 d", validator.Window7d}, {"30d", "30 d", validator.Window30d}}

// networkAsked is what a request about the network is about beside it.
type networkAsked struct {
	wallet validator.Address // whose rank is shown, "" if nobody's
	window networkWindow
}

// readableWallet is the wallet that a public page may be about too: "" if the reader may see none.
func (s *Server) readableWallet(c echo.Context) validator.Address {
	wallet, err := s.pageWallet(c)
	if err != nil || !viewerOf(c.Request().Context()).mayRead(wallet) {
		return ""
	}
	return wallet
}

func (s *Server) networkAsked(c echo.Context) (networkAsked, error) {
	w, err := parseWindow("query."+paramWindow, c.QueryParam(paramWindow))
	if err != nil {
		return networkAsked{}, err
	}
	if text := c.QueryParam(paramWallet); text != "" {
		if _, err := validator.ParseAddress(text); err != nil {
			return networkAsked{}, badField("query."+paramWallet, "is "+err.Error(), text)
		}
	}
	return networkAsked{wallet: s.readableWallet(c), window: w}, nil
}

// parseWindow reads a window's id; without one it is the shortest.
func parseWindow(field, id string) (networkWindow, error) {
	w := windowNamed(id)
	if id != "" && id != w.id {
		return networkWindow{}, badField(field, "must be 24h, 7d or 30d", id)
	}
	return w, nil
}

// windowNamed is the window of an id, the shortest for any other.
func windowNamed(id string) networkWindow {
	if i := slices.IndexFunc(networkWindows, func(w networkWindow) bool { return w.id == id }); i >= 0 {
		return networkWindows[i]
	}
	return networkWindows[0]
}

// query is that of the page and its panels.
func (a networkAsked) query() string {
	q := url.Values{"window": {a.window.id}}
	if a.wallet != "" {
		q.Set("wallet", string(a.wallet))
	}
	return "?" + q.Encode()
}

func (a networkAsked) panel(id, every string) views.Panel {
	return views.Panel{ID: id, URL: "/partials/" + id + a.query(), Every: every}
}

func (s *Server) networkPage(c echo.Context) error {
	ctx := c.Request().Context()
	a, err := s.networkAsked(c)
	if err != nil {
		return err
	}
	m := views.NetworkPage{Page: s.page(c.Request(), "Network", "network", a.wallet)}
	var all sync.WaitGroup
	all.Go(func() { m.Now = s.networkNow(ctx, a) })
	all.Go(func() { m.Activity = s.networkHours(ctx, a) })
	all.Go(func() { m.Stake = s.networkStake(ctx, a) })
	all.Go(func() { m.Workers = s.networkWorkers(ctx, a) })
	all.Go(func() { m.Chain = s.networkChain(ctx, a) })
	all.Wait()
	return s.render(c, http.StatusOK, views.OneNetwork(m))
}

// partialOfNetwork makes a handler of a panel of the network's page.
func partialOfNetwork[M any](s *Server, read func(context.Context, networkAsked) M, show func(M) templ.Component) echo.HandlerFunc {
	return func(c echo.Context) error {
		a, err := s.networkAsked(c)
		if err != nil {
			return err
		}
		return s.render(c, http.StatusOK, show(read(c.Request().Context(), a)))
	}
}

// indexLag is how far the chain's events are read.
func (s *Server) indexLag() validator.Maybe[validator.IndexLag] {
	if s.index == nil {
		return validator.None[validator.IndexLag]("this program reads no events")
	}
	return s.index.IndexLag()
}

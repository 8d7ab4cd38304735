package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// uptimeAsked is whose uptime a request is about, with what is known of it.
type uptimeAsked struct {
	wallet  validator.Address
	host    *string // nil: any host of the worker
	reports validator.Maybe[validator.UptimeReports]
	of      validator.UptimeReport // while reports are known
	clocks  []validator.ClockAhead
	state   validator.SourceState
	now     time.Time
}

// uptimeURL leads to the page about a worker's uptime, or that of one of its hosts.
func (s *Server) uptimeURL(wallet validator.Address, host *string) string {
	q := url.Values{}
	if wallet != s.validatorAddress {
		q.Set("wallet", string(wallet))
	}
	if host != nil {
		q.Set("host", *host)
	}
	if len(q) == 0 {
		return "/uptime"
	}
	return "/uptime?" + q.Encode()
}

// panel is one of the page's panels: it asks again for the same host.
func (a uptimeAsked) panel(id, every string) views.Panel {
	q := url.Values{"wallet": {string(a.wallet)}}
	if a.host != nil {
		q.Set("host", *a.host)
	}
	return views.Panel{ID: id, URL: "/partials/" + id + "?" + q.Encode(), Every: every}
}

// uptimeAsked reads what a request is about; a wallet of "" says that none is chosen.
func (s *Server) uptimeAsked(c echo.Context) (uptimeAsked, error) {
	wallet, err := s.pageWallet(c)
	if err != nil || wallet == "" {
		return uptimeAsked{}, err
	}
	a := uptimeAsked{wallet: wallet, now: s.now()}
	if q := c.QueryParams(); q.Has(paramHost) {
		host := q.Get(paramHost)
		a.host = &host
	}
	asked := s.reads(c.Request().Context())
	a.reports = asked.Uptime(c.Request().Context(), wallet)
	a.clocks = asked.Heartbeats(c.Request().Context(), wallet).Or(validator.HeartbeatSummary{}).ClocksAhead
	a.state = asked.State()
	if r, known := a.reports.Get(); known {
		a.of, err = uptimeOf(r, a.host)
	}
	return a, err
}

func (s *Server) uptimePage(c echo.Context) error {
	a, err := s.uptimeAsked(c)
	if err != nil {
		return err
	}
	if a.wallet == "" {
		return c.Redirect(http.StatusFound, "/?choose=1")
	}
	return s.render(c, http.StatusOK, views.OneUptime(views.UptimePage{
		Page:  s.page(c.Request(), "Uptime · "+a.wallet.Abbreviated(), "uptime", a.wallet),
		Hosts: s.hostTabs(a), Now: s.showUptime(a), Past: showUptimePast(a),
	}))
}

// partialUptime makes a handler of a panel of the uptime's page.
func (s *Server) partialUptime(show func(uptimeAsked) templ.Component) echo.HandlerFunc {
	return func(c echo.Context) error {
		a, err := s.uptimeAsked(c)
		if err != nil {
			return err
		}
		return s.partial(c, func(validator.Address) templ.Component { return show(a) })
	}
}

func (s *Server) partialUptimeNow(a uptimeAsked) templ.Component {
	return views.UptimeNow(s.showUptime(a))
}

func (s *Server) partialUptimePast(a uptimeAsked) templ.Component {
	return views.UptimePast(showUptimePast(a))
}

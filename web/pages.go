package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// titleTail ends every page's title.
const titleTail = " · BitSage Validator"

// page is what every page needs around its content.
func (s *Server) page(r *http.Request, title, nav string, wallet validator.Address) views.Page {
	p := views.Page{
		Title: title + titleTail, Network: networkLabel(s.network.Name), Version: s.version, Commit: s.commit, Nav: nav,
		Reader: s.reader(r),
		Now:    strconv.FormatInt(s.now().UnixMilli(), 10), Assets: s.pageAssets(), Theme: chosenTheme(r), Demo: s.demoNote(),
	}
	if session := viewerOf(r.Context()).session; session != nil {
		p.SignedIn = &views.SignedIn{
			Address: string(session.Wallet), Chain: s.network.ChainFelt().Short(), ChainID: s.network.ChainID, Script: s.assets.Path("wallet-watch.js"),
		}
	}
	if wallet != "" {
		p.Wallet = views.WalletChip{Address: string(wallet), Abbreviated: wallet.Abbreviated(), Avatar: avatar(wallet), ExplorerURL: s.explorer("contract", string(wallet))}
		p.Wallet.Query = s.walletQuery(wallet)
		bar := s.sourceBar(r.Context(), wallet)
		p.Sources = &bar
	}
	return p
}

// reader is who a page is for.
func (s *Server) reader(r *http.Request) views.Reader {
	v := viewerOf(r.Context())
	return views.Reader{AnyWallet: v.anyWallet(), SignInURL: signInURL(pageOf(r)), Unchecked: v.refused != nil && v.refused.unchecked}
}

func networkLabel(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func panel(id, every string, wallet validator.Address) views.Panel {
	p := views.Panel{ID: id, URL: "/partials/" + id, Every: every}
	if wallet != "" {
		p.URL += "?wallet=" + url.QueryEscape(string(wallet))
	}
	return p
}

// ownWallet is the wallet that is meant where none is named: the credential's, else the
// server's own, else none.
func (s *Server) ownWallet(v viewer) validator.Address {
	if v.anyWallet() {
		return s.validatorAddress
	}
	return v.wallet()
}

// pageWallet returns the wallet that a page is about: the query's, else ownWallet.
func (s *Server) pageWallet(c echo.Context) (validator.Address, error) {
	q := c.QueryParam(paramWallet)
	if q == "" {
		return s.ownWallet(viewerOf(c.Request().Context())), nil
	}
	wallet, err := validator.ParseAddress(q)
	if err != nil {
		return "", badField("query.wallet", "is "+err.Error(), q)
	}
	if !viewerOf(c.Request().Context()).mayRead(wallet) {
		return "", notYourWallet()
	}
	return wallet, nil
}

func (s *Server) dashboard(c echo.Context) error {
	wallet, err := s.pageWallet(c)
	if choose := c.QueryParam(paramChoose); choose != "" && choose != "1" {
		return badField("query."+paramChoose, "must be 1, or be left out", choose)
	}
	if c.QueryParam(paramChoose) != "" && viewerOf(c.Request().Context()).anyWallet() || wallet == "" && err == nil {
		return s.render(c, http.StatusOK, views.Choose(views.ChoosePage{Page: s.page(c.Request(), "Choose a validator", "dashboard", "")}))
	}
	if err != nil {
		p := problemOf(err)
		if p.Status != http.StatusBadRequest {
			return err
		}
		why := strings.TrimPrefix(p.Detail, "query.wallet ")
		return s.render(c, http.StatusBadRequest, views.Choose(views.ChoosePage{
			Page: s.page(c.Request(), "Choose a validator", "dashboard", ""), Entered: c.QueryParam(paramWallet), Problem: "This " + why + ".",
		}))
	}
	ctx := c.Request().Context()
	var (
		p       validator.Picture
		gpus    fleet
		jobs    jobsRead
		rewards rewardsRead
		network networkRead
		all     sync.WaitGroup
	)
	all.Go(func() { p = s.picture(ctx, wallet) })
	all.Go(func() { gpus = s.fleet(ctx, wallet) })
	all.Go(func() { jobs = s.readJobs(ctx, wallet) })
	all.Go(func() { rewards = s.readRewards(ctx, wallet) })
	all.Go(func() { network = s.readNetwork(ctx) })
	all.Wait()
	verdict := p.Assess().Verdict
	page := s.page(c.Request(), pageTitle(verdict, wallet), "dashboard", wallet)
	page.Tone, _ = verdictLook(verdict)
	return s.render(c, http.StatusOK, views.Dashboard(views.DashboardPage{
		Page:    page,
		Status:  s.showStatus(p, panel("status", everyStatus, wallet)),
		GPUs:    s.showGPUs(gpus, wallet, panel("gpus", everyGPUs, wallet), p.Now),
		Jobs:    s.jobsPanel(jobs, wallet),
		Rewards: s.rewardsPanel(c, p, rewards),
		Risk:    s.showRisk(p, panel("risk", everyStatus, wallet)),
		Network: s.networkPanel(network),
		Prices:  s.showPriceForm(c.Request(), wallet, ""),
	}))
}

// Rows on the dashboard; the lists' own pages and the API have all.
const (
	jobsShown    = 12
	rewardsShown = 8
)

// jobsRead is what the jobs panel shows.
type jobsRead struct {
	page   validator.Maybe[observe.JobPage]
	counts validator.Maybe[validator.JobCounts]
	state  validator.SourceState
}

func (s *Server) readJobs(ctx context.Context, wallet validator.Address) (r jobsRead) {
	asked := s.reads(ctx)
	var both sync.WaitGroup
	both.Go(func() { r.page = asked.JobPage(ctx, wallet, db.JobFilter{Limit: jobsShown}) })
	both.Go(func() { r.counts = asked.JobCounts(ctx, wallet) })
	both.Wait()
	r.state = asked.State()
	return r
}

func (s *Server) jobsPanel(r jobsRead, wallet validator.Address) views.JobsPanel {
	p := panel("jobs", everyJobs, wallet)
	p.More = views.Link{Text: "All jobs", URL: s.jobsURL(wallet, jobQuery{})}
	return s.showJobs(r.page, r.counts, wallet, r.state, p, s.now())
}

// rewardsRead is what the rewards panel shows beside the picture.
type rewardsRead struct {
	page   validator.Maybe[observe.EarningHistory]
	claims validator.Maybe[[]validator.Claim]
	chain  validator.Maybe[validator.Reconciliation]
}

func (s *Server) readRewards(ctx context.Context, wallet validator.Address) (r rewardsRead) {
	asked := s.reads(ctx)
	var both sync.WaitGroup
	both.Go(func() { r.page = asked.EarningHistory(ctx, wallet, 0, rewardsShown, 0) })
	both.Go(func() { r.claims = asked.Claims(ctx, wallet) })
	both.Go(func() { r.chain = asked.Reconciliation(ctx, wallet) })
	both.Wait()
	return r
}

func (s *Server) rewardsPanel(c echo.Context, p validator.Picture, r rewardsRead) views.RewardsPanel {
	of := panel("rewards", everyRewards, p.Address)
	of.More = views.Link{Text: "All earnings", URL: s.earningsURL(p.Address, earningsQuery{})}
	m := s.showRewards(p, r.page, r.claims, of)
	if n := r.chain.Or(validator.Reconciliation{}).Differing(); n > 0 {
		m.Differ = views.Link{Text: "Payments that differ from the chain: " + integer(n), URL: s.reconcileURL(p.Address, reconcileQuery{})}
	}
	entry := enteredPrices(c.Request())
	m.Claim = s.claimButton(c.Request().Context(), p, r.claims.Or(nil))
	m.Power, m.Priced = s.powerRows(p, entry, s.reads(c.Request().Context()).SAGEPrice(c.Request().Context())), entry != priceEntry{}
	return m
}

// networkRead is what the network panel shows.
type networkRead struct {
	counts validator.Maybe[validator.NetworkCounts]
	chain  validator.ChainNetwork
	state  validator.SourceState
}

func (s *Server) readNetwork(ctx context.Context) (r networkRead) {
	asked := s.reads(ctx)
	r.counts = asked.NetworkCounts(ctx)
	r.state = asked.State()
	r.chain = viewing(ctx).RedactNetwork(s.chain.Network())
	return r
}

func (s *Server) networkPanel(r networkRead) views.NetworkPanel {
	p := panel("network", everyNetwork, "")
	p.More = views.Link{Text: "All about the network", URL: "/network"}
	return s.showNetwork(r.counts, r.chain, r.state, p, s.now())
}

// partial makes a handler of a panel that is about a wallet.
func (s *Server) partial(c echo.Context, show func(wallet validator.Address) templ.Component) error {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return err
	}
	if wallet == "" {
		return badField("query.wallet", "is missing: name the wallet that the panel is about", nil)
	}
	return s.render(c, http.StatusOK, show(wallet))
}

func (s *Server) partialStatus(c echo.Context) error {
	return s.partial(c, func(wallet validator.Address) templ.Component {
		return views.Status(s.showStatus(s.picture(c.Request().Context(), wallet), panel("status", everyStatus, wallet)))
	})
}

func (s *Server) partialGPUs(c echo.Context) error {
	return s.partial(c, func(wallet validator.Address) templ.Component {
		return views.GPUs(s.showGPUs(s.fleet(c.Request().Context(), wallet), wallet, panel("gpus", everyGPUs, wallet), s.now()))
	})
}

func (s *Server) partialJobs(c echo.Context) error {
	return s.partial(c, func(wallet validator.Address) templ.Component {
		return views.Jobs(s.jobsPanel(s.readJobs(c.Request().Context(), wallet), wallet))
	})
}

func (s *Server) partialRewards(c echo.Context) error {
	return s.partial(c, func(wallet validator.Address) templ.Component {
		ctx := c.Request().Context()
		return views.Rewards(s.rewardsPanel(c, s.picture(ctx, wallet), s.readRewards(ctx, wallet)))
	})
}

func (s *Server) partialRisk(c echo.Context) error {
	return s.partial(c, func(wallet validator.Address) templ.Component {
		return views.Risk(s.showRisk(s.picture(c.Request().Context(), wallet), panel("risk", everyStatus, wallet)))
	})
}

func (s *Server) partialSources(c echo.Context) error {
	return s.partial(c, func(wallet validator.Address) templ.Component {
		return views.Sources(s.sourceBar(c.Request().Context(), wallet))
	})
}

func (s *Server) partialNetwork(c echo.Context) error {
	return s.render(c, http.StatusOK, views.Network(s.networkPanel(s.readNetwork(c.Request().Context()))))
}

func (s *Server) favicon(c echo.Context) error {
	return c.Redirect(http.StatusFound, s.assets.Path("favicon.svg"))
}

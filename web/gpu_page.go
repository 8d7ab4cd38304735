package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// gpuAsked is the GPU that a request is about, with what the page knows of it.
type gpuAsked struct {
	wallet validator.Address
	fleet  fleet
	member fleetGPU
	window gpuWindow
	now    time.Time
	kept   bool // what this host's GPUs go through is stored
}

func (g gpuAsked) local() bool { return g.member.WorkerID == "" }

// stale says whether this host's GPUs are not read now.
func (g gpuAsked) stale() bool {
	return g.local() && g.fleet.host.State.Health != validator.HealthOK
}

// notice says over a panel that its values are not live.
func (g gpuAsked) notice() *views.Notice {
	if g.local() {
		return staleNotice(g.now, g.fleet.host.State)
	}
	return staleNotice(g.now, g.fleet.database)
}

// panel is one of the page's panels: it asks again for the same GPU and window.
func (g gpuAsked) panel(id, every string) views.Panel {
	q := url.Values{"wallet": {string(g.wallet)}, "uuid": {g.member.GPU.UUID}, "window": {g.window.id}}
	return views.Panel{ID: id, URL: "/partials/" + id + "?" + q.Encode(), Every: every}
}

// walletQuery is the query of links to pages about a wallet, "" if it is the server's own.
func (s *Server) walletQuery(wallet validator.Address) string {
	if wallet == s.validatorAddress {
		return ""
	}
	return "?wallet=" + url.QueryEscape(string(wallet))
}

// gpuURL leads to a GPU's page; "" for a GPU that has no identity that lasts.
func (s *Server) gpuURL(uuid string, wallet validator.Address) string {
	if uuid == "" {
		return ""
	}
	return "/gpus/" + url.PathEscape(uuid) + s.walletQuery(wallet)
}

// pathParam returns a part of the path as it was before it was escaped. echo hands it on
// escaped if the path has an escape that Go would not write itself.
func pathParam(c echo.Context, name string) string {
	value := c.Param(name)
	if c.Request().URL.RawPath == "" {
		return value
	}
	plain, err := url.PathUnescape(value)
	if err != nil {
		return value
	}
	return plain
}

// gpuAsked finds the GPU that a request is about among those of the wallet: another
// wallet's is as unknown as one that never was.
func (s *Server) gpuAsked(c echo.Context, uuid string) (gpuAsked, error) {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return gpuAsked{}, err
	}
	if wallet == "" {
		return gpuAsked{}, badField("query.wallet", "is missing: name the wallet that the GPU works for", nil)
	}
	g := gpuAsked{wallet: wallet, fleet: s.fleet(c.Request().Context(), wallet), now: s.now(), kept: s.validatorAddress != ""}
	i := slices.IndexFunc(g.fleet.members, func(m fleetGPU) bool { return m.GPU.UUID == uuid })
	if i < 0 || uuid == "" {
		return gpuAsked{}, unknownGPU(g.fleet)
	}
	g.member = g.fleet.members[i]
	g.window, err = windowAsked(c.QueryParam(paramWindow), g.local())
	return g, err
}

// unknownGPU says that no GPU of the wallet has the UUID, or that nobody can say now.
func unknownGPU(f fleet) *problem {
	if !f.remote.Known() {
		return newProblem(http.StatusServiceUnavailable, "The GPUs of this wallet's other hosts cannot be listed now: "+validator.Sentence(f.remote.Reason()))
	}
	return newProblem(http.StatusNotFound, "No GPU of this wallet has that UUID. A card that no host has reported for a month is forgotten.")
}

func (s *Server) gpusPage(c echo.Context) error {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return err
	}
	if wallet == "" {
		return c.Redirect(http.StatusFound, "/?choose=1")
	}
	return s.render(c, http.StatusOK, views.AllGPUs(views.GPUsPage{
		Page: s.page(c.Request(), "GPUs · "+wallet.Abbreviated(), "gpus", wallet),
		GPUs: s.showGPUs(s.fleet(c.Request().Context(), wallet), wallet, panel("gpus", everyGPUs, wallet), s.now()),
	}))
}

func (s *Server) gpuPage(c echo.Context) error {
	g, err := s.gpuAsked(c, pathParam(c, "uuid"))
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	name := g.member.GPU.Name.Or("GPU of unknown model")
	past := s.gpuPast(ctx, g)
	return s.render(c, http.StatusOK, views.OneGPU(views.GPUPage{
		Page:   s.page(c.Request(), fmt.Sprintf("GPU %d · %s", g.member.GPU.Index, name), "gpus", g.wallet),
		Name:   fmt.Sprintf("GPU %d · %s", g.member.GPU.Index, name),
		AllURL: "/gpus" + s.walletQuery(g.wallet),
		Now:    s.showGPUNow(g), Charts: s.showGPUCharts(g, past), Health: s.showGPUHealth(g), Failures: s.showGPUFailures(g, past),
	}))
}

// partialGPU makes a handler of a panel of a GPU's page.
func (s *Server) partialGPU(show func(context.Context, gpuAsked) templ.Component) echo.HandlerFunc {
	return func(c echo.Context) error {
		g, err := s.gpuAsked(c, c.QueryParam(paramUUID))
		if err != nil {
			return err
		}
		return s.render(c, http.StatusOK, show(c.Request().Context(), g))
	}
}

func (s *Server) partialGPUNow(_ context.Context, g gpuAsked) templ.Component {
	return views.GPUNowPanel(s.showGPUNow(g))
}

func (s *Server) partialGPUCharts(ctx context.Context, g gpuAsked) templ.Component {
	return views.GPUChartsPanel(s.showGPUCharts(g, s.gpuPast(ctx, g)))
}

func (s *Server) partialGPUHealth(_ context.Context, g gpuAsked) templ.Component {
	return views.GPUHealthPanel(s.showGPUHealth(g))
}

func (s *Server) partialGPUFailures(ctx context.Context, g gpuAsked) templ.Component {
	return views.GPUFailuresPanel(s.showGPUFailures(g, s.gpuPast(ctx, g)))
}

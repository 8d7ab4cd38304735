package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// networkProvenance tells of the figures that are nobody's own.
const networkProvenance = "/partials/provenance/network"

// origin leads to where a figure of a wallet came from. A figure of the network has no wallet.
func (s *Server) origin(wallet validator.Address, id, label string) views.Origin {
	u := networkProvenance + "?"
	if wallet != "" {
		u = "/partials/provenance?wallet=" + string(wallet) + "&"
	}
	return views.Origin{URL: u + "of=" + url.QueryEscape(id), Label: label}
}

// evidence is everything that a figure's provenance is made from: the same values that
// the pages show.
type evidence struct {
	validator.Picture

	server   *Server
	counts   validator.Maybe[validator.NetworkCounts] // of the network
	activity validator.Maybe[validator.NetworkActivity]
	window   networkWindow // of activity
	stakes   validator.Maybe[validator.StakeBoard]
	months   validator.Maybe[validator.WorkerMonths]
}

// partialNetworkProvenance tells where a figure of the network came from.
func (s *Server) partialNetworkProvenance(c echo.Context) error {
	id, window, _ := strings.Cut(c.QueryParam(paramOf), "@")
	tell, known := networkFigures[id]
	if !known {
		return unknownFigure(id)
	}
	of, err := parseWindow("query."+paramOf, window)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	asked := s.reads(ctx)
	e := evidence{server: s, counts: asked.NetworkCounts(ctx), window: of}
	e.activity, e.stakes = asked.Activity(ctx, e.window.window), asked.StakeBoard(ctx)
	e.Now, e.Chain.Network, e.Database = s.now(), viewing(ctx).RedactNetwork(s.chain.Network()), asked.State()
	e.Chain.State, e.Chain.Block = e.Chain.Network.State, e.Chain.Network.Block
	return s.render(c, http.StatusOK, views.Origins(tell(e)))
}

// partialProvenance tells where a figure of a wallet came from.
func (s *Server) partialProvenance(c echo.Context) error {
	id := c.QueryParam(paramOf)
	ctx := c.Request().Context()
	wallet, err := s.pageWallet(c)
	switch {
	case err != nil:
		return err
	case wallet == "":
		return badField("query.wallet", "is missing: name the wallet that the figure is about", nil)
	}
	e := evidence{Picture: s.picture(ctx, wallet), server: s}
	if field, uuid, isGPU := strings.Cut(strings.TrimPrefix(id, "gpu."), "@"); isGPU && strings.HasPrefix(id, "gpu.") {
		return s.renderGPUOrigin(c, e, field, uuid)
	}
	origins, known := s.provenanceOf(ctx, e, id)
	if !known {
		return unknownFigure(id)
	}
	return s.render(c, http.StatusOK, views.Origins(origins))
}

// provenanceOf returns where a figure that is no GPU's comes from; false for an unknown figure.
func (s *Server) provenanceOf(ctx context.Context, e evidence, id string) (views.Provenance, bool) {
	asked := s.reads(ctx)
	if field, days, isPeriod := parsePeriodFigure(id); isPeriod {
		return periodFigures[field](periodEvidence{
			e, asked.EarningReport(ctx, e.Address, days, validator.ByMonth), asked.MeasuredEnergy(ctx, e.Address, days), days,
		}), true
	}
	if figure, host, isHosts := strings.Cut(id, "@"); uptimeFigures[figure] != nil {
		of := uptimeOrigin{evidence: e, reports: asked.Uptime(ctx, e.Address)}
		if isHosts {
			of.host = &host
		}
		return uptimeFigures[figure](of), true
	}
	if class, isClass := parseReconciledFigure(id); isClass {
		return e.reconciled(class, asked.Reconciliation(ctx, e.Address)), true
	}
	tell, known := walletFigures[id]
	if !known {
		return views.Provenance{}, false
	}
	if strings.HasPrefix(id, "place.") {
		e.months = asked.WorkerMonths(ctx)
	}
	return tell(e), true
}

func (s *Server) renderGPUOrigin(c echo.Context, e evidence, field, uuid string) error {
	f, known := gpuFigures[field]
	if !known {
		return unknownFigure("gpu." + field)
	}
	for _, m := range s.fleet(c.Request().Context(), e.Address).members {
		if m.GPU.UUID == uuid {
			return s.render(c, http.StatusOK, views.Origins(e.gpu(f, m.FleetGPU)))
		}
	}
	return newProblem(http.StatusNotFound, "This wallet has no GPU of that UUID.")
}

func unknownFigure(id string) *problem {
	return newProblem(http.StatusNotFound, "There is no figure "+id+"; there are "+strings.Join(figures(), ", ")+".")
}

// figures lists the ids that have a provenance; "gpu.FIELD" takes "@" and a UUID,
// "period.FIELD" "@" and two days with ".." between.
func figures() []string {
	out := slices.AppendSeq(slices.Collect(maps.Keys(walletFigures)), maps.Keys(networkFigures))
	out = slices.AppendSeq(out, maps.Keys(uptimeFigures))
	for field := range gpuFigures {
		out = append(out, "gpu."+field)
	}
	for field := range periodFigures {
		out = append(out, periodPrefix+field)
	}
	for _, class := range validator.ReconcileClasses {
		out = append(out, reconciledFigure(class))
	}
	slices.Sort(out)
	return out
}

package web

import (
	"context"
	"net/http"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

const (
	reconcilePath     = "/earnings/reconciliation"
	paymentsOnPage    = 50
	reconcilePanelID  = "reconciliation"
	reconciledPanelID = "reconciled"
)

// reconcileURL leads to a list of a wallet's payments.
func (s *Server) reconcileURL(wallet validator.Address, q reconcileQuery) string {
	return s.withQuery(reconcilePath, wallet, q.values())
}

// paymentsLink leads to the page from others.
func (s *Server) paymentsLink(wallet validator.Address) views.Link {
	return views.Link{Text: "Payments against the chain", URL: s.reconcileURL(wallet, reconcileQuery{})}
}

// reconcileRead is a page of payments with what stands around it.
type reconcileRead struct {
	all   validator.Maybe[validator.Reconciliation]
	page  validator.Maybe[[]validator.ReconciledPayment]
	more  bool
	now   time.Time // by which the page's classes were decided
	state validator.SourceState
}

// windows says which payments a list is of, as far as the events are known now.
func (q reconcileQuery) windows(r validator.Reconciliation, now time.Time) []validator.PaymentWindow {
	var out []validator.PaymentWindow
	for _, c := range q.classes() {
		out = append(out, c.Windows(r.Coverage, now)...)
	}
	return out
}

func (s *Server) readReconciled(ctx context.Context, wallet validator.Address, q reconcileQuery) reconcileRead {
	asked := s.reads(ctx)
	r := reconcileRead{all: asked.Reconciliation(ctx, wallet), now: s.now()}
	all, known := r.all.Get()
	if !known {
		r.page, r.state = validator.None[[]validator.ReconciledPayment](r.all.Reason()), asked.State()
		return r
	}
	r.page = asked.Payments(ctx, wallet, observe.PaymentList{Class: q.class, Before: q.before, Limit: paymentsOnPage + 1}, q.windows(all, r.now))
	if list := r.page.Or(nil); len(list) > paymentsOnPage {
		r.page, r.more = validator.Some(list[:paymentsOnPage]), true
	}
	r.state = asked.State()
	return r
}

func (s *Server) reconcilePage(c echo.Context) error {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return err
	}
	if wallet == "" {
		return c.Redirect(http.StatusFound, "/?choose=1")
	}
	q, err := parseReconcileQuery(c.QueryParams())
	if err != nil {
		return err
	}
	r := s.readReconciled(c.Request().Context(), wallet, q)
	return s.render(c, http.StatusOK, views.Reconciliation(views.ReconcilePage{
		Page:        s.page(c.Request(), "Payments against the chain · "+wallet.Abbreviated(), "earnings", wallet),
		EarningsURL: s.earningsURL(wallet, earningsQuery{}),
		Summary:     s.showReconciliation(r, wallet),
		List:        s.showReconciled(r, wallet, q),
	}))
}

// partialReconciliation answers the polls of the sums.
func (s *Server) partialReconciliation(c echo.Context) error {
	return s.partial(c, func(wallet validator.Address) templ.Component {
		asked := s.reads(c.Request().Context())
		r := reconcileRead{all: asked.Reconciliation(c.Request().Context(), wallet), now: s.now()}
		r.state = asked.State()
		return views.ReconcileSummaryPanel(s.showReconciliation(r, wallet))
	})
}

// partialReconciled answers the polls of the newest payments of a class.
func (s *Server) partialReconciled(c echo.Context) error {
	q, err := parseReconcileQuery(c.QueryParams())
	if err != nil {
		return err
	}
	return s.partial(c, func(wallet validator.Address) templ.Component {
		return views.ReconcileListPanel(s.showReconciled(s.readReconciled(c.Request().Context(), wallet, q.newest()), wallet, q.newest()))
	})
}

package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// stakeURL leads to the page about a wallet's stake.
func (s *Server) stakeURL(wallet validator.Address) string {
	return "/stake" + s.walletQuery(wallet)
}

func (s *Server) stakePage(c echo.Context) error {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return err
	}
	if wallet == "" {
		return c.Redirect(http.StatusFound, "/?choose=1")
	}
	before, err := parseReputationCursor("query.before", c.QueryParam("before"))
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	p := s.picture(ctx, wallet)
	history := s.readReputation(ctx, p, before, reputationOnPage, true)
	return s.render(c, http.StatusOK, views.OneStake(views.StakePage{
		Page:  s.page(c.Request(), "Stake · "+wallet.Abbreviated(), "stake", wallet),
		State: s.showStakeState(ctx, p), Actions: s.stakeActions(ctx, p), Risk: s.showStakeRisk(p), Terms: s.showStakeTerms(p),
		Reputation: s.showReputation(p, history, before), Mining: s.showMining(p),
	}))
}

// partialStake makes a handler of a panel of the stake's page.
func (s *Server) partialStake(show func(context.Context, validator.Picture) templ.Component) echo.HandlerFunc {
	return func(c echo.Context) error {
		return s.partial(c, func(wallet validator.Address) templ.Component {
			ctx := c.Request().Context()
			return show(ctx, s.picture(ctx, wallet))
		})
	}
}

func (s *Server) partialStakeState(ctx context.Context, p validator.Picture) templ.Component {
	return views.StakeState(s.showStakeState(ctx, p))
}

func (s *Server) partialStakeRisk(_ context.Context, p validator.Picture) templ.Component {
	return views.StakeRisk(s.showStakeRisk(p))
}

func (s *Server) partialStakeTerms(_ context.Context, p validator.Picture) templ.Component {
	return views.StakeTerms(s.showStakeTerms(p))
}

func (s *Server) partialStakeMining(_ context.Context, p validator.Picture) templ.Component {
	return views.Mining(s.showMining(p))
}

// partialReputation answers the polls of a page of the reputation's changes.
func (s *Server) partialReputation(c echo.Context) error {
	before, err := parseReputationCursor("query.before", c.QueryParam("before"))
	if err != nil {
		return err
	}
	return s.partialStake(func(ctx context.Context, p validator.Picture) templ.Component {
		return views.Reputation(s.showReputation(p, s.readReputation(ctx, p, before, reputationOnPage, true), before))
	})(c)
}

// stakeActions are the forms for those who may act for the wallet.
func (s *Server) stakeActions(ctx context.Context, p validator.Picture) *views.StakeActions {
	if !viewerOf(ctx).may(accessOwner) {
		return nil
	}
	form := func(kind validator.ActionKind) views.ActionForm {
		e := actionEntry{kind: kind, action: validator.Action{Kind: kind}}
		if st, known := p.Chain.Stake.Get(); known && st.Registered() {
			e.action.Tier = st.Tier
		}
		return *s.actionForm(e, p, p.Address)
	}
	return &views.StakeActions{
		Stake: form(validator.ActionStake), Unstake: form(validator.ActionUnstake),
		Complete: views.Link{Text: "Preview", URL: s.actionURL(validator.ActionCompleteUnstake, p.Address)},
	}
}

package web

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// everyStakeTerms is how often the network's terms are asked for anew; they hardly change.
const everyStakeTerms = "30s"

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
	p := s.picture(c.Request().Context(), wallet)
	return s.render(c, http.StatusOK, views.OneStake(views.StakePage{
		Page:  s.page(c.Request(), "Stake · "+wallet.Abbreviated(), "stake", wallet),
		State: s.showStakeState(p), Risk: s.showStakeRisk(p), Terms: s.showStakeTerms(p),
	}))
}

// partialStake makes a handler of a panel of the stake's page.
func (s *Server) partialStake(show func(validator.Picture) templ.Component) echo.HandlerFunc {
	return func(c echo.Context) error {
		return s.partial(c, func(wallet validator.Address) templ.Component {
			return show(s.picture(c.Request().Context(), wallet))
		})
	}
}

func (s *Server) partialStakeState(p validator.Picture) templ.Component {
	return views.StakeState(s.showStakeState(p))
}

func (s *Server) partialStakeRisk(p validator.Picture) templ.Component {
	return views.StakeRisk(s.showStakeRisk(p))
}

func (s *Server) partialStakeTerms(p validator.Picture) templ.Component {
	return views.StakeTerms(s.showStakeTerms(p))
}

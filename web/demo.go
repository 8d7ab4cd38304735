package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/views"
)

// Demo is what only the demo's server has. With it every page says that its values are
// simulated, and the routes below /dev exist; without it nothing of this can be reached.
type Demo struct {
	// Wallet answers the wallet API of the demo's own wallet, which signs whatever it is
	// asked to: its key is worth nothing.
	Wallet http.Handler
}

// demoComponents shows every component; its tabs lead nowhere else.
const demoComponents = "/dev/components"

// demoPages lists the routes that only the demo has.
func (s *Server) demoPages() []route {
	return []route{
		{http.MethodGet, demoComponents, accessPublic, s.components},
		{http.MethodPost, "/dev/wallet", accessPublic, echo.WrapHandler(s.demo.Wallet)},
	}
}

// components shows the component gallery.
func (s *Server) components(c echo.Context) error {
	return s.render(c, http.StatusOK, views.Components(s.page(c.Request(), "Components", "", "").WithCharts()))
}

// demoScript is the file that brings the demo's wallet to its pages.
const demoScript = "demo-wallet.js"

// demoNote is what every page says of a demo.
func (s *Server) demoNote() *views.Demo {
	if s.demo == nil {
		return nil
	}
	return &views.Demo{Script: s.assets.Path(demoScript)}
}

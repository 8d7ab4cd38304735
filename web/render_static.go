package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/views"
)

// staticRoute serves the embedded files.
const staticRoute = "/static/:file"

// forever lets browsers keep a file whose name changes with its content.
const forever = "public, max-age=31536000, immutable"

// staticFile answers with an embedded file, in the form that was compressed at the start
// wherever the client takes it.
func (s *Server) staticFile(c echo.Context) error {
	r, h := c.Request(), c.Response().Header()
	f, found := s.assets.At(r.URL.Path)
	if !found || s.demo == nil && r.URL.Path == s.assets.Path(demoScript) {
		return echo.ErrNotFound
	}
	h.Set(echo.HeaderCacheControl, forever)
	body := f.Body
	if f.Gzip != nil {
		h.Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
		if strings.Contains(r.Header.Get(echo.HeaderAcceptEncoding), "gzip") {
			h.Set(echo.HeaderContentEncoding, "gzip")
			body = f.Gzip
		}
	}
	h.Set(echo.HeaderContentLength, strconv.Itoa(len(body)))
	return c.Blob(http.StatusOK, f.ContentType, body)
}

// pageAssets is what every page loads.
func (s *Server) pageAssets() views.Assets {
	return views.Assets{
		CSS: s.assets.Path("app.css"), JS: s.assets.Path("app.js"), Modules: s.assets.Modules("app.js"), HTMX: s.assets.Path("htmx.min.js"),
		Favicons: map[views.Tone]string{
			"": s.assets.Path("favicon.svg"), views.ToneGood: s.assets.Path("favicon-good.svg"), views.TonePlain: s.assets.Path("favicon-plain.svg"),
			views.ToneWarn: s.assets.Path("favicon-warn.svg"), views.ToneBad: s.assets.Path("favicon-bad.svg"), views.ToneUnknown: s.assets.Path("favicon-unknown.svg"),
		},
		Charts: views.ChartAssets{CSS: s.assets.Path("chart.css"), UPlot: s.assets.Path("uplot.iife.min.js"), JS: s.assets.Path("chart.js"), Modules: s.assets.Modules("chart.js")},
		Sprite: s.assets.Body("icons.svg"), Fingerprint: s.assets.Fingerprint(),
	}
}

// compressedBefore says which answers the compressing middleware leaves alone.
func compressedBefore(c echo.Context) bool { return c.Path() == staticRoute }

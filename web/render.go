package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
)

// assetsHeader tells a page that polls which files this server would give it, so that it
// can notice that it was made by another version.
const assetsHeader = "Assets-Fingerprint"

// render writes a component, whole or not at all, with nothing invisible in it. Every polled panel in it carries the tag
// of what it shows; a panel on its own, a poll's answer, is answered 304 without a body
// if the page that asks already shows the same.
func (s *Server) render(c echo.Context, status int, component templ.Component) error {
	var b bytes.Buffer
	if err := component.Render(c.Request().Context(), &b); err != nil {
		return fmt.Errorf("render %s: %w", c.Path(), err)
	}
	doc := tagPanels(visible(b.Bytes()))
	h := c.Response().Header()
	h.Set(assetsHeader, s.assets.Fingerprint())
	if doc.panel != "" && status == http.StatusOK {
		h.Set("ETag", `W/"`+doc.panel+`"`)
		if strings.Contains(c.Request().Header.Get("If-None-Match"), `"`+doc.panel+`"`) {
			return c.NoContent(http.StatusNotModified)
		}
	}
	return c.HTMLBlob(status, doc.html)
}

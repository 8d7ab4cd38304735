package web

import (
	"compress/gzip"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// maxBody bounds a request's body: a thousand jobs with long error messages fit.
const (
	maxBody      = "4M"
	maxBodyBytes = 4 << 20
)

// worthCompressing is how many bytes an answer needs for gzip to make it one packet less.
const worthCompressing = 512

// newEcho puts the middleware around the routes.
func (s *Server) newEcho() (*echo.Echo, error) {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = clientAddress(s.trustedProxies)
	e.HTTPErrorHandler = s.handleError
	meter, err := s.meter()
	if err != nil {
		return nil, err
	}
	e.Use(
		meter,
		s.countOpen,
		s.logRequests,
		middleware.RecoverWithConfig(middleware.RecoverConfig{DisablePrintStack: true, LogErrorFunc: notePanic}),
		s.secureHeaders,
		echo.WrapMiddleware(s.sameOrigin),
		middleware.BodyLimit(maxBody),
		middleware.GzipWithConfig(middleware.GzipConfig{Skipper: compressedBefore, Level: gzip.DefaultCompression, MinLength: worthCompressing}),
		s.limitAddresses,
		s.identify,
		s.limitCredentials,
		s.limitRunning,
		countBody,
		s.checkTexts,
	)
	queries := pageQueries()
	for _, r := range s.pages() {
		s.state(r.method, r.path, r.access)
		e.Add(r.method, r.path, r.handler, s.require(r.access), checkQuery(queries[r.path]), s.checkForm)
	}
	s.mountAPI(e)
	return e, s.checkStated(e.Routes())
}

// state notes who may call a route.
func (s *Server) state(method, path string, a access) { s.stated[method+" "+path] = a }

// checkStated refuses routes that do not state who may call them.
func (s *Server) checkStated(routes []*echo.Route) error {
	for _, r := range routes {
		if s.stated[r.Method+" "+r.Path] == accessUnstated {
			return fmt.Errorf("web: the route %s %s does not state who may call it", r.Method, r.Path)
		}
	}
	return nil
}

// require refuses a route to who may not call it.
func (s *Server) require(a access) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if p := s.refuse(viewerOf(c.Request().Context()), a); p != nil {
				return p
			}
			return next(c)
		}
	}
}

// clientAddress finds out the address that a request comes from: its peer's, or what the
// proxies that are trusted say it is.
func clientAddress(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range trusted {
		options = append(options, echo.TrustIPRange(&net.IPNet{IP: p.Masked().Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

// contentPolicy lets a page load nothing but this server's own files.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *Server) secureHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set(echo.HeaderCacheControl, "no-store")
		if strings.HasPrefix(s.publicURL, "https://") {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

// sameOrigin refuses requests that change something and come from another site's page.
func (s *Server) sameOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	if s.publicURL != "" {
		if err := guard.AddTrustedOrigin(s.publicURL); err != nil {
			s.log.Error("PUBLIC_URL is no origin", slog.Any("error", err))
		}
	}
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handleError(newProblem(http.StatusForbidden, "This request comes from another site's page."), s.echo.NewContext(r, w))
	}))
	return guard.Handler(next)
}

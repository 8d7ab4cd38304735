package web

import (
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/views"
)

// handleError writes every error of every route, once: problem+json for programs, a line
// for a panel's poll, a page for people. The request's line in the log has the cause.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := problemOf(err)
	if p.Status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", bearerChallenge)
	}
	maps.Copy(c.Response().Header(), p.GetHeaders())
	failedBy(c.Request().Context(), err)
	if werr := s.writeProblem(p.identified(c.Request().Context()), c); werr != nil {
		s.log.DebugContext(c.Request().Context(), "error could not be written", slog.Any("error", werr))
	}
}

func (s *Server) writeProblem(p *problem, c echo.Context) error {
	r := c.Request()
	switch {
	case r.Method == http.MethodHead:
		return c.NoContent(p.Status)
	case r.Header.Get("HX-Request") == "true" && p.Status == http.StatusUnauthorized:
		return s.render(c, p.Status, views.SignInAgain(signInURL(pageOf(r))))
	case r.Header.Get("HX-Request") == "true":
		return c.Blob(p.Status, echo.MIMETextPlainCharsetUTF8, visible([]byte(p.Detail+requestWords(p.RequestID))))
	case wantsPage(r) && p.Status == http.StatusUnauthorized:
		return c.Redirect(http.StatusSeeOther, signInURL(pageOf(r)))
	case wantsPage(r):
		page := s.page(r, "Problem", "", "")
		if p.Status == http.StatusNotFound {
			page.Reader.SignInURL = signInURL("") // nobody wants to come back to it
		}
		return s.render(c, p.Status, views.Failure(views.ErrorPage{
			Page:      page,
			Status:    http.StatusText(p.Status),
			Title:     titleFor(p.Status),
			Detail:    p.Detail,
			RequestID: p.RequestID,
		}))
	}
	c.Response().Header().Set(echo.HeaderContentType, "application/problem+json")
	return c.JSON(p.Status, p)
}

// requestWords names a failed request to who reports it.
func requestWords(id string) string {
	if id == "" {
		return ""
	}
	return " (request " + id + ")"
}

// signInURL leads to the sign-in page, and from there back to a page of ours.
func signInURL(page string) string {
	u, err := url.Parse(page)
	if err != nil || page == "" {
		return "/signin"
	}
	q := u.Query()
	q.Del("wallet") // what is meant then is the one that signs in
	u.RawQuery = q.Encode()
	if page = u.RequestURI(); page == "/" {
		return "/signin"
	}
	return "/signin?next=" + url.QueryEscape(page)
}

// pageOf is the page, path and query, that a request is made for: its own address, or for
// a part of a page or a form the page that it stands on.
func pageOf(r *http.Request) string {
	from := r.Header.Get("HX-Current-URL")
	switch {
	case r.Header.Get("HX-Request") == "true":
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		from = r.Referer()
	default:
		return r.URL.RequestURI()
	}
	u, err := url.Parse(from)
	if err != nil || u.Host != r.Host || !strings.HasPrefix(u.Path, "/") {
		return ""
	}
	return u.RequestURI()
}

// wantsPage says whether a person's browser asks.
func wantsPage(r *http.Request) bool {
	for _, prefix := range []string{"/api/", "/health", "/metrics", "/openapi"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return false
		}
	}
	return strings.Contains(r.Header.Get(echo.HeaderAccept), echo.MIMETextHTML)
}

func titleFor(status int) string {
	switch {
	case status == http.StatusNotFound:
		return "Nothing here"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "You do not have access to this page"
	case status >= http.StatusInternalServerError:
		return "That did not work"
	}
	return "That request cannot be answered"
}

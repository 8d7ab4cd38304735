package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/views"
)

// maxSignInBody is nearly twice what the longest signature takes, in bytes: 69 a felt.
const maxSignInBody = 128 << 10

// readSignIn reads a request's JSON, of which every member must be known: a message or
// types of the client's own have no place in it.
func readSignIn(c echo.Context, into any) error {
	r := c.Request()
	if kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType)); err != nil || kind != echo.MIMEApplicationJSON {
		return newProblem(http.StatusUnsupportedMediaType, "The request's body must be application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, maxSignInBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return newProblem(http.StatusRequestEntityTooLarge, wordsFor(http.StatusRequestEntityTooLarge))
	}
	if err == nil {
		if wrong := checkJSONTexts(body); wrong != nil {
			return wrong
		}
		err = decodeSignIn(body, into)
	}
	if err != nil {
		p := newProblem(http.StatusBadRequest, "The request's body is not what a sign-in sends: "+jsonFault(err)+".")
		p.cause = err
		return p
	}
	return nil
}

func decodeSignIn(body []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, more := dec.Token(); !errors.Is(more, io.EOF) {
		return errors.New("there is more after the JSON object")
	}
	return nil
}

// jsonFault says in words what is wrong with a body.
func jsonFault(err error) string {
	if wrong, is := errors.AsType[*json.UnmarshalTypeError](err); is {
		return fmt.Sprintf("%s must not be a JSON %s", wrong.Field, wrong.Value)
	}
	if name, is := strings.CutPrefix(err.Error(), "json: unknown field "); is {
		return "it must not have a member " + name
	}
	return "it must be one JSON object"
}

// localPath returns where to land after signing in: the path that was asked for if it is
// one of this site, else the dashboard's. What browsers read as another host is none.
func localPath(next string) string {
	const home = "/"
	if len(next) < 1 || next[0] != '/' || len(next) > 2000 {
		return home
	}
	for _, b := range []byte(next) {
		if b <= ' ' || b >= 0x7f || b == '\\' { // browsers drop or turn these
			return home
		}
	}
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || strings.HasPrefix(next, "//") || strings.HasPrefix(u.Path, "//") {
		return home
	}
	if u.Path == "/signin" || strings.HasPrefix(u.Path, "/partials/") || strings.HasPrefix(u.Path, "/api/") {
		return home
	}
	return next
}

// signInOrigin is the origin that messages are bound to: PUBLIC_URL, or without one the
// address at which somebody on this machine reached the server. "" if that is unknown: what
// a stranger writes into a Host header is not to be signed.
func (s *Server) signInOrigin(r *http.Request) string {
	if s.publicURL != "" {
		return plainOrigin(s.publicURL)
	}
	if !s.isLocal(r) {
		return ""
	}
	if r.TLS != nil {
		return plainOrigin("https://" + r.Host)
	}
	return plainOrigin("http://" + r.Host)
}

// checkOrigin returns the origin that messages are bound to, or refuses a request of a page
// of another one.
func (s *Server) checkOrigin(r *http.Request) (string, error) {
	origin := s.signInOrigin(r)
	if origin == "" {
		return "", signInProblem(http.StatusForbidden, views.SignInOrigin, "This server does not know the address under which it is reached: set PUBLIC_URL to sign in from elsewhere than its own machine.")
	}
	if sent := r.Header.Get("Origin"); sent != "" && plainOrigin(sent) != origin {
		return "", signInProblem(http.StatusForbidden, views.SignInOrigin, "This server signs in at "+origin+".")
	}
	return origin, nil
}

// plainOrigin writes an origin as browsers do: in small letters, without the scheme's own
// port; "" for what is none.
func plainOrigin(origin string) string {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return ""
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return scheme + "://" + host
}

package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// failing is a server with routes that fail in every way, and its log.
func failing(t *testing.T) (*Server, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	url := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: url}), func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	dbtest.Exec(t, url, "DROP TABLE sessions, api_tokens, signin_messages CASCADE")
	s.echo.GET("/panic", func(echo.Context) error { panic("the cause") })
	s.echo.GET("/error", func(echo.Context) error { return errors.New("the cause") })
	s.echo.GET("/http-error", func(echo.Context) error { return echo.NewHTTPError(http.StatusBadGateway, "the cause") })
	huma.Register(humaecho.New(s.echo, huma.DefaultConfig("test", "1")), huma.Operation{OperationID: "huma", Method: http.MethodGet, Path: "/api/huma"}, func(context.Context, *struct{}) (*struct{}, error) {
		return nil, errors.New("the cause")
	})
	return s, &log
}

func TestEveryFailureIsLoggedOnceWithItsCauseUnderTheAnswersID(t *testing.T) {
	s, log := failing(t)
	token := "Bearer " + db.NewTokenSecret()
	for _, c := range []struct {
		name, path string
		header     []string
		cause      string
	}{
		{"a page", "/error", []string{"Accept", "text/html"}, "the cause"},
		{"a partial", "/error", []string{"HX-Request", "true"}, "the cause"},
		{"a program", "/error", []string{"Accept", "*/*"}, "the cause"},
		{"a panic", "/panic", []string{"Accept", "text/html"}, "the cause"},
		{"a panic, asked by HX", "/panic", []string{"HX-Request", "true"}, "the cause"},
		{"echo's own", "/http-error", []string{"Accept", "*/*"}, "the cause"},
		{"huma's own", "/api/huma", nil, "the cause"},
		{"a token, by the API", "/api/validator/status", []string{"Authorization", token}, "api_tokens"},
		{"a token, by a page", "/jobs", []string{"Authorization", token, "Accept", "text/html"}, "api_tokens"},
		{"a session, by a page", "/settings", []string{"Cookie", "session=x", "Accept", "text/html"}, "sessions"},
		{"a session, by a partial", "/settings", []string{"Cookie", "session=x", "HX-Request", "true"}, "sessions"},
		{"no source, asked by /ready", "/health/ready", nil, "not ready"},
	} {
		if c.name == "no source, asked by /ready" {
			if err := s.db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		log.Reset()
		w := visit(s, c.path, c.header...)
		id := w.Header().Get("X-Request-Id")
		lines := strings.Count(log.String(), "\n")
		if w.Code < http.StatusInternalServerError || id == "" || lines != 1 || !strings.Contains(log.String(), c.cause) || !strings.Contains(log.String(), "request_id="+id) {
			t.Errorf("%s: %d, request %q, logged:\n%s", c.name, w.Code, id, log)
		}
		if body := w.Body.String(); c.path != "/health/ready" && (!strings.Contains(body, id) || strings.Contains(body, "the cause")) {
			t.Errorf("%s: the answer does not name request %s, or tells the cause:\n%s", c.name, id, body)
		}
	}
}

func TestAProblemNamesItsRequestOnlyWhereTheServerFailed(t *testing.T) {
	s, _ := failing(t)
	for path, want := range map[string]bool{"/error": true, "/api/jobs/recent?limit=0": false, "/nothing": false} {
		w := visit(s, path, "Accept", "*/*", "X-Wallet-Address", "0x1")
		var p struct {
			RequestID *string `json:"request_id"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%s: %v %s", path, err, w.Body)
		}
		if id := w.Header().Get("X-Request-Id"); id == "" || want != (p.RequestID != nil) || want && *p.RequestID != id {
			t.Errorf("%s: the header names request %q, the body %v", path, id, p.RequestID)
		}
	}
	if a, b := visit(s, "/network").Header().Get("X-Request-Id"), visit(s, "/network", "X-Request-Id", "chosen").Header().Get("X-Request-Id"); a == b || b == "chosen" {
		t.Errorf("requests are named %q and %q", a, b)
	}
}

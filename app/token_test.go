package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
)

// command runs a command of the program in this process and returns what it prints.
func command(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	getenv := func(name string) string {
		for _, e := range env {
			if v, is := strings.CutPrefix(e, name+"="); is {
				return v
			}
		}
		return ""
	}
	var out bytes.Buffer
	err := Program{Getenv: getenv, Stdout: &out, Stderr: io.Discard}.Run(context.Background(), args)
	return out.String(), err
}

var tokenSecret = regexp.MustCompile(`bsg_[\w-]{43}`)

// TestTokensOfTheCommandLine makes tokens beside a server that runs its own database.
func TestTokensOfTheCommandLine(t *testing.T) {
	t.Parallel()
	env := []string{"DATA_DIR=" + dbtest.Dir(t), "NVML_LIBRARY=/nonexistent/libnvidia-ml.so.1"}
	p := harness.Start(t, env...)
	create := func(args ...string) string {
		out, err := command(t, env, append([]string{"token", "create"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return tokenSecret.FindString(out)
	}
	read, worker, every := create("-name", "script", "-wallet", "0x123", "-days", "7"), create("-name", "rig", "-wallet", "0x123", "-scope", "ingest"), create("-name", "coordinator", "-coordinator")
	for _, c := range []struct {
		secret, method, path, body string
		want                       int
	}{
		{read, http.MethodGet, "/api/validator/status", "", http.StatusOK},
		{read, http.MethodPost, "/api/worker/heartbeat", `{"worker_id":"r"}`, http.StatusForbidden},
		{worker, http.MethodPost, "/api/worker/heartbeat", `{"worker_id":"r"}`, http.StatusOK},
		{worker, http.MethodPost, "/api/worker/heartbeat", `{"worker_id":"r","worker_address":"0x124"}`, http.StatusForbidden},
		{worker, http.MethodGet, "/api/validator/status", "", http.StatusForbidden},
		{every, http.MethodPost, "/api/worker/heartbeat", `{"worker_id":"r","worker_address":"0x124"}`, http.StatusOK},
		{"bsg_guess", http.MethodGet, "/api/validator/status", "", http.StatusUnauthorized},
	} {
		if got := p.StatusWithToken(t, c.secret, c.method, c.path, c.body); got != c.want {
			t.Errorf("%s %s %s: %d, want %d", c.method, c.path, c.body, got, c.want)
		}
	}
	list, err := command(t, env, "token", "list")
	if err != nil || strings.Count(list, "\n") != 4 || !strings.Contains(list, "any worker") || tokenSecret.MatchString(list) {
		t.Errorf("%v\n%s", err, list)
	}
	if list, err = command(t, env, "token", "list", "-wallet", "0x0123"); err != nil || strings.Count(list, "\n") != 3 {
		t.Errorf("of one wallet: %v\n%s", err, list)
	}
	if out, err := command(t, env, "token", "revoke", "1"); err != nil || out != "Token 1, script, is revoked.\n" {
		t.Errorf("%v %q", err, out)
	}
	if got := p.StatusWithToken(t, read, http.MethodGet, "/api/validator/status", ""); got != http.StatusUnauthorized {
		t.Errorf("a revoked token is answered %d", got)
	}
	if logged := p.Logged(); tokenSecret.MatchString(logged) {
		t.Errorf("the log has a secret:\n%s", logged)
	}
}

func TestATokenOrderThatCannotBeIsRefusedInWords(t *testing.T) {
	for words, args := range map[string][]string{
		"-name must have":                       {"create", "-wallet", "0x1"},
		"-wallet must name":                     {"create", "-name", "x"},
		"it must begin with 0x":                 {"create", "-name", "x", "-wallet", "alice"},
		"-scope must be read or ingest":         {"create", "-name", "x", "-wallet", "0x1", "-scope", "admin"},
		"-coordinator makes a token":            {"create", "-name", "x", "-wallet", "0x1", "-coordinator"},
		"-days must be":                         {"create", "-name", "x", "-wallet", "0x1", "-days", "-1"},
		"token create takes flags only":         {"create", "-name", "x", "-wallet", "0x1", "more"},
		"takes the ID of one token":             {"revoke"},
		"is no ID of a token":                   {"revoke", "x"},
		"there is no command \"token \"":        nil,
		"there is no command \"token conjure\"": {"conjure"},
	} {
		if _, err := command(t, []string{"DATABASE_URL=postgres://nobody@127.0.0.1:9/none"}, append([]string{"token"}, args...)...); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

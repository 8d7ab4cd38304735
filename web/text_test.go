package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// unstorable are texts that PostgreSQL refuses, as JSON writes them between quotes.
var unstorable = map[string]string{"zero": `a\u0000b`, "no UTF-8": "a\xff", "cut UTF-8": "\xe2\x82", "half a pair": `\ud83d!`, "the other half": `\uDE00`, "two first halves": `\ud83d\ud83d`}

// TestATextThatTheDatabaseRefusesIsRefusedByItsField, in every text of every report, and
// nothing of the report is stored.
func TestATextThatTheDatabaseRefusesIsRefusedByItsField(t *testing.T) {
	s, url, one, _ := reporter(t)
	now := time.Now().Unix()
	good := map[string]string{
		"/api/worker/heartbeat":   `{"worker_id": "rig-1", "version": "1"}`,
		"/api/worker/heartbeats":  fmt.Sprintf(`{"heartbeats": [{"worker_id": "good", "heartbeat_time": %d}, {"worker_id": "rig-1", "version": "1", "heartbeat_time": %d}]}`, now, now),
		"/api/worker/gpu-metrics": `{"worker_id": "rig-1", "gpus": [{"index": 0, "uuid": "GPU-0"}, {"index": 1, "uuid": "GPU-1", "name": "NVIDIA H100"}]}`,
		"/api/jobs":               `{"jobs": [{"job_id": "good", "status": "running"}, {"job_id": "j-1", "status": "failed", "job_type": "proof", "error_message": "why", "result_hash": "0x1", "gpu_uuid": "GPU-1"}]}`,
	}
	for path, fields := range map[string]map[string]string{ // field by the text that is replaced
		"/api/worker/heartbeat":   {`"rig-1"`: "body.worker_id", `"version": "1"`: "body.version"},
		"/api/worker/heartbeats":  {`"rig-1"`: "1 worker_id", `"version": "1"`: "1 version"},
		"/api/worker/gpu-metrics": {`"rig-1"`: "body.worker_id", `"GPU-1"`: "body.gpus[1].uuid", `"NVIDIA H100"`: "body.gpus[1].name"},
		"/api/jobs":               {`"j-1"`: "1 job_id", `"proof"`: "1 job_type", `"why"`: "1 error_message", `"0x1"`: "1 result_hash", `"GPU-1"`: "1 gpu_uuid"},
	} {
		for what, field := range fields {
			for kind, text := range unstorable {
				name, _, _ := strings.Cut(what, ":")
				bad := `"` + text + `"`
				if strings.Contains(what, ":") {
					bad = name + `: "` + text + `"`
				}
				body := strings.Replace(good[path], what, bad, 1)
				if body == good[path] {
					t.Fatalf("%s has no %s", path, what)
				}
				code, b := tell(t, s, one, path, body)
				var p struct {
					Error  string
					Errors []struct {
						Index *int
						Field string
					}
				}
				if err := json.Unmarshal([]byte(b), &p); err != nil {
					t.Fatal(err, b)
				}
				found := false
				for _, e := range p.Errors {
					at := e.Field
					if e.Index != nil {
						at = fmt.Sprint(*e.Index, " ", e.Field)
					}
					found = found || at == field
				}
				if code != http.StatusBadRequest || !found || !strings.HasPrefix(p.Error, "Nothing was stored: ") || !strings.Contains(p.Error, "U+0000") {
					t.Errorf("%s, %s: %d %s, want 400 that names %s", path, kind, code, b, field)
				}
			}
		}
	}
	if got := dbtest.Value(t, url, "SELECT (SELECT count(*) FROM heartbeats) + (SELECT count(*) FROM jobs) + (SELECT count(*) FROM worker_gpus)"); got != "0" {
		t.Errorf("%s rows were stored", got)
	}
	for path, body := range good {
		body = strings.NewReplacer("rig-1", `rig \ud83d\ude00 \\ud83d 😀 \ufffd`).Replace(body)
		if code, b := tell(t, s, one, path, body); code != http.StatusOK {
			t.Errorf("%s: %d %s", path, code, b)
		}
	}
	if got := dbtest.Value(t, url, `SELECT string_agg(DISTINCT worker_id, '|' ORDER BY worker_id) FROM heartbeats WHERE worker_id <> 'good'`); got != `rig 😀 \ud83d 😀 `+"\uFFFD" {
		t.Errorf("the host is called %q", got)
	}
}

// TestNoAddressOrFormHandsTheDatabaseWhatItRefuses: a page, a part of one, an export, the API's
// reads and every form name the parameter.
func TestNoAddressOrFormHandsTheDatabaseWhatItRefuses(t *testing.T) {
	store := dbtest.New(t)
	s := newServer(t, store)
	local := httptest.NewRequest(http.MethodPost, "/signin", nil)
	local.RemoteAddr, local.Host = "127.0.0.1:1", "127.0.0.1:3030"
	cookie := signIn(t, s, local, alice)
	problemAt := func(r *http.Request, field string) {
		t.Helper()
		r.RemoteAddr, r.Host = "127.0.0.1:50000", "127.0.0.1:3030"
		r.AddCookie(cookie)
		w := send(s, r)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), field+" must be UTF-8 text without the character U+0000") {
			t.Errorf("%s %s: %d %.200s, want 400 that names %s", r.Method, r.URL, w.Code, w.Body, field)
		}
	}
	for _, text := range []string{"a\x00b", "a\xff"} {
		escaped := url.QueryEscape(text)
		for path, field := range map[string]string{
			"/jobs/" + escaped:                     "path.id",
			"/gpus/" + escaped:                     "path.uuid",
			"/jobs?q=" + escaped:                   "query.q",
			"/jobs?client=" + escaped:              "query.client",
			"/jobs/export?format=csv&q=" + escaped: "query.q",
			"/partials/job?id=" + escaped:          "query.id",
			"/partials/gpu?uuid=" + escaped:        "query.uuid",
			"/uptime?host=" + escaped:              "query.host",
			"/partials/provenance?of=" + escaped:   "query.of",
			"/?wallet=" + escaped:                  "query.wallet",
			"/signin?next=" + escaped:              "query.next",
			"/api/jobs/recent?status=" + escaped:   "query.status",
			"/api/validator/history?x=" + escaped:  "query.x",
		} {
			problemAt(httptest.NewRequest(http.MethodGet, path, nil), field)
		}
		for path, field := range map[string]string{"/settings/tokens": "name", "/settings/tokens/revoke": "id", "/earnings/claim-price": "currency", "/prices": "currency"} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(url.Values{field: {text}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			problemAt(r, "body."+field)
		}
	}
	for kind, text := range unstorable {
		for path, body := range map[string]string{
			"/signin":         `{"nonce": "n", "signature": ["0x1"], "wallet_name": "` + text + `"}`,
			"/signin/message": `{"address": "0xa11", "chain_id": "` + text + `"}`,
		} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			field := "body.wallet_name"
			if path == "/signin/message" {
				field = "body.chain_id"
			}
			t.Log(kind)
			problemAt(r, field)
		}
		r := httptest.NewRequest(http.MethodPost, "/api/worker/claim-reward", strings.NewReader(`{"tx_hash": "`+text+`"}`))
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr, r.Host = "127.0.0.1:50000", "127.0.0.1:3030"
		r.AddCookie(cookie)
		if w := send(s, r); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"field":"body.tx_hash"`) {
			t.Errorf("a claim, %s: %d %s", kind, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/jobs?q="+strings.Repeat("x", longestParam+1), nil)
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "127.0.0.1:3030"
	if w := send(s, r); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "query.q must have at most") {
		t.Errorf("a long text: %d %.200s", w.Code, w.Body)
	}
}

// TestAReportThatOnlyTheDatabaseRefusesIsTheSendersToMend: the answer names the rule.
func TestAReportThatOnlyTheDatabaseRefusesIsTheSendersToMend(t *testing.T) {
	s, url, one, _ := reporter(t)
	dbtest.Exec(t, url, "ALTER TABLE heartbeats ADD CONSTRAINT heartbeats_version_is_known CHECK (version <> 'unheard-of')")
	if code, b := tell(t, s, one, "/api/worker/heartbeat", `{"worker_id": "rig-1", "version": "unheard-of"}`); code != http.StatusBadRequest || !strings.Contains(b, "the rule heartbeats_version_is_known is broken") {
		t.Errorf("%d %s", code, b)
	}
}

// TestANodesWordsAreKeptWhateverTheyHold: they must not keep an outcome from being stored.
func TestANodesWordsAreKeptWhateverTheyHold(t *testing.T) {
	store := dbtest.New(t)
	tx := validator.Felt("0x" + strings.Repeat("0", 63) + "1")
	claim, err := store.SubmitClaim(t.Context(), alice, tx, validator.RewardStaking, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := store.SettleClaim(t.Context(), claim, validator.ClaimOutcome{Status: validator.ClaimFailed, Failure: "no\x00rewards\xff"}); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Claim(t.Context(), alice, tx); err != nil || got.Failure != "no\uFFFDrewards\uFFFD" {
		t.Errorf("%q %v", got.Failure, err)
	}
	if _, err := store.AddToken(t.Context(), db.HashSecret(db.NewTokenSecret()), db.Token{Name: "a\x00", Scope: db.ScopeRead, Wallet: alice}); err == nil {
		t.Error("a name with U+0000 was stored")
	}
}

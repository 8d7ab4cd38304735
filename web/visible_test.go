package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// hostile is a text that would turn around what stands behind it, with characters that nobody
// sees in it.
const hostile = "a\u202eb\u200bc\u2066d\u00ade\ufefff\u061cg\u2028h\U000e0041i\u3164j\x01k\u0085"

// TestTextsOfOthersCannotHideOnAPage whoever wrote them, wherever they are shown; the API has
// them as they are.
func TestTextsOfOthersCannotHideOnAPage(t *testing.T) {
	database := dbtest.NewURL(t)
	store := dbtest.Open(t, db.Config{URL: database})
	s := newServer(t, store, onPublicURL)
	agent := "Firefox " + hostile
	cookie := signIn(t, s, remote(http.MethodPost, "/signin", "User-Agent", agent), alice)
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, job_type, status, created_at, assigned_at, completed_at, result_hash, error_message, gpu_uuid)
		VALUES ($1, $2, $1, 'failed', now(), now(), now(), $1, $1, $1)`, hostile, alice)
	dbtest.Exec(t, database, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count, version) VALUES ($2, $1, now(), 1, $1)`, hostile, alice)
	dbtest.Exec(t, database, `INSERT INTO sessions (token_hash, wallet_address, wallet_name, user_agent, created_at, seen_at, expires_at)
		VALUES (sha256('x'), $2, $1, $1, now(), now(), now() + interval '1 day')`, hostile, alice)
	if _, err := store.AddToken(t.Context(), db.HashSecret("x"), db.Token{Name: hostile, Scope: db.ScopeRead, Wallet: alice, CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	get := func(path string, header ...string) string {
		t.Helper()
		r := remote(http.MethodGet, path, header...)
		r.AddCookie(cookie)
		w := send(s, r)
		if w.Code >= http.StatusInternalServerError {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	query := url.QueryEscape(hostile)
	for path, names := range map[string]bool{
		"/": true, "/jobs": true, "/jobs/" + url.PathEscape(hostile): true, "/gpus": false, "/uptime": false, "/settings": true, "/stake": false, "/earnings": false, "/network": false,
		"/partials/jobs": true, "/partials/joblist": true, "/partials/job?id=" + query: true, "/jobs?q=" + query: true, "/jobs?type=" + query: true, "/jobs/" + url.PathEscape("no"+hostile): false,
	} {
		page := get(path)
		if i := strings.IndexFunc(page, hides); i >= 0 {
			t.Errorf("%s hides something: %q", path, page[max(0, i-80):min(len(page), i+20)])
		}
		if names && !strings.Contains(page, "a[U+202E]b[U+200B]c[U+2066]d[U+00AD]e[U+FEFF]f[U+061C]g[U+2028]h[U+E0041]i[U+3164]j[U+0001]k[U+0085]") {
			t.Errorf("%s does not show what is there:\n%.3000s", path, page)
		}
	}
	if reply := get("/partials/job?id="+query+"&wallet=x", "HX-Request", "true"); strings.ContainsFunc(reply, hides) {
		t.Errorf("a problem hides something: %q", reply)
	}

	var recent struct {
		Jobs []struct {
			JobID string `json:"job_id"`
		}
	}
	if err := json.Unmarshal([]byte(get("/api/jobs/recent")), &recent); err != nil || len(recent.Jobs) != 1 || recent.Jobs[0].JobID != hostile {
		t.Errorf("the API tells %q, %v", recent.Jobs, err)
	}
}

func TestWhatIsVisibleStaysAsItIs(t *testing.T) {
	plain := []byte("Ready 🦊❤️ é ü \u6f22\u5b57 عربى\n\tx\r\n")
	if got := visible(plain); !bytes.Equal(got, plain) {
		t.Errorf("%q became %q", plain, got)
	}
	if got := string(visible([]byte("\u202e\xffx\u200d"))); got != "[U+202E]\xffx[U+200D]" {
		t.Errorf("%q", got)
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "job-1": "job-1", "a=b": "a=b", "\u6f22\u5b57": "\u6f22\u5b57", " x": " x",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", "\nx": "'\nx",
		"＝1+1": "'＝1+1", "＋1": "'＋1", "－1": "'－1", "＠SUM(A1)": "'＠SUM(A1)", " =1": "' =1", "\u00a0=1": "'\u00a0=1", "\ufeff=1": "'\ufeff=1", "\u200b＝1": "'\u200b＝1",
	} {
		if got := plainCell(text); got != want {
			t.Errorf("%q is written as %q, want %q", text, got, want)
		}
	}
}

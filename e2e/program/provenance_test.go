package program

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

var originURL = regexp.MustCompile(`hx-get="(/partials/provenance\?[^"]*)"`)

// origins lists the provenance URLs that a page offers.
func origins(page []byte) []string {
	var out []string
	for _, m := range originURL.FindAllSubmatch(page, -1) {
		out = append(out, html.UnescapeString(string(m[1])))
	}
	return out
}

// blocks returns the texts of an answer's <pre> elements.
func blocks(answer []byte) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?s)<pre[^>]*>(.*?)</pre>`).FindAllSubmatch(answer, -1) {
		out = append(out, html.UnescapeString(string(m[1])))
	}
	return out
}

func TestEveryFigureTellsWhereItComesFrom(t *testing.T) {
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=2", "temp=61", "power=412000")
	c, env := devnet(t)
	c.SetStake(wallet, validator.Stake{Amount: validator.WeiFromSAGE(12_500), StakedAt: time.Now().Add(-time.Hour), LastClaimAt: time.Now().Add(-time.Hour), Tier: validator.TierEnterprise, Active: true, PendingRewards: validator.WeiFromInt(77)})
	c.SetReputation(wallet.Felt(), validator.Reputation{Score: 870, Level: 4, LastUpdated: time.Now(), TotalJobs: 3, Successful: 3})
	c.Mine()
	database := dbtest.NewURL(t)
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, completed_at) VALUES ('paid', '0x123', 'inference', 'completed', 1234567890123456789, now() - interval '1 hour', now() - interval '50 minutes'), ('lost', '0x123', 'inference', 'failed', NULL, now(), now())`)
	dbtest.Exec(t, database, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count) VALUES ('0x123', 'rig', now(), 2)`)
	p := start(t, append(env, "DATABASE_URL="+database, "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS="+string(wallet))...)
	var page []byte
	harness.Eventually(t, "the whole picture", func() bool {
		_, page = p.Call(t, http.MethodGet, "/", "", "")
		return bytes.Contains(page, []byte("12500000000000000000000")) && bytes.Contains(page, []byte("1234567890123456789")) && bytes.Count(page, []byte(`class="gpu `)) == 2
	})
	seen := map[string][]byte{}
	for _, u := range origins(page) {
		code, answer := p.Call(t, http.MethodGet, u, "", "")
		q, _ := url.Parse(u)
		of := q.Query().Get("of")
		if code != http.StatusOK || !bytes.Contains(answer, []byte("Source")) {
			t.Errorf("%s: %d %s", of, code, answer)
			continue
		}
		seen[of] = answer
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(answer)
		_ = z.Close()
		if packed.Len() > 4096 {
			t.Errorf("%s: %d bytes compressed", of, packed.Len())
		}
	}
	if len(seen) < 40 {
		t.Errorf("the page offers the provenance of %d figures", len(seen))
	}
	t.Run("a view's call, repeated, gives the raw felts shown", func(t *testing.T) { repeatsTheCall(t, env, seen["staked"]) })
	t.Run("the database's statement, repeated, gives the figure", func(t *testing.T) { repeatsTheStatement(t, database, seen["earned"]) })
	if !strings.Contains(string(seen["claimable"]), "+ 77") && !strings.Contains(string(seen["claimable"]), "= 77 +") {
		t.Errorf("the formula lacks the booked 77 wei: %s", seen["claimable"])
	}
	for of, answer := range seen {
		if strings.HasPrefix(of, "gpu.power@") && (!bytes.Contains(answer, []byte("412000 mW")) || !bytes.Contains(answer, []byte("nvidia-smi --query-gpu=power.draw"))) {
			t.Errorf("power: %s", answer)
		}
	}
	if code, answer := p.Call(t, http.MethodGet, "/partials/provenance?of=nothing&wallet=0x123", "", ""); code != http.StatusNotFound || !bytes.Contains(answer, []byte("claimable")) {
		t.Errorf("an unknown figure: %d %s", code, answer)
	}
}

func repeatsTheCall(t *testing.T, env []string, answer []byte) {
	rpc := strings.TrimPrefix(env[0], "STARKNET_RPC=")
	var raw []string
	var body string
	for _, b := range blocks(answer) {
		if _, after, isCurl := strings.Cut(b, "-d '"); isCurl {
			body, _, _ = strings.Cut(after, "'")
		} else if strings.HasPrefix(strings.TrimSpace(b), "0x") {
			raw = strings.Fields(b)
		}
	}
	if strings.Contains(string(answer), rpc) {
		t.Error("the node's URL is shown, which may hold a key")
	}
	res, err := http.Post(rpc, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	var got struct{ Result []validator.Felt }
	if err := json.Unmarshal(b, &got); err != nil || len(got.Result) != 13 || len(raw) != 13 {
		t.Fatalf("%v: %s; the page shows %d felts", err, b, len(raw))
	}
	for i := range raw {
		shown, err := validator.ParseFelt(raw[i])
		reply, terr := validator.ParseFelt(string(got.Result[i]))
		if err != nil || terr != nil || shown != reply {
			t.Errorf("felt %d: the page shows %s, the node says %s", i, raw[i], got.Result[i])
		}
	}
}

func repeatsTheStatement(t *testing.T, database string, answer []byte) {
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, b := range blocks(answer) {
		if !strings.Contains(b, "earning_days") || !strings.Contains(b, "SELECT") {
			continue
		}
		var jobs int64
		var amount string
		if err := conn.QueryRow(t.Context(), strings.Replace(b, "::numeric AS amount", "::text AS amount", 1)).Scan(&jobs, &amount); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if jobs != 1 || amount != "1234567890123456789" {
			t.Errorf("repeated, it is %s wei of %d jobs", amount, jobs)
		}
		return
	}
	t.Errorf("there is no statement in %s", answer)
}

func TestWithEverythingAwayEveryFigureSaysWhy(t *testing.T) {
	t.Parallel()
	p := start(t, "DATABASE_URL=postgres://nobody@127.0.0.1:9/none", "NVML_LIBRARY=/nonexistent/libnvidia-ml.so.1")
	_, page := p.Call(t, http.MethodGet, "/?wallet=0x123", "", "")
	for _, u := range origins(page) {
		code, answer := p.Call(t, http.MethodGet, u, "", "")
		if code != http.StatusOK || !strings.Contains(u, "of=verdict") && !bytes.Contains(answer, []byte(`class="notice`)) {
			t.Errorf("%s: %d %s", u, code, answer)
		}
	}
}

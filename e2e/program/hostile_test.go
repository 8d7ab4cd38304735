//go:build linux

package program

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// mostMemory is what a hostile wallet may make the server use, in bytes of resident memory.
const mostMemory = 300_000_000

// visitor is a signed-in wallet with its tokens, at an address of its own.
type visitor struct {
	*testing.T

	url          string
	addresses    []string // of the network that it comes from
	wallet       validator.Address
	session      string
	read, ingest string // tokens
}

// newVisitor signs a wallet in by writing what a sign-in writes.
func newVisitor(t *testing.T, p *program, store *db.Store, wallet validator.Address, addresses ...string) visitor {
	t.Helper()
	v := visitor{T: t, url: p.URL, addresses: addresses, wallet: wallet, session: db.NewTokenSecret(), read: db.NewTokenSecret(), ingest: db.NewTokenSecret()}
	now := time.Now()
	if err := store.AddSession(t.Context(), db.HashSecret(v.session), db.Session{Wallet: wallet, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for secret, scope := range map[string]db.TokenScope{v.read: db.ScopeRead, v.ingest: db.ScopeIngest} {
		if _, err := store.AddToken(t.Context(), db.HashSecret(secret), db.Token{Name: string(scope), Scope: scope, Wallet: wallet, CreatedAt: now}); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// send makes a request as a proxy forwards it; a bearer of "" means the session.
func (v visitor) send(ctx context.Context, method, path, bearer, kind, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, v.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Forwarded-For", v.addresses[rand.IntN(len(v.addresses))])
	if bearer == "" {
		r.AddCookie(&http.Cookie{Name: "__Host-session", Value: v.session})
	} else {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return http.DefaultClient.Do(r)
}

// status is a request's status; what the server says is read, and 0 means that no answer came.
func (v visitor) status(ctx context.Context, method, path, bearer, kind, body string) (int, string) {
	res, err := v.send(ctx, method, path, bearer, kind, body)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(b)
}

// round asks for what an open dashboard and a host ask for, and returns how long each took. All of it
// must be answered.
func (v visitor) round(n int) []time.Duration {
	v.Helper()
	var took []time.Duration
	ask := func(method, path, bearer, kind, body string) {
		v.Helper()
		begin := time.Now()
		if code, text := v.status(v.Context(), method, path, bearer, kind, body); code != http.StatusOK {
			v.Errorf("round %d of the quiet wallet: %s %s: %d %.300s", n, method, path, code, text)
		}
		took = append(took, time.Since(begin))
	}
	for _, path := range []string{"/", "/partials/status", "/partials/gpus", "/partials/jobs", "/jobs", "/jobs?q=7&from=2026-01-01", "/earnings"} {
		ask(http.MethodGet, path, "", "", "")
	}
	ask(http.MethodGet, "/api/validator/status", v.read, "", "")
	ask(http.MethodGet, "/jobs/export?format=ndjson", "", "", "")
	ask(http.MethodPost, "/api/worker/heartbeat", v.ingest, "application/json", `{"worker_id": "rig-1"}`)
	ask(http.MethodPost, "/api/jobs", v.ingest, "application/json", fmt.Sprintf(`{"jobs": [{"job_id": "quiet-%d", "status": "running"}]}`, n))
	return took
}

// attack is all that a hostile wallet can think of, until ctx ends.
type attack struct {
	visitor

	all     sync.WaitGroup
	ended   context.Context
	answers [600]atomic.Int64 // by status
	lists   atomic.Int64      // of different filters
}

func (a *attack) count(code int, _ string) { a.answers[code].Add(1) }

// repeat runs do side by side again and again.
func (a *attack) repeat(sideBySide int, do func(n int)) {
	var n atomic.Int64
	for range sideBySide {
		a.all.Go(func() {
			for a.ended.Err() == nil {
				do(int(n.Add(1)))
				time.Sleep(20 * time.Millisecond) // the test's own programs need the processor, too
			}
		})
	}
}

// flood asks for lists of different filters, each of which the server would like to remember.
func (a *attack) flood() {
	first := time.Now().AddDate(0, 0, -400)
	a.repeat(8, func(n int) {
		path := fmt.Sprintf("/jobs?from=%s&order=%s", first.AddDate(0, 0, n%400).Format(time.DateOnly), []string{"newest", "oldest", "highest"}[n/400%3])
		code, text := a.status(a.ended, http.MethodGet, path, "", "", "")
		a.count(code, text)
		if code == http.StatusOK {
			a.lists.Add(1)
		}
	})
}

// invent sends claims that nobody made, side by side.
func (a *attack) invent() {
	var all sync.WaitGroup
	for n := range 2 * db.MostOpenClaims {
		all.Go(func() {
			a.count(a.status(a.ended, http.MethodPost, "/api/worker/claim-reward", "", "application/json", fmt.Sprintf(`{"tx_hash": "0x%x"}`, 1_000_000+n)))
		})
	}
	all.Wait()
}

// rest is what else there is to try.
func (a *attack) rest() {
	a.repeat(4, func(int) { a.count(a.status(a.ended, http.MethodGet, "/api/jobs/recent?limit=500", a.read, "", "")) })
	a.repeat(8, func(n int) {
		a.count(a.status(a.ended, http.MethodGet, fmt.Sprintf("/jobs?q=%d%%25nothing", n), "", "", ""))
	})
	a.repeat(4, func(n int) { // searches that nobody waits for
		ctx, hangUp := context.WithTimeout(a.ended, 20*time.Millisecond)
		defer hangUp()
		a.count(a.status(ctx, http.MethodGet, fmt.Sprintf("/jobs?q=gone-%d", n), "", "", ""))
	})
	a.repeat(6, func(int) { a.unread("/jobs/export?format=csv") })
	a.repeat(6, func(int) { a.unread("/jobs") })
	a.repeat(3, func(n int) {
		a.count(a.status(a.ended, http.MethodPost, "/api/jobs", a.ingest, "application/json", floodOfJobs(n)))
	})
	a.repeat(12, func(int) {
		a.count(a.status(a.ended, http.MethodPost, "/settings/tokens", "", "application/x-www-form-urlencoded", "name=many&scope=read&days=30"))
	})
}

// unread asks for a page and reads nothing of it.
func (a *attack) unread(path string) {
	conn, err := (&net.Dialer{}).DialContext(a.ended, "tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: validators.example\r\nX-Forwarded-For: %s\r\nCookie: __Host-session=%s\r\n\r\n", path, a.addresses[0], a.session)
	select {
	case <-a.ended.Done():
	case <-time.After(5 * time.Second):
	}
}

// floodOfJobs is a report of 3 MB.
func floodOfJobs(n int) string {
	rows := make([]string, 300)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"job_id": "flood-%d-%d", "status": "failed", "error_message": %q}`, n, i, strings.Repeat("flood ", 1600))
	}
	return `{"jobs": [` + strings.Join(rows, ",") + `]}`
}

// peakMemory is the most that a process had resident at a time, in bytes.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if text, is := strings.CutPrefix(s.Text(), "VmHWM:"); is {
			kB, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(text, "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return 1024 * kB
		}
	}
	t.Fatal("the kernel tells nothing of the peak")
	return 0
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// TestAHostileWalletHurtsNoOther: one wallet does all that it can think of at once, beside one that
// only looks and reports. The server's memory stays bounded, nothing of the quiet wallet is refused
// or fails, and its claim is asked about.
func TestAHostileWalletHurtsNoOther(t *testing.T) {
	const hostile, quiet = validator.Address("0x0000000000000000000000000000000000000000000000000000000000000bad"), validator.Address("0x000000000000000000000000000000000000000000000000000000000000900d")
	c, env := devnet(t)
	c.SetBalance(quiet, validator.WeiFromSAGE(900_000))
	c.Stake(quiet, validator.WeiFromSAGE(1_000), validator.TierConsumer)
	c.Mine()
	url := dbtest.NewURL(t)
	p := start(t, append(env, "DATABASE_URL="+url, "LOCAL_ACCESS=false", "TRUSTED_PROXIES=127.0.0.1", "LOG_LEVEL=error")...)
	// 4,000 failures with 10 KB of text each, on 400 days.
	dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, job_type, status, error_message, created_at)
		SELECT 'bad-' || n, $1, 'proof', 'failed', (SELECT string_agg(md5(n::text || m), '') FROM generate_series(1, 312) m), now() - n % 400 * interval '1 day' FROM generate_series(1, 4000) n`, hostile)
	dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, job_type, status, error_message, created_at)
		SELECT n::text, $1, 'proof', 'failed', 'out of memory', now() - n * interval '1 hour' FROM generate_series(1, 500) n`, quiet)
	store := dbtest.Open(t, db.Config{URL: url})
	user := newVisitor(t, p, store, quiet, "198.51.100.7")
	ended, end := context.WithCancel(t.Context())
	defer end()
	a := &attack{visitor: newVisitor(t, p, store, hostile, "203.0.113.7", "203.0.113.8", "203.0.113.9", "203.0.113.10"), ended: ended}

	const rounds = 12
	var calm, under []time.Duration
	for n := range rounds {
		calm = append(calm, user.round(n)...)
	}
	n := rounds
	beside := func(done func() bool) {
		for end := n + rounds; (n < end || !done()) && !t.Failed(); n++ {
			under = append(under, user.round(n)...)
		}
	}
	a.invent()
	a.flood()
	beside(func() bool { return a.lists.Load() >= 180 })
	a.rest()
	beside(func() bool { return true })
	tx := c.ClaimRewards(quiet)
	c.Mine()
	if code, text := user.status(t.Context(), http.MethodPost, "/api/worker/claim-reward", "", "application/json", `{"tx_hash": "`+string(tx)+`"}`); code != http.StatusAccepted {
		t.Errorf("the quiet wallet's claim: %d %s", code, text)
	}
	harness.Within(t, time.Minute, "the quiet wallet's claim is settled", func() bool {
		claim, err := store.Claim(t.Context(), quiet, tx)
		if err != nil && !errors.Is(err, db.ErrUnavailable) {
			t.Fatal(err)
		}
		return claim.Status == validator.ClaimConfirmed
	})
	end()
	a.all.Wait()
	peak := peakMemory(t, p.Cmd.Process.Pid)
	var answers []string
	for code := range a.answers {
		if n := a.answers[code].Load(); n > 0 {
			answers = append(answers, fmt.Sprintf("%d: %d", code, n))
		}
	}
	t.Logf("peak memory %d MB; the quiet wallet's requests took %s, and %s beside the hostile one (%.1f times); the hostile one's answers: %s",
		peak/1_000_000, median(calm), median(under), float64(median(under))/float64(median(calm)), strings.Join(answers, ", "))
	if peak > mostMemory {
		t.Errorf("the server used %d MB", peak/1_000_000)
	}
	for _, code := range []int{http.StatusInternalServerError, http.StatusBadGateway} {
		if n := a.answers[code].Load(); n > 0 {
			t.Errorf("%d answers are %d", n, code)
		}
	}
	if a.answers[http.StatusTooManyRequests].Load() == 0 || a.answers[http.StatusConflict].Load() == 0 {
		t.Error("nothing of the hostile wallet was refused")
	}
	if n, err := strconv.Atoi(dbtest.Value(t, url, "(SELECT count(*) FROM api_tokens WHERE wallet_address = '"+string(hostile)+"')")); err != nil || n > db.MaxTokens {
		t.Errorf("the hostile wallet has %d tokens: %v", n, err)
	}
	if n := dbtest.Value(t, url, "(SELECT count(*) FROM reward_claims WHERE status = 'submitted' AND address = '"+string(hostile)+"')"); n != strconv.Itoa(db.MostOpenClaims) {
		t.Errorf("the hostile wallet has %s open claims", n)
	}
}

package program

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
)

// The page's budget, in bytes over the wire with gzip.
const (
	firstLoadBudget = 120 << 10
	partialBudget   = 4 << 10
)

// answer is a response with its body as it came over the wire.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// wire fetches a path as a browser does.
func (p *program) wire(t *testing.T, path string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip") // set by hand, so the client leaves the body as it is
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, b}
}

var (
	linkedFile  = regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`)
	fingerprint = regexp.MustCompile(`^/static/[\w.-]+\.[0-9a-f]{12}\.\w+$`)
	polledPanel = regexp.MustCompile(`<\w+ data-etag="([\w-]+)"[^>]* hx-get="([^"]+)"`)
)

// validatorAtWork is a server with everything that a dashboard usually shows.
func validatorAtWork(t *testing.T) *program {
	t.Helper()
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=4", "temp=61", "util=73")
	c, env := devnet(t)
	stake(c, time.Hour)
	url := dbtest.NewURL(t)
	p := start(t, append(env, "DATABASE_URL="+url, "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS="+string(wallet))...)
	database(t, url,
		`INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count) SELECT '0x123', 'rig-1', now() - make_interval(mins => m), 4 FROM generate_series(0, 1400) m WHERE m % 300 NOT BETWEEN 148 AND 150`,
		`INSERT INTO jobs (job_id, client_address, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms, tx_hash)
			SELECT '0x' || md5(n::text), '0x' || md5('client' || n), '0x123', (ARRAY['inference', 'training', 'proof_generation'])[1 + n % 3], (ARRAY['completed', 'failed', 'completed', 'completed'])[1 + n % 4],
				n * 12345678901234567, now() - make_interval(mins => 17 * n), now() - make_interval(mins => 17 * n), now() - make_interval(mins => 17 * n - 5), 1000 * n, '0x00' || left(md5('a' || n), 30) || md5('b' || n)
			FROM generate_series(1, 60) n`,
		runningJob("at-work"))
	harness.Eventually(t, "every source is on the page", func() bool {
		_, page := p.Call(t, http.MethodGet, "/", "", "")
		return strings.Contains(string(page), "data-count") && strings.Contains(string(page), "at-work") && strings.Contains(string(page), "NVIDIA")
	})
	return p
}

func TestTheFirstLoadStaysInItsBudget(t *testing.T) {
	p := validatorAtWork(t)
	page := p.wire(t, "/")
	if page.status != http.StatusOK || page.header.Get("Content-Encoding") != "gzip" || page.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("the page: %d %v", page.status, page.header)
	}
	total := len(page.body)
	table := fmt.Sprintf("%7d  the page\n", len(page.body))
	_, plain := p.Call(t, http.MethodGet, "/", "", "")
	seen := map[string]bool{}
	for _, m := range linkedFile.FindAllStringSubmatch(string(plain), -1) {
		path := m[1]
		if seen[path] {
			continue
		}
		seen[path] = true
		file := p.wire(t, path)
		if file.status != http.StatusOK || !fingerprint.MatchString(path) || !strings.Contains(file.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, Cache-Control %q", path, file.status, file.header.Get("Cache-Control"))
		}
		if file.header.Get("Content-Encoding") == "gzip" != (file.header.Get("Vary") == "Accept-Encoding") {
			t.Errorf("%s: encoded as %q, varies by %q", path, file.header.Get("Content-Encoding"), file.header.Get("Vary"))
		}
		total += len(file.body)
		table += fmt.Sprintf("%7d  %s\n", len(file.body), path)
	}
	t.Logf("first load, bytes over the wire:\n%s%7d  in all, of %d", table, total, firstLoadBudget)
	if total > firstLoadBudget || len(seen) < 5 {
		t.Errorf("%d bytes in %d files", total, len(seen)+1)
	}
	table = ""
	for _, m := range polledPanel.FindAllStringSubmatch(string(plain), -1) {
		path := strings.ReplaceAll(m[2], "&amp;", "&")
		whole := p.wire(t, path, "HX-Request", "true")
		if whole.status != http.StatusOK || len(whole.body) > partialBudget {
			t.Errorf("%s: %d with %d bytes, at most %d are meant", path, whole.status, len(whole.body), partialBudget)
		}
		again := p.wire(t, path, "HX-Request", "true", "If-None-Match", whole.header.Get("ETag"))
		table += fmt.Sprintf("%7d  %s, asked again at once: %d\n", len(whole.body), path, again.status)
	}
	t.Logf("polls, of %d bytes each:\n%s", partialBudget, table)
}

func TestAPollThatBringsNothingNewHasNoBody(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	// The first look at a wallet may still be under way when the first page is rendered.
	p.wire(t, "/?wallet=0x123")
	panels := map[string]bool{}
	harness.Eventually(t, "every panel answers 304", func() bool {
		_, page := p.Call(t, http.MethodGet, "/?wallet=0x123", "", "")
		same := true
		for _, m := range polledPanel.FindAllStringSubmatch(string(page), -1) {
			tag, path := m[1], strings.ReplaceAll(m[2], "&amp;", "&")
			panels[path] = true
			unchanged := p.wire(t, path, "HX-Request", "true", "If-None-Match", `W/"`+tag+`"`)
			if unchanged.status != http.StatusNotModified {
				same = false
				continue
			}
			if len(unchanged.body) != 0 || unchanged.header.Get("ETag") != `W/"`+tag+`"` || unchanged.header.Get("Content-Encoding") != "" {
				t.Errorf("%s: 304 with %d bytes, %v", path, len(unchanged.body), unchanged.header)
			}
			if whole := p.wire(t, path, "HX-Request", "true", "If-None-Match", `W/"another"`); whole.status != http.StatusOK || len(whole.body) == 0 || len(whole.body) > partialBudget {
				t.Errorf("%s: %d with %d bytes, at most %d are meant", path, whole.status, len(whole.body), partialBudget)
			}
		}
		return same && len(panels) >= 6
	})
}

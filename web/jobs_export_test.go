package web

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

func TestAnExportHoldsAllOfTheFilterExactly(t *testing.T) {
	s, database := jobsServer(t)
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, client_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
			execution_time_ms, result_hash, error_message, gpu_uuid, tx_hash, block_number)
		VALUES ('exact', $1, '0xc1', 'zk "proof", big', 'completed', 115792089237316195423570985008687907853269984665640564039457584007913129639935,
			'2026-01-02 03:04:05.678901+02', '2026-01-02 03:04:06Z', '2026-01-02 03:04:07Z', 1000, 'r', E'=cmd|''x''\nsecond line', 'GPU-9', '0xff', 7),
		       ('bare', $1, NULL, '', 'pending', NULL, '2025-12-31 23:59:59Z', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
		       ('small', $1, NULL, '', 'completed', 5, '2025-12-30 00:00:00Z', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`, alice)
	// More than is read at a time, several at the same moment.
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, job_type, created_at) SELECT 'many-' || n, $1, 'many', timestamptz '2026-03-01 00:00:00Z' + n / 7 * interval '1 second' FROM generate_series(1, 5000) n`, alice)

	const exact = "2026-01-02T01:04:05.678901Z"
	export := func(query string) string {
		w := visit(s, "/jobs/export?wallet="+string(alice)+query)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Disposition"), `attachment; filename="jobs-0xa11-`) {
			t.Fatalf("%s: %d %v %.300s", query, w.Code, w.Header(), w.Body)
		}
		return w.Body.String()
	}
	rows, err := csv.NewReader(strings.NewReader(export("&format=csv&to=2026-01-31&order=oldest"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	long := func(tail string) string { return "0x" + strings.Repeat("0", 64-len(tail)) + tail }
	want := [][]string{
		csvHeader,
		{"small", "", "completed", string(alice), "", "", "2025-12-30T00:00:00Z", "", "", "", "", "5", "0.000000000000000005", "", "", "", "", "", "false"},
		{"bare", "", "pending", string(alice), "", "", "2025-12-31T23:59:59Z", "", "", "", "", "", "", "", "", "", "", "", "false"},
		{"exact", `zk "proof", big`, "completed", string(alice), long("c1"), "GPU-9", exact, "2026-01-02T03:04:06Z", "2026-01-02T03:04:07Z", "1000", "1000",
			"115792089237316195423570985008687907853269984665640564039457584007913129639935", "115792089237316195423570985008687907853269984665640564039457.584007913129639935", long("ff"), "7", "r", "'=cmd|'x'\nsecond line", "", "false"},
	}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("got\n%q\nwant\n%q", rows, want)
	}

	lines := strings.Split(strings.TrimSpace(export("&format=ndjson&to=2026-01-31")), "\n")
	var first, last map[string]any
	for line, to := range map[string]*map[string]any{lines[0]: &first, lines[len(lines)-1]: &last} {
		if err := json.Unmarshal([]byte(line), to); err != nil {
			t.Fatal(err)
		}
	}
	if len(lines) != 3 || first["error_message"] != "=cmd|'x'\nsecond line" || first["created_at"] != exact || first["payment_wei"] != want[3][11] || first["block_number"] != 7.0 ||
		last["job_id"] != "small" || last["tx_hash"] != nil || last["assigned_at"] != nil {
		t.Errorf("%v\n%v", first, last)
	}
	for _, name := range csvHeader {
		if _, has := first[name]; !has {
			t.Errorf("NDJSON lacks %s", name)
		}
	}

	seen := map[string]bool{}
	for line := range strings.Lines(export("&format=ndjson&type=many")) {
		var j exportedJob
		if err := json.Unmarshal([]byte(line), &j); err != nil || j.JobType != "many" || seen[j.JobID] {
			t.Fatalf("%s: %v", line, err)
		}
		seen[j.JobID] = true
	}
	if len(seen) != 5000 {
		t.Errorf("%d jobs of 5000", len(seen))
	}
	if n := strings.Count(export("&format=csv&q=CUDA"), "\n"); n != 1+13 {
		t.Errorf("%d lines of a search", n)
	}
	if empty := export("&format=csv&state=running"); empty != strings.Join(csvHeader, ",")+"\n" {
		t.Errorf("an empty export is %q", empty)
	}
	for query, field := range map[string]string{"&format=xls": "query.format", "": "query.format", "&format=csv&state=x": "query.state"} {
		if w := visit(s, "/jobs/export?wallet="+string(alice)+query); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), field) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// TestTheListLeadsToItsExport: the links keep the filter, and leave the place in the list.
func TestTheListLeadsToItsExport(t *testing.T) {
	s, _ := jobsServer(t)
	page := open(t, s, jobsPath("&type=training&gpu=GPU-1&from=2001-01-01"))
	page = open(t, s, follow(older, open(t, s, jobsPath("")))) + page
	for _, format := range []string{"csv", "ndjson"} {
		for _, want := range []string{"from=2001-01-01&amp;gpu=GPU-1&amp;type=training&amp;", ""} {
			link := `href="/jobs/export?` + strings.ReplaceAll(want, "from", "format="+format+"&amp;from")
			if want == "" {
				link += "format=" + format + "&amp;wallet="
			}
			if !strings.Contains(page, link) {
				t.Errorf("%s is not in the page", link)
			}
		}
	}
	if !strings.Contains(page, `<details class="more-filters" open`) || !strings.Contains(page, `value="2001-01-01"`) {
		t.Error("the filters that are set are not shown")
	}
}

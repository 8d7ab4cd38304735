package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// TestAReportOfWhatCannotBeIsRefused: times to come, and an execution that does not fit between
// the times that the report tells.
func TestAReportOfWhatCannotBeIsRefused(t *testing.T) {
	s, url, one, every := reporter(t)
	now := time.Now().Unix()
	job := func(members string, at ...any) string {
		return `{"jobs": [{"job_id": "good", "status": "running"}, {"job_id": "j", "status": "completed", ` + fmt.Sprintf(members, at...) + `}]}`
	}
	for _, c := range []struct{ body, field string }{
		{job(`"assigned_at": %d, "completed_at": %d, "execution_time_ms": 9223372036854`, now-9, now), "execution_time_ms must fit between assigned_at and completed_at, which are 9000 ms apart"},
		{job(`"assigned_at": %d, "completed_at": %d, "execution_time_ms": 10001`, now-9, now), "execution_time_ms must fit"},
		{job(`"created_at": %d, "completed_at": %d, "execution_time_ms": 1001`, now, now-3600), "execution_time_ms must fit between created_at and completed_at"},
		{job(`"completed_at": %d, "execution_time_ms": 9223372036854`, now), "execution_time_ms must not reach back before the year 2000"},
		{job(`"completed_at": %d`, now+600), "completed_at must be unix seconds at most 5 minutes ahead of the database's clock"},
		{job(`"assigned_at": %d`, now+600), "assigned_at must be"},
		{job(`"created_at": %d`, now+600), "created_at must be"},
		{job(`"updated_at": %d`, now+600), "updated_at must be"},
	} {
		for _, token := range []string{one, every} {
			if code, b := tell(t, s, token, "/api/jobs", c.body); code != http.StatusBadRequest || !strings.Contains(b, "Nothing was stored: jobs[1]."+c.field) {
				t.Errorf("%s: %d %s", c.body, code, b)
			}
		}
	}
	for path, body := range map[string]string{
		"/api/worker/heartbeat":   fmt.Sprintf(`{"worker_id": "rig", "heartbeat_time": %d}`, now+600),
		"/api/worker/heartbeats":  fmt.Sprintf(`{"heartbeats": [{"worker_id": "rig", "heartbeat_time": %d}]}`, now+600),
		"/api/worker/gpu-metrics": fmt.Sprintf(`{"worker_id": "rig", "sampled_at": %d, "gpus": [{"index": 0, "uuid": "GPU-0"}]}`, now+600),
	} {
		if code, b := tell(t, s, one, path, body); code != http.StatusBadRequest || !strings.Contains(b, "5 minutes ahead of the database's clock") {
			t.Errorf("%s: %d %s", path, code, b)
		}
	}
	if got := dbtest.Value(t, url, "SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM heartbeats)"); got != "0" {
		t.Errorf("%s rows were stored", got)
	}
	for _, members := range []string{
		fmt.Sprintf(`"assigned_at": %d, "completed_at": %d, "execution_time_ms": 10000`, now-9, now), // whole seconds
		fmt.Sprintf(`"completed_at": %d, "execution_time_ms": 8000`, now),
		fmt.Sprintf(`"completed_at": %d`, now+200),
	} {
		if code, b := tell(t, s, every, "/api/jobs", `{"jobs": [{"job_id": "`+fmt.Sprint(len(members))+`", "status": "completed", `+members+`}]}`); code != http.StatusOK {
			t.Errorf("%s: %d %s", members, code, b)
		}
	}
	if got := dbtest.Value(t, url, "SELECT count(*) || ' ' || count(kept_apart) FROM jobs"); got != "3 0" {
		t.Errorf("there are %s", got)
	}
}

// TestReportsAreJudgedByTheDatabasesClock, not by that of the server that takes them.
func TestReportsAreJudgedByTheDatabasesClock(t *testing.T) {
	s, _, one, _ := reporter(t)
	s.now = func() time.Time { return time.Now().Add(-time.Hour) }
	body := fmt.Sprintf(`{"worker_id": "rig", "heartbeat_time": %d}`, time.Now().Unix())
	if code, b := tell(t, s, one, "/api/worker/heartbeat", body); code != http.StatusOK {
		t.Errorf("a server that is an hour behind: %d %s", code, b)
	}
}

// TestJobsThatAreKeptApartAreMarked on every page, in the API and in exports, and counted.
func TestJobsThatAreKeptApartAreMarked(t *testing.T) {
	database := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: database}))
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms) VALUES
		('long', $1, 'proof', 'completed', 1, now() - interval '9 seconds', now() - interval '9 seconds', now(), 9223372036854),
		('ahead', $1, 'proof', 'completed', 1, now(), now(), now() + interval '1 day', 1), ('plain', $1, 'proof', 'completed', 1, now(), now(), now(), 0)`, alice)
	list := open(t, s, "/jobs?wallet="+string(alice))
	for _, want := range []string{"Kept apart: 1 with a time more than 5 minutes ahead", "Kept apart: the execution times of 1,", `All <span class="tab-count"> 2`} {
		if !strings.Contains(list, want) {
			t.Errorf("%q is not in the list of jobs", want)
		}
	}
	if n := strings.Count(list, "kept apart\n"); n != 2 && strings.Count(list, "kept apart</span>") != 2 {
		t.Errorf("%d rows are marked", n)
	}
	if page := open(t, s, "/?wallet="+string(alice)); !strings.Contains(page, "Kept apart") {
		t.Error("the dashboard does not tell of it")
	}
	if page := open(t, s, "/jobs/long?wallet="+string(alice)); !strings.Contains(page, "longer than from the job") {
		t.Error("the job's page does not say why")
	}
	var recent struct {
		Jobs []struct {
			JobID     string  `json:"job_id"`
			KeptApart *string `json:"kept_apart"`
		}
	}
	body := visit(s, "/api/jobs/recent", "X-Wallet-Address", string(alice)).Body.Bytes()
	if err := json.Unmarshal(body, &recent); err != nil {
		t.Fatal(err)
	}
	for _, j := range recent.Jobs {
		if want := map[string]string{"long": "execution", "ahead": "ahead"}[j.JobID]; cell(j.KeptApart) != want {
			t.Errorf("%s", body)
		}
	}
	if got := visit(s, "/api/jobs/analytics", "X-Wallet-Address", string(alice)).Body.String(); !strings.Contains(got, `"total_jobs":2`) || !strings.Contains(got, `"jobs_ahead":1,"executions_apart":1`) {
		t.Errorf("%s", got)
	}
	if got := visit(s, "/jobs/export?format=ndjson&wallet="+string(alice)).Body.String(); strings.Count(got, `"kept_apart":null`) != 1 || !strings.Contains(got, `"kept_apart":"execution"`) {
		t.Errorf("%s", got)
	}
}

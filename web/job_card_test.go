package web

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

var chartRow = regexp.MustCompile(`<th scope="row"><time>([^<]*)</time>`)

// TestAJobsPageShowsItsCardForTheJobsTime, with what slowed it, and no other wallet's card.
func TestAJobsPageShowsItsCardForTheJobsTime(t *testing.T) {
	s, url, at := slashScene(t)
	page := open(t, s, "/jobs/4711?wallet="+string(alice))
	_, card, found := strings.Cut(page, `id="job-card"`)
	if !found || !strings.Contains(card, `id="job-history"`) || !strings.Contains(card, "The job ran and timed out") || !strings.Contains(card, "too hot: slowed by the driver") {
		t.Fatalf("the card of the job's time is missing: %s", card)
	}
	if strings.Contains(page, "data-stale") || strings.Contains(card, `class="notice`) {
		t.Error("the card of the past is called stale while the database answers")
	}
	rows := chartRow.FindAllStringSubmatch(card, -1)
	// 40 minutes of the job, and a tenth of it before and after.
	first, last := at.Add(-44*time.Minute), at.Add(4*time.Minute)
	const layout = "2006-01-02 15:04:05Z"
	if len(rows) != 49 || rows[0][1] != first.Format(layout) || rows[len(rows)-1][1] != last.Format(layout) {
		t.Errorf("%d points from %v to %v, want 49 from %v to %v", len(rows), rows[0], rows[len(rows)-1], first, last)
	}
	if strings.Contains(card, `hx-get="/partials/job-card`) {
		t.Error("the card of a job that ended hours ago is polled")
	}

	dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, status, gpu_uuid, created_at, assigned_at, completed_at) VALUES
		('of-bob', $1, 'completed', 'GPU-hot', $3, $3, $4), ('no-card', $2, 'completed', NULL, $3, $3, $4), ('waits', $2, 'pending', 'GPU-hot', $4, NULL, NULL), ('runs', $2, 'running', 'GPU-hot', $4, $4, NULL)`, string(bob), string(alice), at.Add(-40*time.Minute), at)
	for path, words := range map[string]string{
		"/jobs/of-bob?wallet=" + string(bob):    "No sample of the card is kept of the job&#39;s time.",
		"/jobs/no-card?wallet=" + string(alice): "Nothing says on which card the job runs or ran.",
		"/jobs/waits?wallet=" + string(alice):   "The job has not started.",
		"/jobs/runs?wallet=" + string(alice):    `hx-get="/partials/job-card?id=runs`,
	} {
		if page := open(t, s, path); !strings.Contains(page, words) {
			t.Errorf("%s lacks %q", path, words)
		}
	}
	if part := open(t, s, "/partials/job-card?id=4711&wallet="+string(alice)); !strings.Contains(part, "The job ran and timed out") {
		t.Errorf("the poll says %s", part)
	}
}

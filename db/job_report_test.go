package db_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func (b bench) report(jobs ...validator.Job) db.JobsStored {
	b.Helper()
	return must[db.JobsStored](b)(b.store.StoreJobs(b.ctx(), jobs))
}

// jobsNow are all jobs as rows, in the order of their identifiers.
func (b bench) jobsNow() string {
	return dbtest.Value(b, b.url, "SELECT string_agg(j::text, E'\n' ORDER BY job_id) FROM jobs j")
}

// life is what a coordinator would tell of a job, from its submission on: it may be given
// back to the queue, and to another worker, before it ends.
func life(t *rapid.T, id string) []validator.Job {
	at := now
	later := func() *time.Time {
		at = at.Add(time.Duration(rapid.IntRange(1, 600_000_000).Draw(t, "microseconds")) * time.Microsecond)
		then := at
		return &then
	}
	j := validator.Job{ID: id, Client: bob, Type: "proof", Status: validator.JobPending, CreatedAt: at, UpdatedAt: later()}
	out := []validator.Job{j}
	for range rapid.IntRange(1, 3).Draw(t, "tries") {
		worker := rapid.SampledFrom([]validator.Address{alice, bob}).Draw(t, "worker")
		began := later()
		j.Worker, j.AssignedAt, j.GPUUUID, j.UpdatedAt, j.Status = worker, began, "GPU-"+string(worker[60:]), began, validator.JobAssigned
		out = append(out, j)
		j.Status, j.UpdatedAt = validator.JobRunning, later()
		out = append(out, j)
		switch rapid.IntRange(0, 3).Draw(t, "outcome") {
		case 0: // back into the queue
			j.Worker, j.AssignedAt, j.GPUUUID, j.Status, j.UpdatedAt = "", nil, "", validator.JobPending, later()
			out = append(out, j)
			continue
		case 1:
			j.Status, j.ErrorMessage = validator.JobFailed, "out of memory"
		default:
			paid := wei(int64(rapid.IntRange(0, 1000).Draw(t, "payment")))
			j.Status, j.Payment, j.ExecutionTime, j.ResultHash = validator.JobCompleted, &paid, ptr(time.Second), "result"
		}
		j.CompletedAt = later()
		j.UpdatedAt = j.CompletedAt
		out = append(out, j)
		j.TxHash, j.BlockNumber, j.UpdatedAt = validator.Felt("0x"+strings.Repeat("0", 62)+"ff"), ptr(uint64(9)), later() // paid for
		return append(out, j)
	}
	return out
}

// TestReportsMayComeInAnyOrder, any number of times, in lists cut anywhere: what is known at
// the end is the same as in their order.
func TestReportsMayComeInAnyOrder(t *testing.T) {
	b := newBench(t)
	rapid.Check(t, func(t *rapid.T) {
		var all []validator.Job
		for n := range rapid.IntRange(1, 4).Draw(t, "jobs") {
			all = append(all, life(t, fmt.Sprint("job-", n))...)
		}
		b.exec("DELETE FROM jobs")
		b.report(all...)
		want := b.jobsNow()
		b.exec("DELETE FROM jobs")
		shuffled := rapid.Permutation(append(all, rapid.SliceOfN(rapid.SampledFrom(all), 0, 5).Draw(t, "again")...)).Draw(t, "order")
		for len(shuffled) > 0 {
			n := rapid.IntRange(1, len(shuffled)).Draw(t, "cut")
			b.report(shuffled[:n]...)
			shuffled = shuffled[n:]
		}
		if got := b.jobsNow(); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
		if again := b.report(all...); again.Added+again.Changed != 0 {
			t.Fatalf("the same once more changed something: %+v", again)
		}
	})
	b.differences("after all")
}

// TestAnOlderStateNeverOverwritesANewer, also where nobody says when it became so.
func TestAnOlderStateNeverOverwritesANewer(t *testing.T) {
	b := newBench(t)
	for i, c := range []struct {
		first, then validator.Job
		want        validator.JobStatus
	}{
		{validator.Job{Status: validator.JobCompleted}, validator.Job{Status: validator.JobRunning}, validator.JobCompleted},
		{validator.Job{Status: validator.JobRunning}, validator.Job{Status: validator.JobCompleted}, validator.JobCompleted},
		{validator.Job{Status: validator.JobRunning, AssignedAt: ptr(now)}, validator.Job{Status: validator.JobCancelled}, validator.JobCancelled},
		{validator.Job{Status: validator.JobCompleted, CompletedAt: ptr(now)}, validator.Job{Status: validator.JobPending, CreatedAt: now.Add(time.Hour)}, validator.JobCompleted},
		{validator.Job{Status: validator.JobFailed, CompletedAt: ptr(now)}, validator.Job{Status: validator.JobCompleted, CompletedAt: ptr(now.Add(-time.Second))}, validator.JobFailed},
		{validator.Job{Status: validator.JobCompleted}, validator.Job{Status: validator.JobTimedOut}, validator.JobCompleted},
		{validator.Job{Status: validator.JobCompleted, UpdatedAt: ptr(now)}, validator.Job{Status: validator.JobRunning, UpdatedAt: ptr(now.Add(time.Second))}, validator.JobRunning},
		{validator.Job{Status: validator.JobRunning, UpdatedAt: ptr(now)}, validator.Job{Status: validator.JobCompleted, UpdatedAt: ptr(now.Add(-time.Second))}, validator.JobRunning},
		{validator.Job{Status: validator.JobRunning, UpdatedAt: ptr(now)}, validator.Job{Status: validator.JobCompleted, UpdatedAt: ptr(now)}, validator.JobCompleted},
		{validator.Job{Status: validator.JobCompleted, UpdatedAt: ptr(now)}, validator.Job{Status: validator.JobRunning}, validator.JobCompleted},
	} {
		id := fmt.Sprint("job-", i)
		c.first.ID, c.then.ID, c.first.Worker = id, id, alice
		b.report(c.first)
		b.report(c.then)
		equal(t, fmt.Sprintf("case %d", i), must[validator.Job](t)(b.store.Job(b.ctx(), alice, id)).Status, c.want)
	}
}

// TestATimeIsOfItsStateOnly: when a job was running says nothing of when it was completed,
// whoever reported that without its time.
func TestATimeIsOfItsStateOnly(t *testing.T) {
	b := newBench(t)
	running := func(id string, at time.Duration) validator.Job {
		return validator.Job{ID: id, Worker: alice, Status: validator.JobRunning, UpdatedAt: ptr(now.Add(at))}
	}
	status := func(id string) validator.JobStatus {
		return must[validator.Job](t)(b.store.Job(b.ctx(), alice, id)).Status
	}
	b.report(running("told", 0))
	b.report(validator.Job{ID: "told", Worker: alice, Status: validator.JobCompleted})
	b.report(running("told", time.Second))
	equal(t, "completed by a report", status("told"), validator.JobCompleted)

	b.report(validator.Job{ID: "first", Worker: alice, Status: validator.JobCompleted})
	b.report(running("first", 0))
	b.report(running("first", time.Second))
	equal(t, "completed before the report of its run", status("first"), validator.JobCompleted)

	b.report(running("written", 0))
	b.exec("UPDATE jobs SET status = 'completed', completed_at = $1 WHERE job_id = 'written'", now)
	b.report(running("written", time.Second))
	equal(t, "completed by SQL", status("written"), validator.JobCompleted)

	// Who says when is believed: also at the same moment, and of a job that runs once more.
	b.report(running("again", 0))
	b.report(validator.Job{ID: "again", Worker: alice, Status: validator.JobFailed, UpdatedAt: ptr(now)})
	b.report(running("again", time.Second))
	equal(t, "run once more", status("again"), validator.JobRunning)
	b.exec("UPDATE jobs SET status = 'failed', updated_at = $1 WHERE job_id = 'again'", now.Add(2*time.Second))
	b.report(running("again", 3*time.Second))
	equal(t, "run for a third time", status("again"), validator.JobRunning)
}

// TestReportsWithoutTimesMayComeInAnyOrder too, where a job goes one way.
func TestReportsWithoutTimesMayComeInAnyOrder(t *testing.T) {
	b := newBench(t)
	rapid.Check(t, func(t *rapid.T) {
		var all []validator.Job
		for i, s := range []validator.JobStatus{validator.JobPending, validator.JobAssigned, validator.JobRunning, rapid.SampledFrom([]validator.JobStatus{validator.JobCompleted, validator.JobFailed}).Draw(t, "end")} {
			j := validator.Job{ID: "j", Worker: alice, Status: s, CreatedAt: now}
			if rapid.Bool().Draw(t, "timed") {
				j.UpdatedAt = ptr(now.Add(time.Duration(i) * time.Second))
			}
			all = append(all, j)
		}
		b.exec("DELETE FROM jobs")
		for _, j := range rapid.Permutation(append(all, all...)).Draw(t, "order") {
			b.report(j)
		}
		if got := dbtest.Value(b, b.url, "SELECT status FROM jobs"); got != string(all[3].Status) {
			t.Fatalf("the job is %s at last, not %s", got, all[3].Status)
		}
	})
}

// TestWhatAReportLeavesOutIsKept, and what an older one adds is taken.
func TestWhatAReportLeavesOutIsKept(t *testing.T) {
	b := newBench(t)
	equal(t, "added", b.report(validator.Job{ID: "j", Worker: alice, Client: bob, Type: "proof", Status: validator.JobRunning, CreatedAt: now, AssignedAt: ptr(now.Add(time.Second)), GPUUUID: "GPU-1"}), db.JobsStored{Added: 1})
	paid := wei(7)
	equal(t, "changed", b.report(validator.Job{ID: "j", Status: validator.JobCompleted, CompletedAt: ptr(now.Add(time.Minute)), Payment: &paid}, validator.Job{ID: "k", Worker: alice, Status: validator.JobPending}), db.JobsStored{Added: 1, Changed: 1})
	equal(t, "unchanged", b.report(validator.Job{ID: "j", Status: validator.JobRunning, ErrorMessage: "not of this state"}), db.JobsStored{Unchanged: 1})
	j := must[validator.Job](t)(b.store.Job(b.ctx(), alice, "j"))
	equal(t, "job", []any{j.Status, j.Client == bob, j.Type, j.CreatedAt, j.AssignedAt.UTC(), j.CompletedAt.UTC(), j.Payment, j.GPUUUID, j.ErrorMessage},
		[]any{"completed", true, "proof", now, now.Add(time.Second), now.Add(time.Minute), wei(7), "GPU-1", ""})
}

// TestAReportIsStoredWhollyOrNotAtAll.
func TestAReportIsStoredWhollyOrNotAtAll(t *testing.T) {
	b := newBench(t)
	b.report(validator.Job{ID: "bobs", Worker: bob, Status: validator.JobRunning})
	before := b.jobsNow()
	_, err := b.store.StoreJobs(b.ctx(), []validator.Job{{ID: "new", Worker: alice, Status: validator.JobRunning}, {ID: "x", Worker: alice, Status: "done"}})
	if !errors.Is(err, db.ErrInvalid) {
		t.Errorf("a state that is none: %v", err)
	}
	_, err = b.store.StoreJobs(b.ctx(), []validator.Job{{ID: "new", Worker: alice, Status: validator.JobFailed, ErrorMessage: "a\x00b"}})
	if !errors.Is(err, db.ErrInvalid) {
		t.Errorf("a text that is none: %v", err)
	}
	equal(t, "jobs", b.jobsNow(), before)
}

// TestManyReportTheSameJobs at the same time, in lists of different orders.
func TestManyReportTheSameJobs(t *testing.T) {
	b := newBench(t)
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for range 5 {
				jobs := make([]validator.Job, 50)
				for i := range jobs {
					n := i
					if w%2 == 0 {
						n = len(jobs) - 1 - i
					}
					jobs[i] = validator.Job{ID: fmt.Sprint("job-", n), Worker: alice, Status: validator.JobStatuses[w], CreatedAt: now}
				}
				if _, err := b.store.StoreJobs(b.ctx(), jobs); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	equal(t, "jobs", dbtest.Value(t, b.url, "SELECT count(*) || ' ' || min(status) || max(status) FROM jobs"), "50 completedcompleted")
	b.differences("after all")
}

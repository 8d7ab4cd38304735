package db

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// JobFilter chooses a page of a worker's jobs, newest first.
type JobFilter struct {
	Status validator.JobStatus // "" = all
	Limit  int                 // 1 to MaxPage; anything else means MaxPage
	Before JobCursor           // the zero cursor = the newest
}

// JobCursor names the place after a job in a list; see CursorAfter.
type JobCursor struct {
	CreatedAt time.Time
	ID        string
}

// CursorAfter returns the cursor of the jobs that follow j, such as the last of a page.
func CursorAfter(j validator.Job) JobCursor { return JobCursor{j.CreatedAt, j.ID} }

// MaxPage is the most rows that one call returns of a list.
const MaxPage = 1000

func pageSize(n int) int32 {
	if n < 1 || n > MaxPage {
		return MaxPage
	}
	return int32(n)
}

// endOfTime is after every time that the database accepts.
var endOfTime = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// Jobs returns a page of a worker's jobs, newest first by the time of their submission.
func (s *Store) Jobs(ctx context.Context, worker validator.Address, f JobFilter) ([]validator.Job, error) {
	before := f.Before
	if before.CreatedAt.IsZero() {
		before.CreatedAt = endOfTime
	}
	var rows []JobRow
	var err error
	if f.Status == "" {
		rows, err = s.q.listJobs(ctx, listJobsParams{
			WorkerAddress: string(worker), Before: before.CreatedAt, BeforeID: before.ID, MaxRows: pageSize(f.Limit),
		})
	} else {
		rows, err = s.q.listJobsByStatus(ctx, listJobsByStatusParams{
			WorkerAddress: string(worker), Status: f.Status, Before: before.CreatedAt, BeforeID: before.ID, MaxRows: pageSize(f.Limit),
		})
	}
	if err != nil {
		return nil, s.fail("list jobs", err)
	}
	jobs := make([]validator.Job, len(rows))
	for i, r := range rows {
		jobs[i] = r.job()
	}
	return jobs, nil
}

// CountJobs counts a worker's jobs of one status, or all with "".
func (s *Store) CountJobs(ctx context.Context, worker validator.Address, status validator.JobStatus) (int64, error) {
	n, err := s.q.countWorkerJobs(ctx, countWorkerJobsParams{WorkerAddress: worker, Status: textOrNull(string(status))})
	return n, s.fail("count jobs", err)
}

// Job returns one of a worker's jobs. ErrNotFound: there is none, or it is another's.
func (s *Store) Job(ctx context.Context, worker validator.Address, id string) (validator.Job, error) {
	row, err := s.q.getJob(ctx, getJobParams{WorkerAddress: string(worker), JobID: id})
	if err != nil {
		return validator.Job{}, s.fail("read a job", err)
	}
	return row.job(), nil
}

// JobCounts counts a worker's jobs. Last24h and Last7d are those submitted in the time
// before now; the average is over completed jobs whose time is known.
func (s *Store) JobCounts(ctx context.Context, worker validator.Address, now time.Time) (validator.JobCounts, error) {
	var c validator.JobCounts
	var totals []workerJobTotalsRow
	err := s.inSnapshot(ctx, func(q *Queries) error {
		var err error
		if totals, err = q.workerJobTotals(ctx, worker); err != nil {
			return err
		}
		recent, err := q.countJobsSubmittedSince(ctx, countJobsSubmittedSinceParams{
			WorkerAddress: string(worker), DayAgo: now.Add(-24 * time.Hour), WeekAgo: now.Add(-7 * 24 * time.Hour),
		})
		c.Last24h, c.Last7d = recent.Last24h, recent.Last7d
		return err
	})
	if err != nil {
		return validator.JobCounts{}, s.fail("count jobs", err)
	}
	byType := map[string]int64{}
	var completion float64
	var timed int64
	for _, t := range totals {
		c.Total += t.Jobs
		byType[t.JobType] += t.Jobs
		switch {
		case t.Status == validator.JobCompleted:
			c.Completed += t.Jobs
			completion += t.CompletionMS
			timed += t.CompletionJobs
		case t.Status.Failed():
			c.Failed += t.Jobs
		case t.Status.InProgress():
			c.InProgress += t.Jobs
		case t.Status == validator.JobPending:
			c.Pending += t.Jobs
		case t.Status == validator.JobCancelled:
			c.Cancelled += t.Jobs
		}
	}
	c.AverageCompletion = average(completion, timed)
	for name, n := range byType {
		c.ByType = append(c.ByType, validator.JobTypeCount{Type: name, Count: n})
	}
	slices.SortFunc(c.ByType, func(a, b validator.JobTypeCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Type, b.Type))
	})
	return c, nil
}

// average is ms / n, nil if n is 0.
func average(ms float64, n int64) *time.Duration {
	if n <= 0 {
		return nil
	}
	d := time.Duration(ms / float64(n) * float64(time.Millisecond))
	return &d
}

func (r JobRow) job() validator.Job {
	j := validator.Job{
		ID: r.JobID, Client: orZero(r.ClientAddress), Worker: orZero(r.WorkerAddress), Type: r.JobType, Status: r.Status,
		Payment: r.PaymentAmount, CreatedAt: r.CreatedAt, AssignedAt: r.AssignedAt, CompletedAt: r.CompletedAt,
		ResultHash: orZero(r.ResultHash), ErrorMessage: orZero(r.ErrorMessage), GPUUUID: orZero(r.GPUUUID),
		TxHash: orZero(r.TxHash), BlockNumber: blockNumber(r.BlockNumber),
	}
	if r.ExecutionTimeMS != nil {
		d := time.Duration(*r.ExecutionTimeMS) * time.Millisecond
		j.ExecutionTime = &d
	}
	return j
}

// orZero is *p, or the zero value that stands for NULL in package validator's texts.
func orZero[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// textOrNull is s, with NULL for the empty text.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func blockNumber(n *int64) *uint64 {
	if n == nil {
		return nil
	}
	u := uint64(*n) // the database refuses negative ones
	return &u
}

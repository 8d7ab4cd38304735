package db

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// JobFilter chooses a page of a worker's jobs. Its zero value asks for the newest of all.
type JobFilter struct {
	Status validator.JobStatus // "" = all
	Type   string              // "" = all
	GPU    string              // the UUID; "" = all
	Client validator.Address   // "" = all
	// Search finds jobs whose identifier begins with it, and failed or timed out ones whose
	// error message holds it, in upper or lower case. "" = all.
	Search string
	// Jobs submitted at From or later, and before To; zero times = all.
	From, To  time.Time
	Sort      JobSort
	Ascending bool      // the oldest, lowest or shortest first
	Limit     int       // 1 to MaxPage; anything else means MaxPage
	Before    JobCursor // jobs that follow this place in the list; the zero cursor = the list's beginning
	// After asks for the page that ends at this place instead, in the order of the list all
	// the same. It is not to be set together with Before.
	After JobCursor
}

// JobCursor names a place in a list of jobs; see CursorAfter. Of CreatedAt, Payment and
// Duration only the one counts that the list is sorted by.
type JobCursor struct {
	CreatedAt time.Time
	Payment   string // decimal wei; "" = not known
	Duration  string // whole milliseconds; "" = not known
	ID        string
}

// CursorAfter returns the place of j in a list: as Before it asks for the jobs that follow j,
// such as the last of a page, and as After for those that stand above j, such as the first.
func CursorAfter(j validator.Job) JobCursor {
	c := JobCursor{CreatedAt: j.CreatedAt, ID: j.ID}
	if j.Payment != nil {
		c.Payment = j.Payment.String()
	}
	if d, known := j.Duration().Get(); known {
		c.Duration = strconv.FormatInt(d.Milliseconds(), 10)
	}
	return c
}

// IsZero says whether the cursor names no place.
func (c JobCursor) IsZero() bool { return c == JobCursor{} }

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

// Jobs returns a page of a worker's jobs.
func (s *Store) Jobs(ctx context.Context, worker validator.Address, f JobFilter) ([]validator.Job, error) {
	var rows []JobRow
	err := s.searching(ctx, f, func(q *Queries) (err error) {
		rows, err = q.pageOfJobs(ctx, worker, f, pageSize(f.Limit))
		return err
	})
	if err != nil {
		return nil, s.fail("list jobs", err)
	}
	jobs := make([]validator.Job, len(rows))
	for i, r := range rows {
		jobs[i] = r.job()
	}
	if !f.After.IsZero() {
		slices.Reverse(jobs)
	}
	return jobs, nil
}

// walkSize is how many rows are held at a time where all are handed over: of jobs with the longest
// texts some 10 MB.
const walkSize = 250

// EachJob hands over all jobs of a filter in their order, without its limit, and ends with
// the first error. It reads some at a time and keeps nothing open meanwhile: a job that
// comes or changes while it walks may be in or not, and no other is left out or comes twice.
// A filter that lets through more jobs than its order considers (see MaxSorted) is walked
// through from the newest down.
func (s *Store) EachJob(ctx context.Context, worker validator.Address, f JobFilter, each func(validator.Job) error) error {
	unsorted, err := s.FirstUnsorted(ctx, worker, f)
	if err != nil {
		return err
	}
	if unsorted != nil {
		f.Sort, f.Ascending = SortSubmitted, false
	}
	for {
		rows, err := s.q.pageOfJobs(ctx, worker, f, walkSize)
		if err != nil {
			return s.fail("read jobs", err)
		}
		for _, r := range rows {
			if err := each(r.job()); err != nil {
				return err
			}
		}
		if len(rows) < walkSize {
			return nil
		}
		f.Before = CursorAfter(rows[len(rows)-1].job())
	}
}

// pageOfJobs reads a page in the order in which it was looked for.
func (q *Queries) pageOfJobs(ctx context.Context, worker validator.Address, f JobFilter, size int32) ([]JobRow, error) {
	if f.Sort != SortSubmitted {
		return q.sortJobs(ctx, worker, f, size)
	}
	place := f.Before
	if !f.After.IsZero() {
		place = f.After
	}
	// The page that ends at a place is looked for against the order of the list.
	upwards := f.Ascending != !f.After.IsZero()
	if place.IsZero() && upwards {
		place.CreatedAt = beginning
	} else if place.IsZero() {
		place.CreatedAt = endOfTime
	}
	p := f.params(worker)
	p.PlaceTime, p.PlaceID, p.MaxRows = place.CreatedAt, place.ID, size
	if f.Search == "" {
		found := findJobsParams{
			WorkerAddress: p.WorkerAddress, Status: p.Status, JobType: p.JobType, GPUUUID: p.GPUUUID, ClientAddress: p.ClientAddress,
			CreatedFrom: p.CreatedFrom, CreatedBefore: p.CreatedBefore, PlaceTime: p.PlaceTime, PlaceID: p.PlaceID, MaxRows: p.MaxRows,
		}
		if upwards {
			return q.findNewerJobs(ctx, findNewerJobsParams(found))
		}
		return q.findJobs(ctx, found)
	}
	if upwards {
		return q.searchNewerJobs(ctx, searchNewerJobsParams(p))
	}
	return q.searchJobs(ctx, p)
}

// params are those of a query that say which jobs the filter lets through.
func (f JobFilter) params(worker validator.Address) searchJobsParams {
	from, to := beginning, endOfTime
	if !f.From.IsZero() {
		from = f.From
	}
	if !f.To.IsZero() {
		to = f.To
	}
	text := likeLiteral.Replace(f.Search)
	return searchJobsParams{
		WorkerAddress: string(worker), IDPattern: text + "%", ErrorPattern: "%" + text + "%",
		Status: textOrNull(string(f.Status)), JobType: textOrNull(f.Type), GPUUUID: textOrNull(f.GPU),
		ClientAddress: textOrNull(string(f.Client)), CreatedFrom: from, CreatedBefore: to,
	}
}

// likeLiteral makes a text stand for itself in a pattern of LIKE.
var likeLiteral = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// CountJobs counts a worker's jobs of one status, or all with "".
func (s *Store) CountJobs(ctx context.Context, worker validator.Address, status validator.JobStatus) (int64, error) {
	n, err := s.q.countWorkerJobs(ctx, countWorkerJobsParams{WorkerAddress: worker, Status: textOrNull(string(status))})
	return n, s.fail("count jobs", err)
}

// Job returns one of a worker's jobs: that of an identifier, else, if the identifier is a
// number, the one that has that number in another spelling. ErrNotFound: there is none, or
// it is another's.
func (s *Store) Job(ctx context.Context, worker validator.Address, id string) (validator.Job, error) {
	ids := []string{id}
	if number, ok := validator.JobNumber(id); ok {
		ids = append(ids, validator.JobSpellings(number)...)
	}
	row, err := s.q.getJob(ctx, getJobParams{WorkerAddress: string(worker), JobIds: ids})
	if err != nil {
		return validator.Job{}, s.fail("read a job", err)
	}
	j := row.job()
	if j.GPUUUID == "" && !j.SelfReported {
		// Which of its GPUs a job ran on, its worker knows best.
		gpu, err := s.q.reportedGPU(ctx, reportedGPUParams{WorkerAddress: string(worker), JobKey: jobKey(j.ID)})
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return validator.Job{}, s.fail("read a job", err)
		}
		j.GPUUUID = gpu
	}
	return j, nil
}

// JobCounts counts a worker's jobs. Last24h and Last7d are those submitted in these windows
// of time; the average is over completed jobs whose time is known.
func (s *Store) JobCounts(ctx context.Context, worker validator.Address, now time.Time) (validator.JobCounts, error) {
	var c validator.JobCounts
	var totals []workerJobTotalsRow
	err := s.inSnapshot(ctx, func(q *Queries) error {
		var err error
		if totals, err = q.workerJobTotals(ctx, worker); err != nil {
			return err
		}
		recent, err := q.countJobsSubmittedSince(ctx, countJobsSubmittedSinceParams{
			WorkerAddress: string(worker), DayAgo: validator.Window24h.Start(now), WeekAgo: validator.Window7d.Start(now),
		})
		if err != nil {
			return err
		}
		c.Last24h, c.Last7d = recent.Last24h, recent.Last7d
		c.KeptApart, err = q.jobsApart(ctx, worker)
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
		c.SelfReported += t.SelfReported
		byType[t.JobType] += t.Jobs
		c.Each = append(c.Each, validator.JobKindCount{Type: t.JobType, Status: t.Status, Count: t.Jobs})
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

// jobsApart counts the jobs of a worker that are kept apart, by the reason.
func (q *Queries) jobsApart(ctx context.Context, worker validator.Address) (map[validator.JobFault]int64, error) {
	rows, err := q.countJobsApart(ctx, countJobsApartParams{WorkerAddress: string(worker), Most: validator.MostKeptApart + 1})
	apart := make(map[validator.JobFault]int64, len(rows))
	for _, r := range rows {
		apart[validator.JobFault(r.Reason)] = r.Jobs
	}
	return apart, err
}

// JobDays counts a worker's jobs per UTC day of their end, type and state, from the first
// day to the last, oldest first. A job that has not ended counts on the day of its submission.
func (s *Store) JobDays(ctx context.Context, worker validator.Address, firstDay, lastDay time.Time) ([]validator.JobDay, error) {
	rows, err := s.q.workerJobDays(ctx, workerJobDaysParams{WorkerAddress: worker, FirstDay: utcDay(firstDay), LastDay: utcDay(lastDay)})
	if err != nil {
		return nil, s.fail("count jobs by day", err)
	}
	out := make([]validator.JobDay, len(rows))
	for i, r := range rows {
		hours := r.ExecutionMS / float64(time.Hour/time.Millisecond)
		out[i] = validator.JobDay{Day: r.Day.UTC(), Type: r.JobType, Status: r.Status, Count: r.Jobs, Execution: validator.ComputeTime(hours)}
	}
	return out, nil
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
		TxHash: orZero(r.TxHash), BlockNumber: blockNumber(r.BlockNumber), UpdatedAt: r.UpdatedAt, KeptApart: validator.JobFault(orZero(r.KeptApart)),
		SelfReported: r.SelfReported, PaidOnChain: r.PaidAt != nil,
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

// foreignText is a text of another program, such as a node's words, as the database can keep
// it: it must not stop what it is the reason of from being stored.
func foreignText(s string) *string {
	return textOrNull(strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD"))
}

func blockNumber(n *int64) *uint64 {
	if n == nil {
		return nil
	}
	u := uint64(*n) // the database refuses negative ones
	return &u
}

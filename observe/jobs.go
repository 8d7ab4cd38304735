package observe

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

type jobsKey struct {
	ofWallet

	filter db.JobFilter
}

type jobKey struct {
	ofWallet

	id string
}

// JobCounts counts a wallet's jobs.
func (r *Reads) JobCounts(ctx context.Context, wallet validator.Address) validator.Maybe[validator.JobCounts] {
	return load(ctx, r, &r.o.tables.jobCounts, "job counts", ofWallet(wallet), walletMaxAge, func(ctx context.Context) (validator.JobCounts, error) {
		return r.o.db.JobCounts(ctx, wallet, r.o.now())
	})
}

// JobPage is a list of jobs with how many there are.
type JobPage struct {
	Jobs  []validator.Job
	Total int64
}

// JobPage lists a wallet's jobs and counts those of the filter's status.
func (r *Reads) JobPage(ctx context.Context, wallet validator.Address, f db.JobFilter) validator.Maybe[JobPage] {
	return load(ctx, r, &r.o.tables.jobPages, "jobs", jobsKey{ofWallet(wallet), f}, walletMaxAge, func(ctx context.Context) (JobPage, error) {
		jobs, err := r.o.db.Jobs(ctx, wallet, f)
		if err != nil {
			return JobPage{}, err
		}
		total, err := r.o.db.CountJobs(ctx, wallet, f.Status)
		return JobPage{jobs, total}, err
	})
}

// Jobs lists a wallet's jobs.
func (r *Reads) Jobs(ctx context.Context, wallet validator.Address, f db.JobFilter) validator.Maybe[[]validator.Job] {
	return load(ctx, r, &r.o.tables.jobs, "job list", jobsKey{ofWallet(wallet), f}, walletMaxAge, func(ctx context.Context) ([]validator.Job, error) {
		return r.o.db.Jobs(ctx, wallet, f)
	})
}

// FirstUnsorted returns the time from which on back jobs are left out of a sorted list, nil if
// none is; see db.MaxSorted. The filter's page does not matter.
func (r *Reads) FirstUnsorted(ctx context.Context, wallet validator.Address, f db.JobFilter) validator.Maybe[*time.Time] {
	f.Limit, f.Before, f.After = 0, db.JobCursor{}, db.JobCursor{}
	return load(ctx, r, &r.o.tables.firstUnsorted, "jobs not sorted", jobsKey{ofWallet(wallet), f}, walletMaxAge, func(ctx context.Context) (*time.Time, error) {
		return r.o.db.FirstUnsorted(ctx, wallet, f)
	})
}

// Job returns one of a wallet's jobs, nil if the wallet has none of that identifier.
func (r *Reads) Job(ctx context.Context, wallet validator.Address, id string) validator.Maybe[*validator.Job] {
	return load(ctx, r, &r.o.tables.job, "job", jobKey{ofWallet(wallet), id}, walletMaxAge, func(ctx context.Context) (*validator.Job, error) {
		j, err := r.o.db.Job(ctx, wallet, id)
		if errors.Is(err, db.ErrNotFound) || errors.Is(err, db.ErrInvalid) { // an invalid identifier is nobody's
			return nil, nil
		}
		return &j, err
	})
}

// JobPayment is a job's payment as the chain has it, and how far its events are known.
type JobPayment struct {
	Payment  validator.ReconciledPayment
	Coverage validator.Maybe[validator.EventCoverage]
}

// JobPayment returns the payment of one of a wallet's jobs.
func (r *Reads) JobPayment(ctx context.Context, wallet validator.Address, j validator.Job) validator.Maybe[JobPayment] {
	return load(ctx, r, &r.o.tables.jobPayment, "payment of a job", jobKey{ofWallet(wallet), j.ID}, walletMaxAge, func(ctx context.Context) (JobPayment, error) {
		p, known, err := r.o.db.PaymentOfJob(ctx, j, r.o.PaymentContracts())
		return JobPayment{p, known}, err
	})
}

// jobsMatched bounds the jobs of one state that are matched with GPUs.
const jobsMatched = 100

type gpuJobsKey struct {
	ofWallet

	failed bool
}

// RunningJobsOnGPUs lists a wallet's newest jobs in progress that name their GPU.
func (r *Reads) RunningJobsOnGPUs(ctx context.Context, wallet validator.Address) validator.Maybe[[]validator.Job] {
	return r.jobsOnGPUs(ctx, gpuJobsKey{ofWallet(wallet), false}, validator.JobRunning, validator.JobAssigned)
}

// FailedJobsOnGPUs lists a wallet's newest failed jobs that name their GPU.
func (r *Reads) FailedJobsOnGPUs(ctx context.Context, wallet validator.Address) validator.Maybe[[]validator.Job] {
	return r.jobsOnGPUs(ctx, gpuJobsKey{ofWallet(wallet), true}, validator.JobFailed, validator.JobTimedOut)
}

func (r *Reads) jobsOnGPUs(ctx context.Context, k gpuJobsKey, statuses ...validator.JobStatus) validator.Maybe[[]validator.Job] {
	return load(ctx, r, &r.o.tables.jobsOnGPUs, "jobs on gpus", k, walletMaxAge, func(ctx context.Context) ([]validator.Job, error) {
		var out []validator.Job
		for _, status := range statuses {
			page, err := r.o.db.Jobs(ctx, k.owner(), db.JobFilter{Status: status, Limit: jobsMatched})
			if err != nil {
				return nil, err
			}
			out = append(out, page...)
		}
		return slices.DeleteFunc(out, func(j validator.Job) bool { return j.GPUUUID == "" }), nil
	})
}

// failedJobsRead bounds the failed jobs of one state that are read for a window;
// longestJob is how much longer ago than its end a job may have been submitted.
const (
	failedJobsRead = 500
	longestJob     = 24 * time.Hour
)

// FailedJobs are a wallet's jobs that failed in a window, newest end first.
type FailedJobs struct {
	Jobs []validator.Job
	Cut  bool // there may be more
}

type failedJobsKey struct {
	ofWallet

	window time.Duration
}

// FailedJobs lists the jobs of a wallet that failed since a time, which is the beginning of a
// window of that length.
func (r *Reads) FailedJobs(ctx context.Context, wallet validator.Address, window time.Duration, since time.Time) validator.Maybe[FailedJobs] {
	return load(ctx, r, &r.o.tables.failedJobs, "failed jobs", failedJobsKey{ofWallet(wallet), window}, walletMaxAge, func(ctx context.Context) (FailedJobs, error) {
		var f FailedJobs
		for _, status := range []validator.JobStatus{validator.JobFailed, validator.JobTimedOut} {
			page, err := r.o.db.Jobs(ctx, wallet, db.JobFilter{Status: status, Limit: failedJobsRead})
			if err != nil {
				return FailedJobs{}, err
			}
			for _, j := range page {
				if !j.EndedAt().Before(since) {
					f.Jobs = append(f.Jobs, j)
				}
			}
			f.Cut = f.Cut || len(page) == failedJobsRead && page[len(page)-1].CreatedAt.After(since.Add(-longestJob))
		}
		slices.SortFunc(f.Jobs, func(a, b validator.Job) int { return b.EndedAt().Compare(a.EndedAt()) })
		return f, nil
	})
}

package db

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// JobSort is what a list of jobs is sorted by.
type JobSort string

// What jobs are sorted by. A job whose payment or duration is not known comes after all
// others, whichever way the list goes.
const (
	SortSubmitted JobSort = "" // the time of submission
	SortPayment   JobSort = "payment"
	SortDuration  JobSort = "duration" // validator.Job.Duration
)

// MaxSorted is how many jobs a list by payment or duration considers of those that a filter
// besides state and type lets through: the newest. No index holds every choice in each order.
const MaxSorted = 10_000

// sortsAll says whether a list by payment or duration holds all jobs of the filter.
func (f JobFilter) sortsAll() bool {
	return f.Sort == SortSubmitted || (f.GPU == "" && f.Client == "" && f.Search == "" && f.From.IsZero() && f.To.IsZero())
}

// FirstUnsorted returns the time of submission of the newest job that a filter lets through
// and its list leaves out, since it considers the newest MaxSorted only. nil: it has all.
func (s *Store) FirstUnsorted(ctx context.Context, worker validator.Address, f JobFilter) (*time.Time, error) {
	if f.sortsAll() {
		return nil, nil
	}
	var at time.Time
	err := s.searching(ctx, f, func(q *Queries) (err error) {
		at, err = q.firstUnsorted(ctx, f.params(worker), f.Search == "")
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, s.fail("look for jobs that are not sorted", err)
	}
	return &at, nil
}

func (q *Queries) firstUnsorted(ctx context.Context, p searchJobsParams, every bool) (time.Time, error) {
	if every {
		return q.firstUnsortedJob(ctx, firstUnsortedJobParams{
			WorkerAddress: p.WorkerAddress, Status: p.Status, JobType: p.JobType, GPUUUID: p.GPUUUID, ClientAddress: p.ClientAddress,
			CreatedFrom: p.CreatedFrom, CreatedBefore: p.CreatedBefore, Considered: MaxSorted,
		})
	}
	return q.firstUnsortedSearchedJob(ctx, firstUnsortedSearchedJobParams{
		WorkerAddress: p.WorkerAddress, IDPattern: p.IDPattern, ErrorPattern: p.ErrorPattern, Status: p.Status, JobType: p.JobType, GPUUUID: p.GPUUUID,
		ClientAddress: p.ClientAddress, CreatedFrom: p.CreatedFrom, CreatedBefore: p.CreatedBefore, Considered: MaxSorted, LookedAt: MaxSorted + 1,
	})
}

// sortPlace is where in a list by payment or duration a page begins or ends: how many rows it
// may take of the known and of the unknown ones, and next to which.
type sortPlace struct {
	value               string // "" = from the end of all known ones
	id                  string
	unknownID           *string
	known, unknown      int32
	upwards, unknownTop bool
}

// place is where to look for the page of a list by payment or duration.
func (f JobFilter) place(size int32) sortPlace {
	at, against := f.Before, !f.After.IsZero()
	if against {
		at = f.After
	}
	p := sortPlace{known: size, unknown: size, upwards: f.Ascending != against, unknownTop: against}
	value := at.Payment
	if f.Sort == SortDuration {
		value = at.Duration
	}
	switch {
	case at.IsZero():
	case value != "":
		p.value, p.id = value, at.ID
		if against {
			p.unknown = 0
		}
	default:
		p.unknownID = &at.ID
		if !against {
			p.known = 0
		}
	}
	return p
}

// wei is the value as a parameter, nil without one.
func (p sortPlace) wei() (*validator.Wei, error) {
	if p.value == "" {
		return nil, nil
	}
	w, err := validator.ParseWei(p.value)
	return &w, err
}

// sortJobs reads a page by payment or duration in the order in which it was looked for.
func (q *Queries) sortJobs(ctx context.Context, worker validator.Address, f JobFilter, size int32) ([]JobRow, error) {
	at := f.place(size)
	value, err := at.wei()
	if err != nil {
		return nil, err
	}
	if !f.sortsAll() {
		return q.sortPicked(ctx, f.params(worker), f, at, value, size)
	}
	if f.Sort == SortDuration {
		return q.sortByDuration(ctx, worker, f, at, size)
	}
	p := jobsByPaymentParams{
		WorkerAddress: string(worker), Status: textOrNull(string(f.Status)), JobType: textOrNull(f.Type), PlaceValue: value, PlaceID: at.id,
		KnownRows: at.known, UnknownID: at.unknownID, UnknownRows: at.unknown, UnknownFirst: at.unknownTop, MaxRows: size,
	}
	if at.upwards {
		return q.jobsByPayment(ctx, p)
	}
	return q.jobsByPaymentDown(ctx, jobsByPaymentDownParams(p))
}

func (q *Queries) sortByDuration(ctx context.Context, worker validator.Address, f JobFilter, at sortPlace, size int32) ([]JobRow, error) {
	p := jobsByDurationParams{
		WorkerAddress: string(worker), Status: textOrNull(string(f.Status)), JobType: textOrNull(f.Type), PlaceID: at.id,
		KnownRows: at.known, UnknownID: at.unknownID, UnknownRows: at.unknown, UnknownFirst: at.unknownTop, MaxRows: size,
	}
	if at.value != "" {
		ms, err := strconv.ParseInt(at.value, 10, 64)
		if err != nil {
			return nil, err
		}
		p.PlaceValue = &ms
	}
	if at.upwards {
		return q.jobsByDuration(ctx, p)
	}
	return q.jobsByDurationDown(ctx, jobsByDurationDownParams(p))
}

// sortPicked sorts the newest jobs that a filter lets through.
func (q *Queries) sortPicked(ctx context.Context, p searchJobsParams, f JobFilter, at sortPlace, value *validator.Wei, size int32) ([]JobRow, error) {
	if f.Search == "" {
		return q.sortFoundJobs(ctx, sortFoundJobsParams{
			WorkerAddress: p.WorkerAddress, Status: p.Status, JobType: p.JobType, GPUUUID: p.GPUUUID, ClientAddress: p.ClientAddress,
			CreatedFrom: p.CreatedFrom, CreatedBefore: p.CreatedBefore, Considered: MaxSorted, ByPayment: f.Sort == SortPayment, Upwards: at.upwards,
			PlaceValue: value, PlaceID: at.id, KnownRows: at.known, UnknownID: at.unknownID, UnknownRows: at.unknown, UnknownFirst: at.unknownTop, MaxRows: size,
		})
	}
	return q.sortSearchedJobs(ctx, sortSearchedJobsParams{
		WorkerAddress: p.WorkerAddress, IDPattern: p.IDPattern, ErrorPattern: p.ErrorPattern, Status: p.Status, JobType: p.JobType, GPUUUID: p.GPUUUID,
		ClientAddress: p.ClientAddress, CreatedFrom: p.CreatedFrom, CreatedBefore: p.CreatedBefore, Considered: MaxSorted, ByPayment: f.Sort == SortPayment,
		Upwards: at.upwards, PlaceValue: value, PlaceID: at.id, KnownRows: at.known, UnknownID: at.unknownID, UnknownRows: at.unknown, UnknownFirst: at.unknownTop,
		MaxRows: size,
	})
}

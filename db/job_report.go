package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// JobsStored says what became of reported jobs.
type JobsStored struct {
	Added     int // that were not there
	Changed   int
	Unchanged int // no news
}

// errJobGone says that a job was deleted while it was reported.
var errJobGone = errors.New("a job was deleted meanwhile")

// StoreJobs stores what the coordinator tells of jobs, all of it or nothing. A job that is there
// is changed by what is newer; the database's job_is_newer says what that is, so reports may
// come in any order and any number of times, also twice in one list. A zero CreatedAt and
// everything else that is not set leave what is known. ErrInvalid: the database refuses a value.
func (s *Store) StoreJobs(ctx context.Context, jobs []validator.Job) (JobsStored, error) {
	return s.storeJobs(ctx, func(q *Queries) (JobsStored, error) {
		return mergeRounds(jobs, jobTable{
			add:   func(list json.RawMessage) ([]string, error) { return q.addToldJobs(ctx, list) },
			lock:  func(ids []string) ([]string, error) { return q.lockJobs(ctx, ids) },
			merge: func(list json.RawMessage) (int64, error) { return q.mergeToldJobs(ctx, list) },
		})
	})
}

// ReportJobs stores what a worker tells of its own jobs, as StoreJobs does, but apart from what
// the coordinator tells and from what every other worker does: nobody's reports meet another's.
// Jobs without a worker become that worker's.
func (s *Store) ReportJobs(ctx context.Context, worker validator.Address, jobs []validator.Job) (JobsStored, error) {
	own := slices.Clone(jobs)
	for i := range own {
		own[i].Worker = worker
	}
	return s.storeJobs(ctx, func(q *Queries) (JobsStored, error) {
		done, err := mergeRounds(own, jobTable{
			add: func(list json.RawMessage) ([]string, error) { return q.addReportedJobs(ctx, list) },
			lock: func(ids []string) ([]string, error) {
				return q.lockReportedJobs(ctx, lockReportedJobsParams{WorkerAddress: string(worker), Ids: ids})
			},
			merge: func(list json.RawMessage) (int64, error) { return q.mergeReportedJobs(ctx, list) },
		})
		if err != nil {
			return done, err
		}
		return done, q.supersede(ctx, worker, own)
	})
}

// supersede notes which of a worker's reports the coordinator tells of, in whatever spelling of
// the job's number.
func (q *Queries) supersede(ctx context.Context, worker validator.Address, jobs []validator.Job) error {
	var ids, spellings []string
	for _, j := range jobs {
		ids = append(ids, j.ID)
		spellings = append(spellings, j.ID)
		if number, is := validator.JobNumber(j.ID); is {
			spellings = append(spellings, validator.JobSpellings(number)...)
		}
	}
	found, err := q.jobsOfCoordinator(ctx, jobsOfCoordinatorParams{JobIds: spellings, WorkerAddress: string(worker)})
	if err != nil {
		return err
	}
	there := make([]string, len(found))
	for i, id := range found {
		there[i] = jobKey(id)
	}
	return q.supersedeReports(ctx, supersedeReportsParams{There: there, WorkerAddress: string(worker), Ids: ids})
}

// jobKey is a job's number, or the identifier itself if it is none, as the database's job_key.
func jobKey(id string) string {
	if number, is := validator.JobNumber(id); is {
		return number
	}
	return id
}

func (s *Store) storeJobs(ctx context.Context, store func(*Queries) (JobsStored, error)) (JobsStored, error) {
	var done JobsStored
	err := s.inTransaction(ctx, func(q *Queries) (err error) {
		done, err = store(q)
		return err
	})
	return done, s.fail("store jobs", err)
}

// jobTable is where jobs are stored.
type jobTable struct {
	add   func(list json.RawMessage) ([]string, error) // those that are not there
	lock  func(ids []string) ([]string, error)
	merge func(list json.RawMessage) (int64, error) // into those that are
}

func mergeRounds(jobs []validator.Job, t jobTable) (JobsStored, error) {
	var done JobsStored
	for _, round := range onceEach(jobs) {
		list, err := reportList(jobs, round)
		if err != nil {
			return done, err
		}
		added, err := t.add(list)
		if err != nil {
			return done, err
		}
		done.Added += len(added)
		if len(added) == len(round) {
			continue
		}
		isNew := make(map[string]bool, len(added))
		for _, id := range added {
			isNew[id] = true
		}
		known := slices.DeleteFunc(round, func(i int) bool { return isNew[jobs[i].ID] })
		changed, err := mergeJobs(jobs, known, t)
		if err != nil {
			return done, err
		}
		done.Changed += changed
		done.Unchanged += len(known) - changed
	}
	return done, nil
}

// mergeJobs changes jobs that are there.
func mergeJobs(jobs []validator.Job, known []int, t jobTable) (changed int, err error) {
	ids := make([]string, len(known))
	for n, i := range known {
		ids[n] = jobs[i].ID
	}
	locked, err := t.lock(ids)
	if err != nil {
		return 0, err
	}
	if len(locked) < len(known) {
		return 0, errJobGone
	}
	list, err := reportList(jobs, known)
	if err != nil {
		return 0, err
	}
	n, err := t.merge(list)
	return int(n), err
}

// onceEach splits the jobs, by their indices, into lists that name none twice.
func onceEach(jobs []validator.Job) [][]int {
	var rounds [][]int
	times := make(map[string]int, len(jobs))
	for i, j := range jobs {
		n := times[j.ID]
		times[j.ID]++
		if n == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[n] = append(rounds[n], i)
	}
	return rounds
}

// jobReport is a job by the names of its columns; what is left out is NULL.
type jobReport struct {
	JobID         string              `json:"job_id"`
	ClientAddress validator.Address   `json:"client_address,omitempty"`
	WorkerAddress validator.Address   `json:"worker_address,omitempty"`
	JobType       string              `json:"job_type,omitempty"`
	Status        validator.JobStatus `json:"status"`
	Payment       string              `json:"payment_amount,omitempty"`
	CreatedAt     *time.Time          `json:"created_at,omitempty"`
	AssignedAt    *time.Time          `json:"assigned_at,omitempty"`
	CompletedAt   *time.Time          `json:"completed_at,omitempty"`
	ExecutionMS   *int64              `json:"execution_time_ms,omitempty"`
	ResultHash    string              `json:"result_hash,omitempty"`
	ErrorMessage  string              `json:"error_message,omitempty"`
	GPUUUID       string              `json:"gpu_uuid,omitempty"`
	TxHash        validator.Felt      `json:"tx_hash,omitempty"`
	BlockNumber   *uint64             `json:"block_number,omitempty"`
	UpdatedAt     *time.Time          `json:"updated_at,omitempty"`
}

func reportList(jobs []validator.Job, indices []int) (json.RawMessage, error) {
	rows := make([]jobReport, len(indices))
	for n, i := range indices {
		j := jobs[i]
		rows[n] = jobReport{
			JobID: j.ID, ClientAddress: j.Client, WorkerAddress: j.Worker, JobType: j.Type, Status: j.Status, AssignedAt: j.AssignedAt,
			CompletedAt: j.CompletedAt, ResultHash: j.ResultHash, ErrorMessage: j.ErrorMessage, GPUUUID: j.GPUUUID,
			TxHash: j.TxHash, BlockNumber: j.BlockNumber, UpdatedAt: j.UpdatedAt,
		}
		for _, text := range []string{j.ID, j.Type, j.ResultHash, j.ErrorMessage, j.GPUUUID} {
			if strings.ContainsRune(text, 0) {
				return nil, fmt.Errorf("%w: the job %q holds a zero character", ErrInvalid, j.ID)
			}
		}
		if j.Payment != nil {
			rows[n].Payment = j.Payment.String()
		}
		if !j.CreatedAt.IsZero() {
			rows[n].CreatedAt = &j.CreatedAt
		}
		if j.ExecutionTime != nil {
			ms := j.ExecutionTime.Milliseconds()
			rows[n].ExecutionMS = &ms
		}
	}
	return json.Marshal(rows)
}

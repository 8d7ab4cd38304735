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
	Unchanged int // told nothing new
}

// NotWritableError says that some of the reported jobs are there already, as jobs of
// workers for whom the writer may not write. Nothing was stored.
type NotWritableError struct {
	Indices []int // in the list that was reported
}

func (e *NotWritableError) Error() string {
	return fmt.Sprintf("%d of the jobs are another worker's", len(e.Indices))
}

// errJobGone says that a job was deleted while it was reported.
var errJobGone = errors.New("a job was deleted meanwhile")

// ReportJobs stores what is told of jobs, all of it or nothing. A job that is there is
// changed by what is newer; the database's job_is_newer says what that is, so reports may
// come in any order and any number of times, also twice in one list. A zero CreatedAt and
// everything else that is not set leave what is known.
//
// mayWrite says whether the writer may write for a worker ("" for none); it is asked about
// the workers of the jobs that are there. ErrInvalid: the database refuses a value.
func (s *Store) ReportJobs(ctx context.Context, jobs []validator.Job, mayWrite func(validator.Address) bool) (JobsStored, error) {
	var done JobsStored
	err := s.inTransaction(ctx, func(q *Queries) (err error) {
		done, err = storeJobs(ctx, q, jobs, mayWrite)
		return err
	})
	return done, s.fail("store jobs", err)
}

func storeJobs(ctx context.Context, q *Queries, jobs []validator.Job, mayWrite func(validator.Address) bool) (JobsStored, error) {
	var done JobsStored
	for _, round := range onceEach(jobs) {
		list, err := toldList(jobs, round)
		if err != nil {
			return done, err
		}
		added, err := q.addToldJobs(ctx, list)
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
		changed, err := mergeJobs(ctx, q, jobs, known, mayWrite)
		if err != nil {
			return done, err
		}
		done.Changed += changed
		done.Unchanged += len(known) - changed
	}
	return done, nil
}

// mergeJobs changes jobs that are there.
func mergeJobs(ctx context.Context, q *Queries, jobs []validator.Job, known []int, mayWrite func(validator.Address) bool) (changed int, err error) {
	ids := make([]string, len(known))
	for n, i := range known {
		ids[n] = jobs[i].ID
	}
	rows, err := q.lockJobs(ctx, ids)
	if err != nil {
		return 0, err
	}
	if len(rows) < len(known) {
		return 0, errJobGone
	}
	denied := map[string]bool{}
	for _, r := range rows {
		if !mayWrite(orZero(r.WorkerAddress)) {
			denied[r.JobID] = true
		}
	}
	if len(denied) > 0 {
		return 0, &NotWritableError{slices.DeleteFunc(known, func(i int) bool { return !denied[jobs[i].ID] })}
	}
	list, err := toldList(jobs, known)
	if err != nil {
		return 0, err
	}
	n, err := q.mergeToldJobs(ctx, list)
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

// toldJob is a job by the names of its columns; what is left out is NULL.
type toldJob struct {
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

func toldList(jobs []validator.Job, indices []int) (json.RawMessage, error) {
	told := make([]toldJob, len(indices))
	for n, i := range indices {
		j := jobs[i]
		told[n] = toldJob{
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
			told[n].Payment = j.Payment.String()
		}
		if !j.CreatedAt.IsZero() {
			told[n].CreatedAt = &j.CreatedAt
		}
		if j.ExecutionTime != nil {
			ms := j.ExecutionTime.Milliseconds()
			told[n].ExecutionMS = &ms
		}
	}
	return json.Marshal(told)
}

package web

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// badRow is the status of a list with a row that is wrong.
const badRow = http.StatusBadRequest

// reportInput is a list of jobs.
type reportInput struct {
	WalletInput

	Body struct {
		Jobs []reportedJob `json:"jobs" minItems:"1" maxItems:"1000" doc:"Jobs by job_id, in any order, and any number of times: what is older never overwrites what is newer. A job may stand in a list more than once."`
	}
}

// reportedJob is a job by the names of the table's columns. What is left out is not known,
// and leaves what is.
type reportedJob struct {
	JobID           string   `json:"job_id" minLength:"1" maxLength:"256"`
	Status          string   `json:"status" enum:"pending,assigned,running,completed,failed,timeout,cancelled"`
	UpdatedAt       *float64 `json:"updated_at,omitempty" doc:"Unix seconds, with fractions, at which this became so by the sender's clock. Of two reports that tell it the later is the newer. Else a later state is newer (pending, assigned, running, any end), and of the same state the later completed_at or assigned_at."`
	WorkerAddress   string   `json:"worker_address,omitempty" doc:"Left out: the header's, or nobody's yet"`
	ClientAddress   string   `json:"client_address,omitempty"`
	JobType         string   `json:"job_type,omitempty" maxLength:"256"`
	PaymentAmount   string   `json:"payment_amount,omitempty" doc:"Wei, in decimal digits"`
	CreatedAt       *float64 `json:"created_at,omitempty" doc:"Unix seconds, with fractions, of the submission"`
	AssignedAt      *float64 `json:"assigned_at,omitempty" doc:"Unix seconds, with fractions"`
	CompletedAt     *float64 `json:"completed_at,omitempty" doc:"Unix seconds, with fractions, of the end, however it ended"`
	ExecutionTimeMS *int64   `json:"execution_time_ms,omitempty" minimum:"0" maximum:"9223372036854"`
	ResultHash      string   `json:"result_hash,omitempty" maxLength:"1024"`
	ErrorMessage    string   `json:"error_message,omitempty" maxLength:"10000"`
	GPUUUID         string   `json:"gpu_uuid,omitempty" maxLength:"256"`
	TxHash          string   `json:"tx_hash,omitempty" doc:"Of the transaction that paid for it"`
	BlockNumber     *int64   `json:"block_number,omitempty" minimum:"0"`
}

// reportJSON says what was stored.
type reportJSON struct {
	Status    string `json:"status" enum:"ok"`
	Added     int    `json:"added" doc:"Jobs that were not there"`
	Changed   int    `json:"changed"`
	Unchanged int    `json:"unchanged" doc:"Reports without news"`
}

func (s *Server) apiReportJobs(ctx context.Context, in *reportInput) (*reply[reportJSON], error) {
	v := viewerOf(ctx)
	now, err := s.reportClock(ctx)
	if err != nil {
		return nil, err
	}
	jobs := make([]validator.Job, len(in.Body.Jobs))
	wrong := rowProblems{name: "jobs"}
	for i, r := range in.Body.Jobs {
		jobs[i] = r.job(now, func(field, rule string, value any) { wrong.field(i, field, rule, value) })
		wrong.add(i, s.jobWorker(v, in.WalletInput, &jobs[i]))
	}
	if p := wrong.problem(); p != nil {
		return nil, p
	}
	if err := s.spend(ctx, len(jobs)); err != nil {
		return nil, err
	}
	var done db.JobsStored
	if worker := v.wallet(); worker != "" {
		done, err = s.db.ReportJobs(ctx, worker, jobs)
	} else {
		done, err = s.db.StoreJobs(ctx, jobs)
	}
	if err != nil {
		return nil, s.storeProblem(err)
	}
	return ok(reportJSON{"ok", done.Added, done.Changed, done.Unchanged})
}

// jobWorker fills in the worker of a job that names none, and says whether the viewer may
// write for it. Who may write for anybody may also write of jobs that are nobody's yet.
func (s *Server) jobWorker(v viewer, in WalletInput, j *validator.Job) error {
	switch {
	case j.Worker == "" && in.wallet != "":
		j.Worker = in.wallet
	case j.Worker == "":
		j.Worker = v.wallet()
	case in.wallet != "" && in.wallet != j.Worker:
		return badField("body.worker_address", "names another wallet than the header X-Wallet-Address", string(j.Worker))
	}
	if !v.mayWrite(j.Worker) {
		return newProblem(http.StatusForbidden, "is of a worker for whom these credentials may not write")
	}
	return nil
}

// job reads a report that is made now; wrong gets each member that cannot be true.
func (r reportedJob) job(now time.Time, wrong func(field, rule string, value any)) validator.Job {
	j := validator.Job{
		ID: r.JobID, Type: r.JobType, Status: validator.JobStatus(r.Status), ResultHash: r.ResultHash, ErrorMessage: r.ErrorMessage, GPUUUID: r.GPUUUID,
		AssignedAt: reportedTime(now, "assigned_at", r.AssignedAt, wrong), CompletedAt: reportedTime(now, "completed_at", r.CompletedAt, wrong),
		UpdatedAt: reportedTime(now, "updated_at", r.UpdatedAt, wrong),
	}
	if at := reportedTime(now, "created_at", r.CreatedAt, wrong); at != nil {
		j.CreatedAt = *at
	}
	var err error
	if r.WorkerAddress != "" {
		if j.Worker, err = validator.ParseAddress(r.WorkerAddress); err != nil {
			wrong("worker_address", "is "+err.Error(), r.WorkerAddress)
		}
	}
	if r.ClientAddress != "" {
		if j.Client, err = validator.ParseAddress(r.ClientAddress); err != nil {
			wrong("client_address", "is "+err.Error(), r.ClientAddress)
		}
	}
	if r.TxHash != "" {
		if j.TxHash, err = validator.ParseFelt(r.TxHash); err != nil {
			wrong("tx_hash", "is "+err.Error(), r.TxHash)
		}
	}
	if r.PaymentAmount != "" {
		wei, err := validator.ParseWei(r.PaymentAmount)
		if err != nil {
			wrong("payment_amount", "is "+err.Error(), r.PaymentAmount)
		}
		j.Payment = &wei
	}
	if r.ExecutionTimeMS != nil {
		d := time.Duration(*r.ExecutionTimeMS) * time.Millisecond
		j.ExecutionTime = &d
		checkExecution(j, wrong)
	}
	if r.BlockNumber != nil {
		n := uint64(*r.BlockNumber)
		j.BlockNumber = &n
	}
	return j
}

// The times that the database believes of a job.
const (
	firstYear = 2000
	lastYear  = 2199
)

// reportedTime reads unix seconds to the microsecond, as exactly as the database keeps them.
func reportedTime(now time.Time, field string, unixSeconds *float64, wrong func(field, rule string, value any)) *time.Time {
	if unixSeconds == nil {
		return nil
	}
	micros := math.Round(*unixSeconds * 1e6)
	at := time.UnixMicro(int64(math.Max(math.Min(micros, math.MaxInt64/2), math.MinInt64/2))).UTC()
	if y := at.Year(); y < firstYear || y > lastYear {
		wrong(field, fmt.Sprintf("must be unix seconds of a time from %d to %d; leave out what is not known", firstYear, lastYear), *unixSeconds)
		return nil
	}
	if at.After(now.Add(clockSkew)) {
		wrong(field, fmt.Sprintf("must be unix seconds at most 5 minutes ahead of the database's clock, which reads %d", now.Unix()), *unixSeconds)
		return nil
	}
	return &at
}

// roundingSlack is how much longer than its times an execution may seem to take, which come in
// whole seconds.
const roundingSlack = time.Second

// checkExecution finds an execution time that does not fit between the times that a report
// tells. What only the row that is there can tell, the database judges.
func checkExecution(j validator.Job, wrong func(field, rule string, value any)) {
	if j.CompletedAt == nil {
		return
	}
	begin, name := j.AssignedAt, "assigned_at"
	if begin == nil && !j.CreatedAt.IsZero() {
		begin, name = &j.CreatedAt, "created_at"
	}
	ms := j.ExecutionTime.Milliseconds()
	switch {
	case begin == nil && j.CompletedAt.Add(-*j.ExecutionTime).Year() < firstYear:
		wrong("execution_time_ms", fmt.Sprintf("must not reach back before the year %d from completed_at", firstYear), ms)
	case begin != nil && *j.ExecutionTime > max(0, j.CompletedAt.Sub(*begin))+roundingSlack:
		wrong("execution_time_ms", fmt.Sprintf("must fit between %s and completed_at, which are %d ms apart", name, j.CompletedAt.Sub(*begin).Milliseconds()), ms)
	}
}

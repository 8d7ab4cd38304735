package validator

import (
	"slices"
	"time"
)

// JobStatus is the state of a job in the jobs table.
type JobStatus string

// The states that the database accepts.
const (
	JobPending   JobStatus = "pending"
	JobAssigned  JobStatus = "assigned"
	JobRunning   JobStatus = "running"
	JobCompleted JobStatus = "completed"
	JobFailed    JobStatus = "failed"
	JobCancelled JobStatus = "cancelled"
	JobTimedOut  JobStatus = "timeout"
)

// JobStatuses lists every state in the order of a job's life.
var JobStatuses = []JobStatus{JobPending, JobAssigned, JobRunning, JobCompleted, JobFailed, JobTimedOut, JobCancelled}

// Valid says whether the database accepts the state.
func (s JobStatus) Valid() bool {
	return slices.Contains(JobStatuses, s)
}

// InProgress says whether a worker holds the job now.
func (s JobStatus) InProgress() bool { return s == JobAssigned || s == JobRunning }

// Failed says whether the job ended without a result through the worker's fault.
func (s JobStatus) Failed() bool { return s == JobFailed || s == JobTimedOut }

// Job is a row of the jobs table. A pointer is nil where the column is NULL.
type Job struct {
	ID            string
	Client        Address // "" if unknown
	Worker        Address // "" while unassigned
	Type          string
	Status        JobStatus
	Payment       *Wei
	CreatedAt     time.Time
	AssignedAt    *time.Time
	CompletedAt   *time.Time
	ExecutionTime *time.Duration
	ResultHash    string
	ErrorMessage  string
	GPUUUID       string
	TxHash        Felt
	BlockNumber   *uint64
	UpdatedAt     *time.Time // when this became so, by the clock of whoever wrote it
	KeptApart     JobFault   // why not all of it is in the sums; "" if all is
	SelfReported  bool       // only the worker itself tells of it: the coordinator has no such job of that worker
	PaidOnChain   bool       // of a self-reported one: the chain's events say the same payment
}

// Unconfirmed reports whether nothing but the worker's own word stands behind the job.
func (j Job) Unconfirmed() bool { return j.SelfReported && !j.PaidOnChain }

// JobFault is why a job, or a part of it, is kept apart from the sums.
type JobFault string

// The faults that the database finds.
const (
	// FaultAhead: a time was more than 5 minutes ahead of the database's clock when the job was
	// written, and has not come since. The job is in no sum.
	FaultAhead JobFault = "ahead"
	// FaultExecution: the execution time is longer than from the job's begin to its end. The job
	// counts, and that time is not summed.
	FaultExecution JobFault = "execution"
)

// JobFaults lists every fault.
var JobFaults = []JobFault{FaultAhead, FaultExecution}

// Words says for people what is wrong and what follows; "" for no fault.
func (f JobFault) Words() string {
	switch f {
	case FaultAhead:
		return "A time is more than 5 minutes ahead of the database's clock, so the job is in no sum until that time has come."
	case FaultExecution:
		return "The execution time is longer than from the job's begin to its end, so it is not summed."
	}
	return ""
}

// EndedAt returns when the job ended, or was submitted if no end is known.
func (j Job) EndedAt() time.Time {
	if j.CompletedAt != nil {
		return *j.CompletedAt
	}
	return j.CreatedAt
}

// Duration is how long the job took, in whole milliseconds: its execution time, else the
// time from its assignment to its end. Lists, their order and averages mean this everywhere;
// in SQL it is job_duration_ms.
func (j Job) Duration() Maybe[time.Duration] {
	switch {
	case j.ExecutionTime != nil:
		return Some(*j.ExecutionTime)
	case j.AssignedAt != nil && j.CompletedAt != nil && !j.CompletedAt.Before(*j.AssignedAt):
		return Some(j.CompletedAt.Sub(*j.AssignedAt).Round(time.Millisecond))
	}
	return None[time.Duration]("not recorded")
}

// JobCounts counts a worker's jobs by outcome.
type JobCounts struct {
	Total, Completed, Failed, InProgress, Pending, Cancelled int64
	Last24h, Last7d                                          int64 // submitted in Window24h and Window7d
	AverageCompletion                                        *time.Duration
	LastCompletedAt                                          *time.Time     // nil: none was ever completed
	ByType                                                   []JobTypeCount // most first
	Each                                                     []JobKindCount // in no order; kinds without a job are left out
	KeptApart                                                map[JobFault]int64
	SelfReported                                             int64 // of Total: only the worker itself says so
}

// MostKeptApart is how many jobs that are kept apart JobCounts counts at most: that many and one
// more stand for more.
const MostKeptApart = 1000

// JobKindCount counts the jobs of one type in one state.
type JobKindCount struct {
	Type   string
	Status JobStatus
	Count  int64
}

// Of counts the jobs of a state and a type; "" stands for any.
func (c JobCounts) Of(status JobStatus, jobType string) int64 {
	var n int64
	for _, k := range c.Each {
		if (status == "" || k.Status == status) && (jobType == "" || k.Type == jobType) {
			n += k.Count
		}
	}
	return n
}

// JobDay counts the jobs of one type that ended in one state on a UTC day, or were
// submitted on it and have not ended.
type JobDay struct {
	Day       time.Time
	Type      string
	Status    JobStatus
	Count     int64
	Execution ComputeTime // sum of the execution times that are known
}

// JobTypeCount counts the jobs of one type.
type JobTypeCount struct {
	Type  string
	Count int64
}

// SuccessPercent is completed / (completed + failed) · 100, missing while no job has ended.
func (c JobCounts) SuccessPercent() Maybe[float64] {
	ended := c.Completed + c.Failed
	if ended == 0 {
		return None[float64]("no job has ended yet")
	}
	return Some(float64(c.Completed) / float64(ended) * 100)
}

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
	Last24h, Last7d                                          int64 // submitted in that time
	AverageCompletion                                        *time.Duration
	LastCompletedAt                                          *time.Time     // nil: none was ever completed
	ByType                                                   []JobTypeCount // most first
	Each                                                     []JobKindCount // in no order; kinds without a job are left out
}

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

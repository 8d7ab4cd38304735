package history

import (
	"strconv"
	"time"
)

// The ids of jobs are decimal numbers that rise with the time of submission.
const (
	firstJobID   = 1_000_000
	jobIDSeconds = 20 // of the network's time between two numbers
)

// JobIDAt is the first number for a job submitted at a time.
func (s Story) JobIDAt(t time.Time) int64 {
	return firstJobID + int64(t.Sub(s.start())/time.Second)/jobIDSeconds
}

// submittedAs is when a job of some id was submitted, false if the id is no such number.
func (s Story) submittedAs(id string) (time.Time, bool) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n < firstJobID || n > s.JobIDAt(s.Now) {
		return time.Time{}, false
	}
	return s.start().Add(time.Duration(n-firstJobID) * jobIDSeconds * time.Second), true
}

// number gives each job without one an id of its own. The jobs are in order of submission.
func (s Story) number(jobs []task) {
	taken := map[int64]bool{}
	for _, x := range s.Slashes {
		if n, err := strconv.ParseInt(x.JobID, 10, 64); err == nil {
			taken[n] = true
		}
	}
	newest := int64(0)
	for i := range jobs {
		if jobs[i].ID != "" {
			continue
		}
		newest = max(newest+1, s.JobIDAt(jobs[i].CreatedAt))
		for taken[newest] {
			newest++
		}
		jobs[i].ID = strconv.FormatInt(newest, 10)
	}
}

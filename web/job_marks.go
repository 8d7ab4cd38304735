package web

import (
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// jobMarks say what is to be known of a job's row itself.
func jobMarks(j validator.Job) []views.Tag {
	var marks []views.Tag
	if j.KeptApart != "" {
		marks = append(marks, views.Tag{Text: "kept apart", Tone: views.ToneWarn, Icon: "warn", Title: j.KeptApart.Words()})
	}
	return marks
}

// apartText is how many jobs are kept apart for a reason, in words where nobody counts on.
func apartText(n int64) string {
	if n > validator.MostKeptApart {
		return "more than " + integer(int64(validator.MostKeptApart))
	}
	return integer(n)
}

// apartNotes say which jobs are not in the counts and sums, or not with all that they tell.
func apartNotes(c validator.JobCounts) []string {
	var notes []string
	if n := c.KeptApart[validator.FaultAhead]; n > 0 {
		notes = append(notes, "Kept apart: "+apartText(n)+" with a time more than 5 minutes ahead of the database's clock. They are in no count and no sum until that time has come.")
	}
	if n := c.KeptApart[validator.FaultExecution]; n > 0 {
		notes = append(notes, "Kept apart: the execution times of "+apartText(n)+", which are longer than from the job's begin to its end. They are not summed.")
	}
	return notes
}

package web

import (
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// jobMarks say what is to be known of a job's row itself.
func jobMarks(j validator.Job) []views.Tag {
	marks := reportMarks(j.SelfReported, j.PaidOnChain)
	if j.KeptApart != "" {
		marks = append(marks, views.Tag{Text: "kept apart", Tone: views.ToneWarn, Icon: "warn", Title: j.KeptApart.Words()})
	}
	return marks
}

// selfReportedNote says what is to be thought of a job that only its worker tells of.
const selfReportedNote = "Only this wallet's own reports say so. The coordinator's database has no such job of this wallet, and the chain no such payment. It enters no figure of the network until one of them says the same."

// reportMarks say of a job who tells of it, where that is its worker.
func reportMarks(selfReported, paidOnChain bool) []views.Tag {
	switch {
	case selfReported && paidOnChain:
		return []views.Tag{{Text: "self-reported, paid on chain", Tone: views.TonePlain, Icon: "info", Title: "This wallet's own report. The chain's events have the same payment."}}
	case selfReported:
		return []views.Tag{{Text: "self-reported", Tone: views.TonePlain, Icon: "info", Title: selfReportedNote}}
	}
	return nil
}

// apartText is how many jobs are kept apart for a reason, in words where nobody counts on.
func apartText(n int64) string {
	if n > validator.MostKeptApart {
		return "more than " + integer(int64(validator.MostKeptApart))
	}
	return integer(n)
}

// countNotes say which jobs only the wallet tells of, and which are not in the counts and sums,
// or not with all that they tell.
func countNotes(c validator.JobCounts) []string {
	var notes []string
	if c.SelfReported > 0 {
		notes = append(notes, "Self-reported: "+integer(c.SelfReported)+" of these jobs. "+selfReportedNote)
	}
	if n := c.KeptApart[validator.FaultAhead]; n > 0 {
		notes = append(notes, "Kept apart: "+apartText(n)+" with a time more than 5 minutes ahead of the database's clock. They are in no count and no sum until that time has come.")
	}
	if n := c.KeptApart[validator.FaultExecution]; n > 0 {
		notes = append(notes, "Kept apart: the execution times of "+apartText(n)+", which are longer than from the job's begin to its end. They are not summed.")
	}
	return notes
}

package web

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

func statusWords(s validator.JobStatus) string {
	if s == validator.JobTimedOut {
		return "timed out"
	}
	return string(s)
}

// jobSearch is the form above a list of jobs.
func (s *Server) jobSearch(r jobListRead, wallet validator.Address, q jobQuery) views.JobSearch {
	m := views.JobSearch{
		Text: q.text, Field: paramText, TypeField: paramKind, TextLimit: fmt.Sprint(longestText),
		Hint: "Finds jobs whose identifier begins with the text, and failed or timed out ones whose error message holds it.",
	}
	// What the form does not ask for stays as it is.
	kept := jobQuery{status: q.status}.values()
	if wallet != s.validatorAddress {
		kept.Set("wallet", string(wallet))
	}
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		m.Hidden = append(m.Hidden, views.HiddenField{Name: name, Value: kept.Get(name)})
	}
	counts := r.counts.Or(validator.JobCounts{})
	m.Types = append(m.Types, views.Choice{Label: "All types", Current: q.kind == ""})
	listed := q.kind == ""
	for _, t := range counts.ByType {
		if t.Type == "" { // a type that nobody named cannot be asked for
			continue
		}
		listed = listed || t.Type == q.kind
		m.Types = append(m.Types, views.Choice{Value: t.Type, Label: fmt.Sprintf("%s (%s)", t.Type, integer(t.Count)), Current: t.Type == q.kind})
	}
	if !listed {
		m.Types = append(m.Types, views.Choice{Value: q.kind, Label: q.kind, Current: true})
	}
	if q.narrowed() {
		m.ClearURL = s.jobsURL(wallet, jobQuery{})
	}
	m.More = views.MoreFilters{
		Open:  q.hasMore(),
		Texts: []views.TextField{{ID: "job-gpu", Name: paramGPU, Label: "GPU's UUID", Value: q.gpu, Type: "text"}, {ID: "job-client", Name: paramClient, Label: "Client's address", Value: string(q.client), Type: "text"}, {ID: "job-from", Name: paramFrom, Label: "Submitted from (UTC)", Value: q.from, Type: "date"}, {ID: "job-to", Name: paramTo, Label: "to, that day included", Value: q.to, Type: "date"}},
		Order: paramOrder,
	}
	for _, o := range jobOrders() {
		m.More.Orders = append(m.More.Orders, views.Choice{Value: o.name, Label: o.label, Current: o == q.sorted()})
	}
	return m
}

// jobList is a page of jobs. The newest of all follow the database; other pages stand
// still, so that nothing moves while they are read.
func (s *Server) jobList(r jobListRead, wallet validator.Address, q jobQuery) views.JobList {
	now := s.now()
	m := views.JobList{Panel: views.Panel{ID: "joblist"}, Heading: jobListHeading(q), Notice: staleNotice(now, r.state), States: s.jobStates(r, wallet, q)}
	if q == (jobQuery{}) {
		m.Panel = panel("joblist", everyJobs, wallet)
	}
	m.Panel.Stale = m.Notice != nil
	jobs, known := r.jobs.Get()
	if !known {
		m.Empty, m.Notice = &views.Empty{Icon: "database", Tone: toneOf(r.state.Health), Title: "Jobs unknown", Text: validator.Sentence(r.jobs.Reason())}, nil
		return m
	}
	m.Rows, m.Heads, m.Notes = s.jobRows(jobs, wallet, now), s.jobHeads(wallet, q), countNotes(r.counts.Or(validator.JobCounts{}))
	if note := sortNote(r, now); note != "" {
		m.Notes = append(m.Notes, note)
	}
	if len(jobs) == 0 {
		m.Empty = noJobs(q)
		if !q.isFirst() {
			m.Newest, m.FirstLabel = s.jobsURL(wallet, q.first()), "Beginning"
		}
		return m
	}
	m.Export = []views.Link{{Text: "CSV", URL: s.exportURL(wallet, q, formatCSV)}, {Text: "NDJSON", URL: s.exportURL(wallet, q, formatNDJSON)}}
	switch o := q.sorted(); {
	case o.sort != db.SortSubmitted:
		m.FirstLabel, m.BackLabel, m.OnLabel = "First", "Previous", "Next"
	case o.ascending:
		m.FirstLabel, m.BackLabel, m.OnLabel = "Oldest", "Older", "Newer"
	default:
		m.FirstLabel, m.BackLabel, m.OnLabel = "Newest", "Newer", "Older"
	}
	if !q.isFirst() {
		m.Newest, m.Newer = s.jobsURL(wallet, q.first()), s.jobsURL(wallet, q.endingAbove(jobs[0]))
	}
	if r.more || !q.after.IsZero() {
		m.Older = s.jobsURL(wallet, q.startingBelow(jobs[len(jobs)-1]))
	}
	return m
}

// jobHeads are the columns' heads that lead to the same jobs in another order: the other way
// round for the column that the list is sorted by, else from the top down.
func (s *Server) jobHeads(wallet validator.Address, q jobQuery) *views.JobHeads {
	head := func(label string, by db.JobSort) views.SortHead {
		h, now := views.SortHead{Label: label}, q.sorted()
		for _, o := range jobOrders() {
			if o.sort == by && o != now && (now.sort == by || !o.ascending) {
				h.URL, h.Next = s.jobsURL(wallet, q.inOrder(o)), strings.ToLower(o.label[:1])+o.label[1:]
			}
		}
		if now.sort == by {
			h.Sort, h.Icon = "descending", "arrow-down"
			if now.ascending {
				h.Sort, h.Icon = "ascending", "arrow-up"
			}
		}
		return h
	}
	return &views.JobHeads{Submitted: head("Submitted", db.SortSubmitted), Duration: head("Duration", db.SortDuration), Reward: head("Reward", db.SortPayment)}
}

// sortNote says which jobs a list leaves out that is sorted by reward or duration, "" if none.
func sortNote(r jobListRead, now time.Time) string {
	before := r.unsorted.Or(nil)
	if before == nil {
		return ""
	}
	return fmt.Sprintf("These filters let through more than %s jobs. Sorted are the newest %[1]s, submitted after %s; a time before that sorts others. The files hold all of them, the newest first.",
		integer(int64(db.MaxSorted)), moment(now, *before).UTC)
}

func jobListHeading(q jobQuery) string {
	switch o := q.sorted(); {
	case o.sort == db.SortPayment && o.ascending:
		return "Jobs by reward, the lowest first"
	case o.sort == db.SortPayment:
		return "Jobs by reward, the highest first"
	case o.sort == db.SortDuration && o.ascending:
		return "Jobs by duration, the shortest first"
	case o.sort == db.SortDuration:
		return "Jobs by duration, the longest first"
	case o.ascending && q.isFirst():
		return "Oldest of these jobs"
	case o.ascending:
		return "Newer jobs"
	case !q.isFirst():
		return "Older jobs"
	case q.narrowed():
		return "Newest of these jobs"
	}
	return "Newest jobs"
}

// jobStates are the states to choose from, with how many jobs are in each where the totals
// tell that: what is searched for is not counted.
func (s *Server) jobStates(r jobListRead, wallet validator.Address, q jobQuery) []views.CountedTab {
	counts, known := r.counts.Get()
	tab := func(label string, status validator.JobStatus) views.CountedTab {
		t := views.CountedTab{Tab: views.Tab{Label: label, URL: s.jobsURL(wallet, q.ofStatus(status)), Current: q.status == status}}
		if known && q.isCounted() {
			t.Count = integer(counts.Of(status, q.kind))
		}
		return t
	}
	tabs := []views.CountedTab{tab("All", "")}
	for _, status := range validator.JobStatuses {
		tabs = append(tabs, tab(capital(statusWords(status)), status))
	}
	return tabs
}

// noJobs says why a list is empty and what to do.
func noJobs(q jobQuery) *views.Empty {
	m := &views.Empty{Icon: "briefcase", Tone: views.TonePlain}
	switch {
	case !q.isFirst() && q.sorted().sort != db.SortSubmitted:
		m.Title, m.Text = "No more jobs", "The list ends here."
	case !q.isFirst() && q.sorted().ascending:
		m.Title, m.Text = "No newer jobs", "The list ends here."
	case !q.isFirst():
		m.Title, m.Text = "No older jobs", "The list ends here."
	case q.text != "":
		m.Title, m.Text = "Nothing found", "No identifier begins with “"+q.text+"”, and no failed job's error message holds it. Search for fewer characters, or for another state or type."
	case q.narrowed():
		m.Title, m.Text = "No job like this", "This wallet has no job that all of these filters let through. Choose others, or show all."
	default:
		m.Title, m.Text = "No job yet", "Jobs that the network assigns to this wallet appear here by themselves. The dashboard's checklist says what keeps a worker from getting any."
	}
	return m
}

// rowErrorLength is how much of an error message a list shows; the job's page has all.
const rowErrorLength = 120

// jobRows is a list of jobs as every list of them shows it.
func (s *Server) jobRows(jobs []validator.Job, wallet validator.Address, now time.Time) []views.JobRow {
	rows := make([]views.JobRow, 0, len(jobs))
	for _, j := range jobs {
		rows = append(rows, views.JobRow{
			ID: j.ID, Link: *s.jobLink(j.ID, wallet), Type: j.Type, Status: jobTag(j.Status), Marks: jobMarks(j), Submitted: moment(now, j.CreatedAt),
			Duration: show(j.Duration(), "", durationText), Reward: jobPayment(j), Error: beginning(j.ErrorMessage, rowErrorLength),
		})
	}
	return rows
}

func jobPayment(j validator.Job) views.Amount {
	if j.Payment == nil {
		return views.Amount{Reason: "No payment is recorded."}
	}
	return showWei(*j.Payment)
}

// beginning cuts a text after some characters.
func beginning(text string, length int) string {
	for i := range text {
		if length--; length < 0 {
			return text[:i] + "…"
		}
	}
	return text
}

// jobDetail is all that is known of a job.
func (s *Server) jobDetail(ctx context.Context, r jobRead, wallet validator.Address) views.JobDetail {
	j, now := r.job, s.now()
	at := url.Values{"wallet": {string(wallet)}, "id": {j.ID}}
	m := views.JobDetail{
		Panel:  views.Panel{ID: "job", URL: "/partials/job?" + at.Encode(), Every: everyJobs},
		Notice: staleNotice(now, r.state),
		Status: jobTag(j.Status), Timeline: jobTimeline(j, now), Payment: jobPayment(j), Error: j.ErrorMessage,
	}
	m.Panel.Stale = m.Notice != nil
	m.OnChain = s.jobOnChain(ctx, j, wallet)
	text := func(s string) views.Value {
		if s == "" {
			return views.Value{Reason: "Not recorded."}
		}
		return views.Value{Text: s}
	}
	fact := func(label, full string, shown views.Link) views.JobFact {
		f := views.JobFact{Label: label, Copy: full, Link: shown}
		if full == "" {
			f.Value = text("")
		}
		return f
	}
	client := views.Link{Text: j.Client.Abbreviated(), Title: string(j.Client), URL: s.explorer("contract", string(j.Client))}
	m.Facts = []views.JobFact{
		{Label: "Type", Value: text(j.Type)},
		{Label: "Duration", Value: jobDuration(j)},
		fact("GPU", j.GPUUUID, views.Link{Text: j.GPUUUID, URL: s.gpuURL(j.GPUUUID, wallet)}),
		fact("Client", string(j.Client), client),
		fact("Transaction", string(j.TxHash), s.txLink(j.TxHash)),
		s.blockFact(j),
		fact("Result hash", j.ResultHash, views.Link{Text: j.ResultHash}),
	}
	if j.SelfReported {
		mark := reportMarks(true, j.PaidOnChain)[0]
		m.Facts = append(m.Facts, views.JobFact{Label: "Reported by", Value: views.Value{Text: "this wallet itself. " + mark.Title}})
	}
	if j.KeptApart != "" {
		m.Facts = append(m.Facts, views.JobFact{Label: "Kept apart", Value: views.Value{Text: j.KeptApart.Words()}})
	}
	if j.Status.Failed() {
		m.Facts = append(m.Facts, s.slashFact(ctx, j, wallet))
	}
	return m
}

// slashFact says whether the stake was slashed for a job.
func (s *Server) slashFact(ctx context.Context, j validator.Job, wallet validator.Address) views.JobFact {
	f := views.JobFact{Label: "Slashed for it"}
	seen := s.chain.WalletSnapshot(ctx, wallet)
	events, known := seen.StakeEvents.Get()
	for _, e := range events {
		if e.Kind == validator.StakeEventSlashed && jobKey(contractJobID(e.JobID)) == jobKey(j.ID) {
			f.Link = s.slashLink(e, events, wallet)
			f.Link.Text = showWei(e.Amount).Text + " SAGE, " + e.Reason.String()
			return f
		}
	}
	switch {
	case !known:
		f.Value.Reason = validator.Sentence(seen.StakeEvents.Reason())
	case seen.StakeEventsQuery.Outdated:
		f.Value.Reason = "The newest events of the stake are being read."
	case seen.StakeEventsQuery.Omitted > 0:
		f.Value.Reason = "Not in the newest events of the stake; older ones are not kept."
	default:
		f.Value.Text = "not up to block " + integer(seen.Block.Number)
	}
	return f
}

func (s *Server) blockFact(j validator.Job) views.JobFact {
	if j.BlockNumber == nil {
		return views.JobFact{Label: "Block", Value: views.Value{Reason: "Not recorded."}}
	}
	return views.JobFact{Label: "Block", Link: views.Link{Text: integer(*j.BlockNumber), URL: s.explorer("block", fmt.Sprint(*j.BlockNumber))}}
}

// jobDuration shows how long a job took, and in its title from what that is known.
func jobDuration(j validator.Job) views.Value {
	d, known := j.Duration().Get()
	switch {
	case known && j.ExecutionTime != nil:
		return views.Value{Text: lengthText(d), Title: integer(d.Milliseconds()) + " ms of execution"}
	case known:
		return views.Value{Text: lengthText(d), Title: integer(d.Milliseconds()) + " ms from assignment to completion: the execution time is not recorded"}
	case j.CompletedAt == nil:
		return views.Value{Reason: "The job has not ended."}
	}
	return views.Value{Reason: "Not recorded."}
}

// jobTimeline is what happened to a job and how long each step took.
func jobTimeline(j validator.Job, now time.Time) []views.TimelineStep {
	steps := []views.TimelineStep{{Title: "Submitted", Tone: views.ToneGood, Icon: "good", When: momentOf(now, j.CreatedAt)}}
	last := j.CreatedAt
	switch {
	case j.AssignedAt != nil:
		steps = append(steps, views.TimelineStep{Title: "Assigned", Tone: views.ToneGood, Icon: "good", When: momentOf(now, *j.AssignedAt), After: between(last, *j.AssignedAt)})
		last = *j.AssignedAt
	case j.Status == validator.JobPending:
		return append(steps, views.TimelineStep{Title: "Waits for a worker", Tone: views.TonePlain, Icon: "clock"})
	case j.Status != validator.JobCancelled: // which can happen before
		steps = append(steps, views.TimelineStep{Title: "Assigned", Tone: views.ToneUnknown, Icon: "unknown", Note: "When is not recorded."})
	}
	end := views.TimelineStep{Title: capital(statusWords(j.Status)), Tone: jobTag(j.Status).Tone, Icon: jobTag(j.Status).Icon}
	switch {
	case j.CompletedAt != nil:
		end.When, end.After = momentOf(now, *j.CompletedAt), between(last, *j.CompletedAt)
	case j.Status == validator.JobAssigned: // the step before says so
		end = views.TimelineStep{Title: "Not started yet", Tone: views.TonePlain, Icon: "clock"}
	case j.Status != validator.JobRunning && j.Status != validator.JobPending:
		end.Note = "When is not recorded."
	}
	return append(steps, end)
}

// between says how long after one step the next came.
func between(from, to time.Time) string {
	if to.Before(from) {
		return "earlier than the step before: the clocks that wrote these times disagree"
	}
	return "after " + lengthText(to.Sub(from))
}

// lengthText says a length of time in all its units: "1 d 2 h 3 min 4 s"; below a minute
// with its milliseconds.
func lengthText(d time.Duration) string {
	if d < time.Minute {
		return durationText(d)
	}
	var parts []string
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if n := d / u.unit; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, u.name))
		}
		d %= u.unit
	}
	return strings.Join(parts, " ")
}

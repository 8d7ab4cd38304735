package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// A job's page shows its card while the job ran, with some time before and after it. Samples
// of a job that ended lately may still arrive.
const (
	jobCardSettled  = 15 * time.Minute
	leastAroundJob  = 2 * time.Minute
	mostAroundJob   = time.Hour
	mostStepsOfJob  = 150
	fewestStepsMeet = 3 // with fewer, the sums of hours may tell more
)

// jobCardSteps are how far apart two points of the charts may be.
var jobCardSteps = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour} //nolint:gochecknoglobals // a table

// jobCard is what is known of a job's card while the job ran.
type jobCard struct {
	job      validator.Job
	from, to time.Time // of the charts
	step     time.Duration
	now      time.Time
	card     validator.GPU // as it is now; the zero GPU if it is not known any more
	steps    validator.Maybe[[]validator.GPUStep]
	spans    validator.Maybe[[]validator.ThrottleSpan]
	events   validator.Maybe[[]validator.GPUEvent]
	state    validator.SourceState
}

// begin is when the job began on its card, as far as that is recorded.
func (c jobCard) begin() time.Time {
	if c.job.AssignedAt != nil {
		return *c.job.AssignedAt
	}
	return c.job.CreatedAt
}

// window sets from, to and step around the time of the job.
func (c *jobCard) window() {
	end := c.now
	if c.job.CompletedAt != nil {
		end = *c.job.CompletedAt
	}
	around := min(max(end.Sub(c.begin())/10, leastAroundJob), mostAroundJob)
	c.from, c.to = c.begin().Add(-around), minTime(end.Add(around), c.now)
	for _, c.step = range jobCardSteps {
		if c.to.Sub(c.from)/c.step <= mostStepsOfJob {
			break
		}
	}
	c.from, c.to = validator.StepStart(c.from, c.step), validator.StepStart(c.to, c.step).Add(c.step)
}

// readJobCard gathers the card's readings, from this server's memory where it reaches that far.
func (s *Server) readJobCard(ctx context.Context, j validator.Job, wallet validator.Address) (c jobCard) {
	c = jobCard{job: j, now: s.now()}
	asked := s.reads(ctx)
	defer func() { c.state = asked.State() }()
	c.window()
	local := false
	for _, m := range s.fleet(ctx, wallet).members {
		if m.GPU.UUID == j.GPUUUID {
			c.card, local = m.GPU, m.WorkerID == ""
		}
	}
	read := func(step time.Duration) validator.Maybe[[]validator.GPUStep] {
		from, to := validator.StepStart(c.from, step), validator.StepStart(c.to, step).Add(step)
		return asked.GPUStepsBetween(ctx, wallet, j.GPUUUID, from, to, step)
	}
	if local && c.now.Sub(c.from) < memoryReach {
		c.steps = validator.Some(validator.GPUSteps(s.gpus.History(j.GPUUUID, c.from), c.step))
	}
	if len(c.steps.Or(nil)) < fewestStepsMeet {
		c.steps = read(c.step)
	}
	if c.step < evidenceStepSums && c.steps.Known() && len(c.steps.Or(nil)) < fewestStepsMeet {
		if sums := read(evidenceStepSums); len(sums.Or(nil)) > len(c.steps.Or(nil)) {
			c.steps, c.step = sums, evidenceStepSums
			c.from, c.to = validator.StepStart(c.from, c.step), validator.StepStart(c.to, c.step).Add(c.step)
		}
	}
	c.spans = asked.GPUThrottlesBetween(ctx, wallet, j.GPUUUID, c.from, c.to)
	c.events = asked.GPUEventsBetween(ctx, wallet, j.GPUUUID, c.from, c.to)
	return c
}

// newJobCard shows the card of a job for the job's time, or says why it cannot.
func (s *Server) newJobCard(ctx context.Context, j validator.Job, wallet validator.Address) views.JobCardPanel {
	m := views.JobCardPanel{Panel: views.Panel{ID: "job-card"}}
	if j.CompletedAt == nil && !j.Status.Failed() || j.CompletedAt != nil && s.now().Sub(*j.CompletedAt) < jobCardSettled {
		at := url.Values{paramWallet: {string(wallet)}, paramJob: {j.ID}}
		m.Panel.URL, m.Panel.Every = "/partials/job-card?"+at.Encode(), everyJobCard
	}
	switch {
	case j.GPUUUID == "":
		m.Note = "Nothing says on which card the job runs or ran."
		return m
	case j.Status == validator.JobPending:
		m.Note = "The job has not started."
		return m
	case j.CompletedAt == nil && j.Status != validator.JobRunning && j.Status != validator.JobAssigned:
		m.Note = "When the job ended is not recorded, so no time of the card belongs to it."
		return m
	}
	c := s.readJobCard(ctx, j, wallet)
	m.Notice = staleNotice(c.now, c.state)
	m.Panel.Stale = m.Notice != nil
	shown, gaps := withGaps(c.steps.Or(nil), c.step, c.from, c.to)
	switch {
	case !c.steps.Known():
		m.Note, m.Notice, m.Panel.Stale = "Its samples cannot be read now: "+validator.Sentence(c.steps.Reason()), nil, false
		return m
	case len(shown) == 0:
		m.Note = "No sample of the card is kept of the job's time."
		return m
	}
	m.Note = "Each point is the mean of " + stepWords(c.step) + ", from a while before the job to a while after it."
	m.Charts = &views.ChartGroup{
		ID: "job-history", Title: "The card during the job", Charts: gpuCharts(c.card, shown),
		ChartSheet: views.ChartSheet{Heading: "From (UTC)", X: chartTimes(shown), From: unixText(c.from), To: unixText(c.to), Marks: c.marks(gaps)},
	}
	return m
}

// marks are what happened in the charts' time, the job's own first.
func (c jobCard) marks(gaps []gap) []views.ChartMark {
	ran := views.ChartMark{At: moment(c.now, c.begin()), Label: "The job ran", Tone: views.TonePlain, Icon: "activity"}
	switch {
	case c.job.Status.Failed():
		ran.Label, ran.Tone, ran.Icon = "The job ran and "+map[bool]string{true: "timed out", false: "failed"}[c.job.Status == validator.JobTimedOut], views.ToneBad, "bad"
	case c.job.CompletedAt == nil:
		ran.Label = "The job runs"
	}
	if c.job.AssignedAt == nil {
		ran.Label += ", from its submission: when it was assigned is not recorded"
	}
	if c.job.CompletedAt != nil {
		ran.Until = momentOf(c.now, *c.job.CompletedAt)
	}
	out := []views.ChartMark{ran}
	for _, x := range validator.XIDs(c.events.Or(nil)) {
		out = append(out, xidMark(c.now, x))
	}
	for _, x := range throttleGroups(c.spans.Or(nil), c.now, 0) {
		out = append(out, x.mark(c.now))
	}
	for _, x := range gaps {
		out = append(out, views.ChartMark{At: moment(c.now, x.from), Until: momentOf(c.now, x.to), Label: "No reading for " + validator.Ago(minTime(x.to, c.now).Sub(x.from)), Tone: views.ToneUnknown, Icon: "unknown"})
	}
	return out[:min(len(out), marksShown)]
}

// partialJobCard answers the polls of a job's card.
func (s *Server) partialJobCard(c echo.Context) error {
	wallet, r, err := s.jobAsked(c, c.QueryParam(paramJob))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, views.JobCard(s.newJobCard(c.Request().Context(), r.job, wallet)))
}

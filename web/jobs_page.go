package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// jobsOnPage is how many jobs a page of the list has.
const jobsOnPage = 50

// jobsURL leads to a list of a wallet's jobs.
func (s *Server) jobsURL(wallet validator.Address, q jobQuery) string {
	v := q.values()
	if wallet != s.validatorAddress {
		v.Set("wallet", string(wallet))
	}
	if len(v) == 0 {
		return "/jobs"
	}
	return "/jobs?" + v.Encode()
}

// jobLink leads to a job's own page.
func (s *Server) jobLink(id string, wallet validator.Address) *views.Link {
	l := &views.Link{Text: abbreviated(id), URL: "/jobs/" + url.PathEscape(id) + s.walletQuery(wallet)}
	if l.Text != id {
		l.Title = id
	}
	return l
}

// jobListRead is a page of a list with what stands around it.
type jobListRead struct {
	jobs validator.Maybe[[]validator.Job] // in the list's order
	more bool                             // there are others in the direction that was looked in
	// Jobs of this time and before are not in the list; see db.MaxSorted. nil: all are.
	unsorted validator.Maybe[*time.Time]
	counts   validator.Maybe[validator.JobCounts]
	state    validator.SourceState
}

func (s *Server) readJobList(ctx context.Context, wallet validator.Address, q jobQuery) jobListRead {
	var r jobListRead
	asked := s.reads(ctx)
	var all sync.WaitGroup
	all.Go(func() { r.counts = asked.JobCounts(ctx, wallet) })
	all.Go(func() {
		// One more than the page shows tells whether there are others.
		r.jobs = asked.Jobs(ctx, wallet, q.filter(jobsOnPage+1))
	})
	all.Go(func() {
		r.unsorted = asked.FirstUnsorted(ctx, wallet, q.filter(0))
	})
	all.Wait()
	r.state = asked.State()
	if list := r.jobs.Or(nil); len(list) > jobsOnPage {
		r.more = true
		if q.after.IsZero() {
			r.jobs = validator.Some(list[:jobsOnPage])
		} else {
			r.jobs = validator.Some(list[len(list)-jobsOnPage:])
		}
	}
	return r
}

func (s *Server) jobsPage(c echo.Context) error {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return err
	}
	if wallet == "" {
		return c.Redirect(http.StatusFound, "/?choose=1")
	}
	q, err := parseJobQuery(c.QueryParams())
	if err != nil {
		return err
	}
	r := s.readJobList(c.Request().Context(), wallet, q)
	if r.jobs.Known() && !q.after.IsZero() && !r.more {
		// The top of the list is reached: its own page is full, and live.
		return c.Redirect(http.StatusSeeOther, s.jobsURL(wallet, q.first()))
	}
	return s.render(c, http.StatusOK, views.AllJobs(views.JobsPage{
		Page:   s.page(c.Request(), "Jobs · "+wallet.Abbreviated(), "jobs", wallet),
		Search: s.jobSearch(r, wallet, q),
		List:   s.jobList(r, wallet, q),
	}))
}

// partialJobList answers the polls of the newest jobs of all.
func (s *Server) partialJobList(c echo.Context) error {
	return s.partial(c, func(wallet validator.Address) templ.Component {
		return views.JobListPanel(s.jobList(s.readJobList(c.Request().Context(), wallet, jobQuery{}), wallet, jobQuery{}))
	})
}

func (s *Server) jobPage(c echo.Context) error {
	wallet, r, err := s.jobAsked(c, pathParam(c, "id"))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, views.OneJob(views.JobPage{
		Page:   s.page(c.Request(), "Job "+abbreviated(r.job.ID), "jobs", wallet),
		ID:     r.job.ID,
		AllURL: s.jobsURL(wallet, jobQuery{}),
		Detail: s.jobDetail(c.Request().Context(), r, wallet),
		Card:   s.newJobCard(c.Request().Context(), r.job, wallet),
	}))
}

// partialJob answers the polls of a job's page.
func (s *Server) partialJob(c echo.Context) error {
	wallet, r, err := s.jobAsked(c, c.QueryParam(paramJob))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, views.JobDetailPanel(s.jobDetail(c.Request().Context(), r, wallet)))
}

// jobRead is a job as the database has it.
type jobRead struct {
	job   validator.Job
	state validator.SourceState
}

// jobAsked reads the job that a request is about. Another wallet's is as unknown as one
// that never was.
func (s *Server) jobAsked(c echo.Context, id string) (validator.Address, jobRead, error) {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return "", jobRead{}, err
	}
	if wallet == "" {
		return "", jobRead{}, badField("query.wallet", "is missing: name the wallet that the job was done for", nil)
	}
	ctx := c.Request().Context()
	asked := s.reads(ctx)
	found := asked.Job(ctx, wallet, id)
	j, known := found.Get()
	switch {
	case !known:
		return "", jobRead{}, newProblem(http.StatusServiceUnavailable, "This job cannot be read now: "+validator.Sentence(found.Reason()))
	case j == nil:
		return "", jobRead{}, newProblem(http.StatusNotFound, fmt.Sprintf("No job of this wallet (%s) has that identifier. The list of jobs finds identifiers by their beginning.", wallet.Abbreviated()))
	}
	return wallet, jobRead{*j, asked.State()}, nil
}

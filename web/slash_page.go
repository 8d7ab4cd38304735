package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// How much of the time around a slash is shown: of the card by the minute, or by the hour
// where only sums are left, and of the heartbeats.
const (
	evidenceReach     = time.Hour
	evidenceStep      = time.Minute
	evidenceReachSums = 12 * time.Hour
	evidenceStepSums  = time.Hour
	uptimeAround      = 30 * time.Minute
)

// slashPath is the route of a slash's page.
const slashPath = "/stake/slash/:tx/:place"

// slashURL leads to the page of a slash: its place is among the wallet's slashes of the
// same transaction.
func (s *Server) slashURL(tx validator.Felt, place int, wallet validator.Address) string {
	return fmt.Sprintf("/stake/slash/%s/%d%s", tx.Short(), place, s.walletQuery(wallet))
}

// slashLink leads to the page of a slash among events, newest first.
func (s *Server) slashLink(e validator.StakeEvent, events []validator.StakeEvent, wallet validator.Address) views.Link {
	place := -1
	for _, x := range slices.Backward(events) {
		if x.Kind != validator.StakeEventSlashed || x.TxHash != e.TxHash {
			continue
		}
		if place++; x == e {
			return views.Link{Text: "Why?", Title: "What is known of the job, the card and the heartbeats at that time", URL: s.slashURL(e.TxHash, place, wallet)}
		}
	}
	return views.Link{}
}

// slashRead is a slash with the evidence of its time.
type slashRead struct {
	picture validator.Picture
	slash   validator.StakeEvent
	events  []validator.StakeEvent // of the stake, newest first; nil if the chain does not tell them now
	jobID   string                 // in decimal

	job        validator.Maybe[*validator.Job] // nil: the database has none
	steps      validator.Maybe[[]validator.GPUStep]
	cardEvents validator.Maybe[[]validator.GPUEvent]     // of the card, around the slash
	spans      validator.Maybe[[]validator.ThrottleSpan] // in which it was slowed
	step       time.Duration
	reach      time.Duration
	first      validator.Maybe[time.Time] // since when anything is kept of the card; zero: nothing is
	uptime     validator.Maybe[validator.Uptime]
	gpu        *validator.GPU // as it is known now
	present    bool           // the card has a page
}

func (s *Server) slashPage(c echo.Context) error {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return err
	}
	if wallet == "" {
		return badField("query.wallet", "is missing: name the wallet that was slashed", nil)
	}
	tx, err := validator.ParseFelt(c.Param("tx"))
	if err != nil {
		return badField("path.tx", "must be a transaction's hash, 0x and up to 64 hex digits", c.Param("tx"))
	}
	place, err := strconv.Atoi(c.Param("place"))
	if err != nil || place < 0 {
		return badField("path.place", "must be the number of the slash in its transaction, from 0", c.Param("place"))
	}
	ctx := c.Request().Context()
	r, err := s.readSlash(ctx, wallet, tx, place)
	if err != nil {
		return err
	}
	title := "Slashed " + r.slash.Amount.Format() + ": " + r.slash.Reason.String()
	m := s.showSlash(r)
	m.Page, m.Title = s.page(c.Request(), title, "stake", wallet), title
	return s.render(c, http.StatusOK, views.OneSlash(m))
}

// readSlash finds a slash in the chain's own events, else in the index of them, and gathers
// what is known of its time. Another wallet's is as unknown as one that never was.
func (s *Server) readSlash(ctx context.Context, wallet validator.Address, tx validator.Felt, place int) (slashRead, error) {
	asked := s.reads(ctx)
	r := slashRead{picture: validator.Picture{Address: wallet, Now: s.now(), Chain: s.chain.WalletSnapshot(ctx, wallet)}}
	r.events = r.picture.Chain.StakeEvents.Or(nil)
	var found []validator.StakeEvent
	for _, e := range slices.Backward(r.events) {
		if e.Kind == validator.StakeEventSlashed && e.TxHash == tx {
			found = append(found, e)
		}
	}
	if len(found) > place {
		r.slash, r.jobID = found[place], contractJobID(found[place].JobID)
	} else {
		indexed := asked.Slashes(ctx, wallet, tx)
		switch list, known := indexed.Get(); {
		case !known:
			return r, newProblem(http.StatusServiceUnavailable, "This slash cannot be looked up now: "+validator.Sentence(indexed.Reason()))
		case len(list) <= place:
			return r, newProblem(http.StatusNotFound, "This wallet was not slashed by that transaction, or its event has not been read yet.")
		default:
			r.slash, r.jobID = list[place], list[place].JobID
		}
	}
	s.readEvidence(ctx, &r, asked)
	return r, nil
}

// readEvidence asks the database for the job, then at once for its card and the heartbeats.
func (s *Server) readEvidence(ctx context.Context, r *slashRead, asked *observe.Reads) {
	wallet, at := r.picture.Address, r.slash.Block.Time
	var all sync.WaitGroup
	all.Go(func() {
		r.job = asked.Job(ctx, wallet, r.jobID)
		if j := r.job.Or(nil); j != nil && j.GPUUUID != "" {
			s.readCard(ctx, r, asked, j.GPUUUID)
		}
	})
	all.Go(func() {
		r.uptime = asked.UptimeBetween(ctx, wallet, at.Add(-uptimeAround), at.Add(uptimeAround))
	})
	all.Wait()
}

// readCard reads a card's samples by the minute, or by the hour where only sums are kept.
func (s *Server) readCard(ctx context.Context, r *slashRead, asked *observe.Reads, uuid string) {
	wallet, at := r.picture.Address, r.slash.Block.Time
	read := func(reach, step time.Duration) validator.Maybe[[]validator.GPUStep] {
		from, to := validator.StepStart(at.Add(-reach), step), validator.StepStart(at.Add(reach), step)
		if j := r.job.Or(nil); j.AssignedAt != nil && j.AssignedAt.Before(from) && at.Sub(*j.AssignedAt) < evidenceReachSums {
			from = validator.StepStart(j.AssignedAt.Add(-10*time.Minute), step)
		}
		return asked.GPUStepsBetween(ctx, wallet, uuid, from, to, step)
	}
	const few = 5
	r.steps, r.step, r.reach = read(evidenceReach, evidenceStep), evidenceStep, evidenceReach
	if r.steps.Known() && len(r.steps.Or(nil)) < few {
		if sums := read(evidenceReachSums, evidenceStepSums); len(sums.Or(nil)) > len(r.steps.Or(nil)) {
			r.steps, r.step, r.reach = sums, evidenceStepSums, evidenceReachSums
		}
	}
	r.cardEvents = asked.GPUEventsBetween(ctx, wallet, uuid, at.Add(-r.reach), at.Add(r.reach))
	since := at.Add(-r.reach)
	if j := r.job.Or(nil); j.AssignedAt != nil && j.AssignedAt.Before(since) {
		since = *j.AssignedAt
	}
	r.spans = asked.GPUThrottlesBetween(ctx, wallet, uuid, since, at.Add(r.reach))
	r.first = asked.FirstGPUSample(ctx, wallet, uuid)
	for _, m := range s.fleet(ctx, wallet).members {
		if m.GPU.UUID == uuid {
			r.gpu, r.present = &m.GPU, true
		}
	}
}

// evidence is what the advice rests on.
func (r slashRead) evidence() validator.Evidence {
	e := validator.Evidence{Job: r.job.Or(nil), HeldBack: r.heldBack(), Uptime: r.uptime.Or(validator.Uptime{})}
	e.XIDs = validator.XIDs(r.cardEvents.Or(nil))
	return e
}

// heldBack is what held the card back up to the slash: while the job ran, if that is known.
func (r slashRead) heldBack() validator.HeldBack {
	within := validator.Interval{From: r.slash.Block.Time.Add(-r.reach), To: r.slash.Block.Time}
	if j := r.job.Or(nil); j != nil && j.AssignedAt != nil && j.AssignedAt.Before(within.To) {
		within.From = *j.AssignedAt
	}
	first := validator.StepStart(within.From, max(r.step, time.Second))
	var before []validator.GPUStep
	for _, x := range r.steps.Or(nil) {
		if !x.At.Before(first) && !x.At.After(within.To) {
			before = append(before, x)
		}
	}
	return validator.HeldBackIn(r.spans.Or(nil), before, within)
}

// windowAround is the window of the card's page that still holds a time, "" if none does.
func windowAround(at, now time.Time) string {
	for _, w := range gpuWindows {
		if !at.Before(w.from(now)) {
			return w.id
		}
	}
	return ""
}

// cardLink leads to the page of the card, in the shortest window that holds the slash.
func (s *Server) cardLink(r slashRead, uuid string) views.Link {
	l := views.Link{Text: uuid}
	if !r.present {
		return l
	}
	if name, known := r.gpu.Name.Get(); known {
		l.Text = fmt.Sprintf("GPU %d · %s", r.gpu.Index, name)
	}
	l.Title, l.URL = uuid, s.gpuURL(uuid, r.picture.Address)
	if w := windowAround(r.slash.Block.Time, r.picture.Now); w != "" {
		join := "?"
		if strings.Contains(l.URL, "?") {
			join = "&"
		}
		l.URL += join + "window=" + w
	}
	return l
}

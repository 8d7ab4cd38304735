package web

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// reconcileLooks is how each class is called, and what it means.
var reconcileLooks = map[validator.ReconcileClass]struct {
	tag     views.Tag
	meaning string
}{
	validator.ClassMatched:           {views.Tag{Text: "matched", Tone: views.ToneGood, Icon: "good"}, "Both have the same amount."},
	validator.ClassDifferent:         {views.Tag{Text: "different amount", Tone: views.ToneBad, Icon: "bad"}, "Both have a payment, and not of the same amount."},
	validator.ClassMissingOnChain:    {views.Tag{Text: "missing on chain", Tone: views.ToneBad, Icon: "bad"}, "The database has a payment, and no event has it."},
	validator.ClassMissingInDatabase: {views.Tag{Text: "missing in the database", Tone: views.ToneWarn, Icon: "warn"}, "The chain paid for a job that the database does not have as paid."},
	validator.ClassAwaited:           {views.Tag{Text: "awaited", Tone: views.TonePlain, Icon: "clock"}, "So new that the other side may still come."},
	validator.ClassNotComparable:     {views.Tag{Text: "not comparable", Tone: views.TonePlain, Icon: "info"}, "The amount is private, or the job's identifier is no number that a contract could know."},
	validator.ClassNotKnown:          {views.Tag{Text: "not known yet", Tone: views.ToneUnknown, Icon: "unknown"}, "A payment may be in blocks whose events are not known."},
}

// paymentWords name what a kind of event tells.
var paymentWords = map[validator.PaymentKind]string{validator.PaymentReleased: "released", validator.PaymentPaid: "paid"}

// showReconciliation is what came of comparing all payments and claims.
func (s *Server) showReconciliation(r reconcileRead, wallet validator.Address) views.ReconcileSummary {
	m := views.ReconcileSummary{Panel: panel(reconcilePanelID, everyReconcile, wallet), Notice: staleNotice(r.now, r.state)}
	m.Panel.Stale = m.Notice != nil
	all, known := r.all.Get()
	if !known {
		m.Empty, m.Notice = &views.Empty{Icon: "database", Tone: toneOf(r.state.Health), Title: "Payments unknown", Text: validator.Sentence(r.all.Reason())}, nil
		return m
	}
	m.Verdict, m.Why = reconcileVerdict(all, r.now)
	m.Known = reconcileKnown(all, r.now)
	m.Total = views.ReconcileClassRow{Class: views.Tag{Text: "All"}}
	var total validator.ReconcileSum
	for _, class := range validator.ReconcileClasses {
		sum := all.Sum(class)
		total = total.Plus(sum.Or(validator.ReconcileSum{}))
		look := reconcileLooks[class]
		row := views.ReconcileClassRow{
			Class: look.tag, Meaning: look.meaning, Origin: s.origin(wallet, reconciledFigure(class), look.tag.Text),
			Recorded: recordedSum(sum), OnChain: sumOnChain(class, sum), Difference: reconcileDifference(class, sum.Or(validator.ReconcileSum{})),
		}
		if v, has := sum.Get(); has {
			row.Jobs = views.Link{Text: integer(v.Jobs), URL: s.reconcileURL(wallet, reconcileQuery{class: class})}
		} else {
			row.NoJobs = views.Value{Reason: validator.Sentence(sum.Reason())}
		}
		m.Classes = append(m.Classes, row)
	}
	m.Total.Jobs, m.Total.Recorded, m.Total.OnChain = views.Link{Text: integer(total.Jobs)}, showWei(total.Recorded), showWei(total.OnChain)
	if !all.Coverage.Known() || all.Payments[validator.ClassNotComparable].Jobs+all.Payments[validator.ClassNotKnown].Jobs > 0 {
		m.Total.OnChain = views.Amount{Reason: "Not known of all of them."}
	}
	m.Claims = s.showReconciledClaims(all, r.now)
	return m
}

// recordedSum is what the database has of a class, where that is known.
func recordedSum(sum validator.Maybe[validator.ReconcileSum]) views.Amount {
	return showAmount(validator.Map(sum, func(s validator.ReconcileSum) validator.Wei { return s.Recorded }))
}

// sumOnChain is what the chain has of a class, where that is known.
func sumOnChain(class validator.ReconcileClass, sum validator.Maybe[validator.ReconcileSum]) views.Amount {
	if s, known := sum.Get(); known && !class.Comparable() && s.Jobs > 0 {
		return views.Amount{Reason: "What the chain has of these is not known."}
	}
	return showAmount(validator.Map(sum, func(s validator.ReconcileSum) validator.Wei { return s.OnChain }))
}

// reconcileVerdict says in one line whether the two sides agree.
func reconcileVerdict(r validator.Reconciliation, now time.Time) (views.Tag, string) {
	cover, known := r.Coverage.Get()
	switch n := r.Differing(); {
	case n > 0:
		return views.Tag{Text: counted(uint64(n), "difference", "differences"), Tone: views.ToneBad, Icon: "bad"}, "Each is listed below with the job, the transaction and the block. The network's coordinator can say why." + notKnownYet(r)
	case !known:
		return views.Tag{Text: "not known yet", Tone: views.ToneUnknown, Icon: "unknown"}, validator.Sentence(r.Coverage.Reason())
	case !cover.Waiting.IsZero() && cover.Lags(now):
		return views.Tag{Text: "not known yet", Tone: views.ToneUnknown, Icon: "unknown"}, "Payments since " + utc(cover.Waiting) + " are still being compared."
	default:
		return views.Tag{Text: "no difference", Tone: views.ToneGood, Icon: "good"},
			fmt.Sprintf("In blocks %s to %s every payment of the one side is on the other, of the same amount, as far as they can be compared.", integer(cover.From.Number), integer(cover.To.Number)) + notKnownYet(r)
	}
}

// notKnownYet says of how many jobs the verdict says nothing.
func notKnownYet(r validator.Reconciliation) string {
	n := r.Payments[validator.ClassNotKnown].Jobs
	if n == 0 {
		return ""
	}
	return " Of " + counted(uint64(n), "more job", "more jobs") + " it is not known yet."
}

// reconcileKnown says how far the events of payments are known.
func reconcileKnown(r validator.Reconciliation, now time.Time) []views.Row {
	cover, known := r.Coverage.Get()
	if !known {
		return []views.Row{{Label: "Payments known", Value: views.Value{Reason: validator.Sentence(r.Coverage.Reason())}}}
	}
	rows := []views.Row{
		{Label: "Events known from", Value: views.Value{Text: "block " + integer(cover.From.Number), Title: "Block of " + utc(cover.From.Time) + ", from which on the events of " + cover.Of + " are read"}},
		{Label: "up to", Value: views.Value{Text: "block " + integer(cover.To.Number), Title: "Block of " + utc(cover.To.Time)}},
	}
	if r.Head != nil && r.Head.Number > cover.To.Number {
		rows = append(rows, views.Row{Label: "Newer blocks", Tone: views.ToneWarn, Value: views.Value{Text: integer(r.Head.Number - cover.To.Number), Title: "They span " + durationText(max(r.Head.Time.Sub(cover.To.Time), 0))}})
	}
	if r.WaitingSince != nil && now.Sub(*r.WaitingSince) > waitingIsOld {
		rows = append(rows, views.Row{Label: "Changes wait to be compared since", Tone: views.ToneWarn, Value: views.Value{At: momentOf(now, *r.WaitingSince)}})
	}
	return rows
}

// waitingIsOld is when changes should have been compared long ago: it is done every few seconds.
const waitingIsOld = time.Minute

// reconcileDifference is what the chain has less and more than the database.
func reconcileDifference(class validator.ReconcileClass, sum validator.ReconcileSum) []views.Amount {
	if !class.Differs() || sum.Jobs == 0 {
		return nil
	}
	var out []views.Amount
	if sum.Short.Sign() > 0 {
		out = append(out, signed("−", sum.Short))
	}
	if over := sum.Over(); over.Sign() > 0 {
		out = append(out, signed("+", over))
	}
	return out
}

// signed shows an amount with a sign that says in which direction it goes.
func signed(sign string, w validator.Wei) views.Amount {
	a := showWei(w)
	a.Text, a.Exact = sign+a.Text, sign+a.Exact
	if sign == "−" {
		a.Wei = "-" + a.Wei
	}
	return a
}

// claimsListed is how many claims that do not match are listed.
const claimsListed = 50

func (s *Server) showReconciledClaims(r validator.Reconciliation, now time.Time) views.ReconcileClaims {
	var m views.ReconcileClaims
	counts := map[validator.ReconcileClass]int64{}
	for _, c := range r.Claims {
		counts[c.Class]++
		if c.Class == validator.ClassMatched {
			continue
		}
		if len(m.Rows) == claimsListed {
			m.Note = "Older claims that do not match are left out here; the API has all."
			continue
		}
		m.Rows = append(m.Rows, s.reconciledClaimRow(c, now))
	}
	for _, class := range validator.ReconcileClasses {
		if n := counts[class]; n > 0 || class == validator.ClassMatched {
			row := views.Row{Label: capital(reconcileLooks[class].tag.Text), Value: views.Value{Text: integer(n)}}
			if n == 0 && !r.ClaimCoverage.Known() {
				row.Value = views.Value{Reason: validator.Sentence(r.ClaimCoverage.Reason())}
			}
			if class.Differs() {
				row.Tone = views.ToneWarn
			}
			m.Counts = append(m.Counts, row)
		}
	}
	switch {
	case !r.ClaimCoverage.Known():
		m.Note = validator.Sentence(r.ClaimCoverage.Reason())
	case len(r.Claims) == 0:
		m.Note = "Neither the database nor ProverStaking's events tell of a claim."
	}
	return m
}

func (s *Server) reconciledClaimRow(c validator.ReconciledClaim, now time.Time) views.ReconcileClaimRow {
	row := views.ReconcileClaimRow{
		When: moment(now, c.At()), Class: reconcileLooks[c.Class].tag, Why: c.Why,
		Recorded: views.Amount{Reason: "The database has no such claim."}, OnChain: views.Amount{Reason: "No event has it."},
	}
	if c.Claim != nil {
		row.Recorded.Reason = "The database has no amount for it."
		if c.Claim.Amount != nil {
			row.Recorded = showWei(*c.Claim.Amount)
		}
		if c.Claim.TxHash != "" {
			row.Tx = s.txLink(c.Claim.TxHash)
		}
		if c.Claim.BlockNumber != nil {
			row.Block = s.blockLink(*c.Claim.BlockNumber)
		}
	}
	if c.Events != nil {
		row.OnChain, row.Tx, row.Block = showWei(c.Events.Amount), s.txLink(c.Events.TxHash), s.blockLink(c.Events.Block.Number)
	}
	return row
}

func (s *Server) blockLink(number uint64) views.Link {
	return views.Link{Text: integer(number), URL: s.explorer("block", fmt.Sprint(number))}
}

// showReconciled is a page of payments. The newest follow the database; other pages stand still.
func (s *Server) showReconciled(r reconcileRead, wallet validator.Address, q reconcileQuery) views.ReconcileList {
	m := views.ReconcileList{Panel: views.Panel{ID: reconciledPanelID}, Heading: reconciledHeading(q), Notice: staleNotice(r.now, r.state)}
	if q == q.newest() {
		v := q.values()
		v.Set("wallet", string(wallet))
		m.Panel = views.Panel{ID: reconciledPanelID, URL: "/partials/" + reconciledPanelID + "?" + v.Encode(), Every: everyReconcile}
	}
	m.Panel.Stale = m.Notice != nil
	m.Classes = s.reconcileTabs(r, wallet, q)
	page, known := r.page.Get()
	if !known {
		m.Empty, m.Notice = &views.Empty{Icon: "database", Tone: toneOf(r.state.Health), Title: "Payments unknown", Text: validator.Sentence(r.page.Reason())}, nil
		return m
	}
	all := r.all.Or(validator.Reconciliation{})
	for _, p := range page {
		m.Rows = append(m.Rows, s.reconciledRow(p, all.Coverage, wallet, r.now))
	}
	if q != q.newest() {
		m.Newest = s.reconcileURL(wallet, q.newest())
	}
	if len(page) == 0 {
		m.Empty = noPayments(q)
		return m
	}
	if r.more {
		m.Older = s.reconcileURL(wallet, q.startingBelow(page[len(page)-1]))
	}
	m.Export = []views.Link{{Text: "CSV", URL: s.reconcileExportURL(wallet, q, formatCSV)}, {Text: "NDJSON", URL: s.reconcileExportURL(wallet, q, formatNDJSON)}}
	return m
}

func reconciledHeading(q reconcileQuery) string {
	what := "Payments that differ"
	if q.class != "" {
		what = "Payments: " + reconcileLooks[q.class].tag.Text
	}
	if q != q.newest() {
		what += ", older ones"
	}
	return what
}

func (s *Server) reconcileTabs(r reconcileRead, wallet validator.Address, q reconcileQuery) []views.CountedTab {
	all, known := r.all.Get()
	tab := func(label string, class validator.ReconcileClass, n int64, known bool) views.CountedTab {
		t := views.CountedTab{Tab: views.Tab{Label: label, URL: s.reconcileURL(wallet, reconcileQuery{class: class}), Current: q.class == class}}
		if known {
			t.Count = integer(n)
		}
		return t
	}
	var differing int64
	for _, class := range (reconcileQuery{}).classes() {
		differing += all.Payments[class].Jobs
	}
	tabs := []views.CountedTab{tab("All that differ", "", differing, known && (differing > 0 || all.Coverage.Known()))}
	for _, class := range validator.ReconcileClasses {
		sum := all.Sum(class)
		tabs = append(tabs, tab(capital(reconcileLooks[class].tag.Text), class, sum.Or(validator.ReconcileSum{}).Jobs, known && sum.Known()))
	}
	return tabs
}

// noPayments says why a list is empty.
func noPayments(q reconcileQuery) *views.Empty {
	switch {
	case q != q.newest():
		return &views.Empty{Icon: "coins", Tone: views.TonePlain, Title: "No older payments", Text: "The list ends here."}
	case q.class == "":
		return &views.Empty{Icon: "good", Tone: views.ToneGood, Title: "No payment differs", Text: "Of all that can be compared. What cannot, and why, is behind the other results above."}
	}
	return &views.Empty{Icon: "coins", Tone: views.TonePlain, Title: "None", Text: "No payment of this wallet is of this kind."}
}

func (s *Server) reconciledRow(p validator.ReconciledPayment, known validator.Maybe[validator.EventCoverage], wallet validator.Address, now time.Time) views.ReconcileRow {
	class, _ := validator.ClassOf(p.JobPayment, known, now)
	row := views.ReconcileRow{
		When: moment(now, p.At()), Job: s.paymentJobLink(p, wallet), Class: reconcileLooks[class].tag, Why: whyOf(p, class, known),
		Recorded: recordedAmount(p.JobPayment), OnChain: chainAmount(p.JobPayment), Events: s.paymentEvents(p.Events, now),
	}
	if len(p.Rows) > 0 {
		row.Marks = reportMarks(p.Rows[0].SelfReported, false)
	}
	return row
}

// whyOf is the rule's reason, with what else the database says of the job.
func whyOf(p validator.ReconciledPayment, class validator.ReconcileClass, known validator.Maybe[validator.EventCoverage]) string {
	why := p.Why(class, known)
	if p.Jobs > 0 || len(p.Rows) == 0 {
		return why
	}
	switch j := p.Rows[0]; {
	case j.Status != validator.JobCompleted:
		return fmt.Sprintf("The database has this job as %s.", statusWords(j.Status))
	case j.Payment == nil:
		return "The database has this job as completed, without an amount."
	}
	return why
}

// paymentJobLink leads to the job's own page, if the database has the job.
func (s *Server) paymentJobLink(p validator.ReconciledPayment, wallet validator.Address) views.Link {
	if len(p.Rows) > 0 {
		return *s.jobLink(p.Rows[0].ID, wallet)
	}
	return views.Link{Text: abbreviated(p.Job), Title: p.Job}
}

func recordedAmount(p validator.JobPayment) views.Amount {
	if p.Jobs == 0 {
		return views.Amount{Reason: "The database has no payment for it."}
	}
	return showWei(p.Recorded)
}

func chainAmount(p validator.JobPayment) views.Amount {
	switch {
	case !p.HasChain():
		return views.Amount{Reason: "No event tells of a payment for it."}
	case p.Hidden > 0:
		return views.Amount{Reason: "The amount is private."}
	}
	return showWei(p.OnChain())
}

func (s *Server) paymentEvents(events []validator.PaymentEvent, now time.Time) []views.PaymentEventRow {
	var out []views.PaymentEventRow
	for _, e := range events {
		row := views.PaymentEventRow{What: paymentWords[e.Kind], Amount: showWei(e.Amount), Tx: s.txLink(e.TxHash), Block: s.blockLink(e.Block.Number), When: moment(now, e.Block.Time)}
		if e.Private {
			row.What = "paid privately"
			if e.Amount.Sign() == 0 {
				row.Amount = views.Amount{Reason: "The amount is private."}
			}
		}
		out = append(out, row)
	}
	return out
}

// reconcileExportURL leads to all payments of a list as a file.
func (s *Server) reconcileExportURL(wallet validator.Address, q reconcileQuery, format string) string {
	return s.withQuery(reconcilePath+"/export", wallet, url.Values{paramClass: {classOrDiffering(q)}, paramFormat: {format}})
}

func classOrDiffering(q reconcileQuery) string {
	if q.class == "" {
		return classAllDiffering
	}
	return string(q.class)
}

// jobOnChain is a job's payment according to the chain; nil for a job that has not ended and
// of which the chain tells nothing.
func (s *Server) jobOnChain(ctx context.Context, j validator.Job, wallet validator.Address) *views.JobOnChain {
	asked := s.reads(ctx)
	m := asked.JobPayment(ctx, wallet, j)
	more := s.paymentsLink(wallet)
	c, has := m.Get()
	if !has {
		reason := validator.Sentence(m.Reason())
		return &views.JobOnChain{Class: reconcileLooks[validator.ClassNotKnown].tag, Amount: views.Amount{Reason: reason}, Why: reason, More: more}
	}
	now := s.now()
	class, ok := validator.ClassOf(c.Payment.JobPayment, c.Coverage, now)
	if !ok {
		return nil
	}
	return &views.JobOnChain{
		Class: reconcileLooks[class].tag, Why: whyOf(c.Payment, class, c.Coverage), Amount: chainAmount(c.Payment.JobPayment),
		Events: s.paymentEvents(c.Payment.Events, now), More: more,
	}
}

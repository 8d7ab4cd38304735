package web

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

func (s *Server) showReputation(p validator.Picture, r reputationRead, before validator.ReputationCursor) views.ReputationPanel {
	m := views.ReputationPanel{Panel: panel("stake-reputation", everyReputation, p.Address), Notice: staleNotice(p.Now, p.Chain.State, r.state)}
	if !before.IsZero() {
		m.Panel.URL += "&before=" + cursorText(before)
	}
	m.Panel.Stale = m.Notice != nil
	switch rep, known := p.Chain.Reputation.Get(); {
	case !known:
		m.Empty = &views.Empty{Icon: "unknown", Tone: views.ToneUnknown, Title: "Reputation unknown", Text: validator.Sentence(p.Chain.Reputation.Reason())}
	case !rep.Initialised():
		m.Empty = &views.Empty{Icon: "clock", Tone: views.TonePlain, Title: "Never initialised", Text: "ReputationManager does not know this worker yet, which is no score of 0: the network introduces a worker with its first job."}
	default:
		m.Score = s.reputationFigure(p, rep)
		m.Facts = s.reputationFacts(p, rep)
		m.Chart, m.ChartNote = scoreChart(r.points(before.IsZero())), "The score after the last change of each UTC day that had one, up to a year back."
		if m.Chart == nil {
			m.ChartNote = "Fewer than two changes of the score are known."
		}
	}
	s.showReputationChanges(&m, p, r, before)
	return m
}

// reputationFigure is the dashboard's figure, with how many workers the rank is among.
func (s *Server) reputationFigure(p validator.Picture, rep validator.Reputation) *views.Figure {
	f := statusShow{p, s}.reputation()
	if n, known := p.Chain.Network.Reputation.Get(); known && p.Chain.ReputationRank.Or(0) > 0 {
		for i := range f.Parts {
			if f.Parts[i].Label == "Rank" {
				f.Parts[i].Value.Unit = "of " + integer(n.Workers)
			}
		}
	}
	f.Parts = append(f.Parts, views.Row{Label: "Changed", Value: views.Value{At: momentOf(p.Now, rep.LastUpdated)}})
	return &f
}

func (s *Server) reputationFacts(p validator.Picture, rep validator.Reputation) []views.Row {
	from := func(label string, n uint64, tone views.Tone) views.Row {
		row := views.Row{Label: label, Origin: s.origin(p.Address, "reputation", label), Value: views.Value{Text: integer(n)}}
		if n > 0 {
			row.Tone = tone
		}
		return row
	}
	rows := []views.Row{
		from("Jobs", rep.TotalJobs, ""), from("Successful", rep.Successful, ""), from("Failed", rep.Failed, ""),
		from("Disputes", rep.Disputes, views.ToneWarn), from("Slashes", rep.Slashes, views.ToneWarn),
	}
	others := views.Row{Label: "All workers", Origin: s.origin(p.Address, "reputation.network", "the scores of all workers")}
	others.Value = show(p.Chain.Network.Reputation.Maybe, "", func(n validator.ReputationNetwork) string {
		return fmt.Sprintf("%s on average, %s to %s", integer(n.Average), integer(n.Lowest), integer(n.Highest))
	})
	return append(rows, others)
}

// showReputationChanges lists a page of the changes, and says how far they reach.
func (s *Server) showReputationChanges(m *views.ReputationPanel, p validator.Picture, r reputationRead, before validator.ReputationCursor) {
	list, known := r.changes.Get()
	if !known {
		m.Note = validator.Sentence(r.changes.Reason())
		return
	}
	for _, c := range list {
		m.Changes = append(m.Changes, s.reputationRow(c, p))
	}
	reach, behind := r.reach(p.Chain.Block, !r.older.IsZero())
	switch {
	case len(list) == 0 && before.IsZero():
		m.Note = "No change of the score is known. " + reach
	case len(list) == 0:
		m.Note = "There are no older changes. " + reach
	default:
		m.Note = reach
	}
	if score, known := p.Chain.Reputation.Get(); known && before.IsZero() && !behind && len(list) > 0 && r.index.Known() && list[0].NewScore != score.Score && p.Now.Sub(list[0].Block.Time) > time.Minute {
		m.Note += fmt.Sprintf(" The newest change left %s, and the contract says %s: it has changed without an event that tells why.", integer(list[0].NewScore), integer(score.Score))
	}
	link := func(text string, c validator.ReputationCursor) views.Link {
		q := url.Values{}
		if p.Address != s.validatorAddress {
			q.Set("wallet", string(p.Address))
		}
		if !c.IsZero() {
			q.Set("before", cursorText(c))
		}
		u := "/stake"
		if len(q) > 0 {
			u += "?" + q.Encode()
		}
		return views.Link{Text: text, URL: u + "#stake-reputation"}
	}
	if !before.IsZero() {
		m.Newest = link("Newest", validator.ReputationCursor{})
	}
	if !r.older.IsZero() {
		m.Older = link("Older", r.older)
	}
}

func (s *Server) reputationRow(c validator.ReputationRecord, p validator.Picture) views.ReputationRow {
	row := views.ReputationRow{
		Reason: views.Value{Text: c.Reason, Title: c.Reason},
		Score:  integer(c.OldScore) + " → " + integer(c.NewScore), Tx: s.txLink(c.TxHash), When: moment(p.Now, c.When()),
	}
	if words := validator.ReputationReasonWords(c.Reason); words != c.Reason {
		row.Reason.Text = capital(words)
	}
	if row.Reason.Text == "" {
		row.Reason.Reason = "The contract gave no reason."
	}
	if c.JobID != "" {
		row.Job = *s.jobLink(c.JobID, p.Address)
	}
	switch {
	case c.Delta > 0:
		row.Delta = views.Tag{Text: "+" + integer(c.Delta), Tone: views.ToneGood, Icon: "up"}
	case c.Delta < 0:
		row.Delta = views.Tag{Text: "−" + integer(-c.Delta), Tone: views.ToneBad, Icon: "bad"}
	default:
		row.Delta = views.Tag{Text: "0", Tone: views.TonePlain}
	}
	return row
}

// The box that a score is drawn in.
const (
	scoreWidth  = 600
	scoreHeight = 100
	scoreRound  = 50 // the axis ends at whole steps of it
	mostScore   = 1000
)

// scoreChart draws scores as steps: a score stays until the next change.
func scoreChart(points []validator.ReputationPoint) *views.ScoreChart {
	if len(points) < 2 {
		return nil
	}
	low, high := points[0].Score, points[0].Score
	for _, p := range points {
		low, high = min(low, p.Score), max(high, p.Score)
	}
	low = low / scoreRound * scoreRound
	high = min((high/scoreRound+1)*scoreRound, mostScore)
	if low >= high {
		low = high - scoreRound
	}
	from, to := points[0].At, points[len(points)-1].At
	span := max(to.Sub(from), time.Second)
	x := func(t time.Time) int { return int(math.Round(scoreWidth * float64(t.Sub(from)) / float64(span))) }
	y := func(score uint32) int {
		return int(math.Round(scoreHeight - float64(score-low)/float64(high-low)*scoreHeight))
	}
	var path strings.Builder
	fmt.Fprintf(&path, "M0 %d", y(points[0].Score))
	c := &views.ScoreChart{Low: integer(low), High: integer(high), From: from.UTC().Format("2 Jan 2006"), To: to.UTC().Format("2 Jan 2006")}
	if span < 2*24*time.Hour {
		c.From, c.To = from.UTC().Format("2 Jan 15:04")+" UTC", to.UTC().Format("2 Jan 15:04")+" UTC"
	}
	for i, p := range points {
		if i > 0 {
			fmt.Fprintf(&path, "H%dV%d", x(p.At), y(p.Score))
		}
		c.Rows = append(c.Rows, views.ScoreRow{When: p.At.UTC().Format("2006-01-02 15:04:05"), Score: integer(p.Score)})
	}
	c.Line, c.Area = path.String(), path.String()+"V"+strconv.Itoa(scoreHeight)+"H0Z"
	last := points[len(points)-1].Score
	c.Label = fmt.Sprintf("Score from %s to %s, between %s and %s of 1000, at last %s", c.From, c.To, c.Low, c.High, integer(last))
	return c
}

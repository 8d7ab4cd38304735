package web

import (
	"fmt"
	"strings"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// reconciledPrefix begins the ids of figures about what came of comparing payments.
const reconciledPrefix = "reconciled."

func reconciledFigure(c validator.ReconcileClass) string { return reconciledPrefix + string(c) }

// parseReconciledFigure takes apart what reconciledFigure makes.
func parseReconciledFigure(id string) (validator.ReconcileClass, bool) {
	name, is := strings.CutPrefix(id, reconciledPrefix)
	class, err := parseClass(name)
	return class, is && err == nil && class != ""
}

// reconciled tells where the count and the sums of a class came from.
func (e evidence) reconciled(class validator.ReconcileClass, m validator.Maybe[validator.Reconciliation]) views.Provenance {
	look := reconcileLooks[class]
	p := e.fromDatabase("Payments: "+look.tag.Text, "tables reconciled_jobs and reconciled_days, in which the database keeps jobs beside the chain's payments", m.Known(), m.Reason())
	p.Value = views.Row{Value: views.Value{Reason: validator.Sentence(m.Reason())}}
	p.Formula = "recorded = payments of completed jobs, by their number\n" +
		"on chain = sum of PaymentRouter's WorkerPaid, if it emitted any\n         = sum of JobManager's PaymentReleased, else"
	r, known := m.Get()
	if !known {
		return p
	}
	sum := r.Sum(class)
	recorded, chain := recordedSum(sum), sumOnChain(class, sum)
	p.Value.Value = show(sum, "jobs", func(s validator.ReconcileSum) string { return integer(s.Jobs) })
	p.Rows = []views.Row{{Label: "In the database", Amount: &recorded}, {Label: "On chain", Amount: &chain}}
	for _, row := range reconcileKnown(r, e.Now) {
		row.Tone = ""
		p.Rows = append(p.Rows, row)
	}
	for _, w := range class.Windows(r.Coverage, e.Now) {
		state := string(w.State)
		if !w.From.IsZero() {
			state += ", from " + utc(w.From)
		}
		if !w.To.IsZero() {
			state += ", before " + utc(w.To)
		}
		p.Rows = append(p.Rows, views.Row{Label: "State in reconciled_jobs", Value: views.Value{Text: state}})
		p.Commands = append(p.Commands, sql(fmt.Sprintf("List the state %s, in psql", w.State), db.ListReconciled(e.Address, w)))
	}
	p.Note = look.meaning + " A payment may come in several events, which add up. A job counts by its end, and what only the chain has by its block's time; " +
		"within " + validator.Ago(validator.PaymentGrace) + " the other side is awaited."
	return p
}

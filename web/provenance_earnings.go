package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// periodPrefix begins the ids of figures about a range of days: "period.FIELD@FIRST..LAST".
const periodPrefix = "period."

func periodFigure(field string, r validator.DayRange) string {
	return periodPrefix + field + "@" + r.First.Format(time.DateOnly) + ".." + r.Last.Format(time.DateOnly)
}

// parsePeriodFigure takes apart what periodFigure makes.
func parsePeriodFigure(id string) (field string, r validator.DayRange, ok bool) {
	rest, isPeriod := strings.CutPrefix(id, periodPrefix)
	field, days, dated := strings.Cut(rest, "@")
	first, last, ranged := strings.Cut(days, "..")
	from, err1 := time.Parse(time.DateOnly, first)
	to, err2 := time.Parse(time.DateOnly, last)
	if !isPeriod || !dated || !ranged || err1 != nil || err2 != nil || to.Before(from) || from.Year() < firstYear || to.Year() > lastYear {
		return "", validator.DayRange{}, false
	}
	_, known := periodFigures[field]
	return field, validator.DayRange{First: from, Last: to}, known
}

// periodEvidence is what the figures of a range of days are made from.
type periodEvidence struct {
	evidence

	report validator.Maybe[validator.EarningReport]
	energy validator.Maybe[validator.MeasuredEnergy]
	days   validator.DayRange
}

// periodFigures tell where the figures of a range of days came from, by their fields.
var periodFigures = map[string]func(periodEvidence) views.Provenance{
	"energy": energyOrigin,
	"total": periodAmount("Earned in this time", "sum over the days and the kinds job, staking, mining and bonus", func(r validator.EarningReport) validator.Maybe[validator.Wei] {
		return validator.EarnedWei(r.Total(r.Sums))
	}),
	"job":     periodKind(validator.RewardJob),
	"staking": periodKind(validator.RewardStaking),
	"mining":  periodKind(validator.RewardMining),
	"bonus":   periodKind(validator.RewardBonus),
	"jobs": periodCount("Jobs paid in this time", "entries of kind job: completed jobs with a known payment", func(r validator.EarningReport) validator.Maybe[int64] {
		return validator.Some(r.Sums[validator.RewardJob].Entries)
	}),
	"claims":     periodCount("Claims that arrived in this time", "entries of the kinds staking, mining and bonus: confirmed claims", validator.EarningReport.Claims),
	"perjob":     periodAverage("Average of a job", "job payments / paid jobs, rounded down", func(r validator.EarningReport) string { return integer(r.Sums[validator.RewardJob].Entries) }, validator.EarningReport.PerJob),
	"pergpuhour": periodAverage("Average of a GPU-hour", "job payments / execution hours of all jobs that ended in this time, rounded down", func(r validator.EarningReport) string { return fmt.Sprintf("%.4f h", r.JobTime.Hours()) }, validator.EarningReport.PerGPUHour),
}

func periodKind(kind validator.RewardKind) func(periodEvidence) views.Provenance {
	return periodAmount("Earned in this time: "+string(kind), "sum over the days of kind "+string(kind), func(r validator.EarningReport) validator.Maybe[validator.Wei] {
		return validator.EarnedWei(r.Kind(r.Sums, kind))
	})
}

// fromDays is what every figure of a range tells of itself.
func (e periodEvidence) fromDays(title, formula string) views.Provenance {
	m := e.report
	p := e.fromDatabase(title, "table earning_days, which the database keeps as jobs and claims change", m.Known(), m.Reason())
	p.Formula = formula
	if r, known := m.Get(); known {
		p.Rows = []views.Row{{Label: "From", Value: views.Value{Text: r.Range.First.Format(time.DateOnly)}}, {Label: "To, that day included", Value: views.Value{Text: r.Range.Last.Format(time.DateOnly)}}}
		p.Commands = []views.Command{sql("Repeat it in psql", db.Statement("workerEarningDays", e.Address, r.Range.First.Format(time.DateOnly), r.Range.Last.Format(time.DateOnly)))}
	}
	p.Note = "A job's payment counts on the UTC day of its completion, a claim on that of its block. A claim of kind job pays out what jobs had earned, so it is no earning (payout)."
	return p
}

func periodAmount(title, formula string, of func(validator.EarningReport) validator.Maybe[validator.Wei]) func(periodEvidence) views.Provenance {
	return func(e periodEvidence) views.Provenance {
		p := e.fromDays(title, formula)
		p.Value = views.Row{Amount: &views.Amount{Reason: validator.Sentence(e.report.Reason())}}
		if r, known := e.report.Get(); known {
			p.Value.Amount = amountOf(of(r))
			if w, has := of(r).Get(); has {
				p.Raw = []string{w.String() + " wei"}
			}
		}
		return p
	}
}

func periodAverage(title, formula string, by func(validator.EarningReport) string, of func(validator.EarningReport) validator.Maybe[validator.Wei]) func(periodEvidence) views.Provenance {
	amount := periodAmount(title, formula, of)
	return func(e periodEvidence) views.Provenance {
		p := amount(e)
		r, known := e.report.Get()
		if !known {
			return p
		}
		p.Formula += fmt.Sprintf("\n= %s / %s", r.Sums[validator.RewardJob].Amount, by(r))
		if strings.Contains(title, "hour") {
			p.Commands = append(p.Commands, sql("Execution hours, in psql", db.Statement("sumJobTime", e.Address, r.Range.First.Format(time.DateOnly), r.Range.Last.Format(time.DateOnly))))
		}
		return p
	}
}

func periodCount(title, formula string, of func(validator.EarningReport) validator.Maybe[int64]) func(periodEvidence) views.Provenance {
	return func(e periodEvidence) views.Provenance {
		p := e.fromDays(title, formula)
		p.Value = views.Row{Value: views.Value{Reason: validator.Sentence(e.report.Reason())}}
		if r, known := e.report.Get(); known {
			p.Value.Value = show(of(r), "", integer[int64])
		}
		return p
	}
}

func energyOrigin(e periodEvidence) views.Provenance {
	p := e.fromDatabase("Measured energy of the GPUs", "table gpu_energy_days, integrated over gpu_samples", e.energy.Known(), e.energy.Reason())
	m, known := e.energy.Get()
	if known && m.Covered > 0 {
		p.Value = views.Row{Value: kWhValue(m.KWh)}
		p.Rows = []views.Row{{Label: "GPUs seen", Value: views.Value{Text: integer(m.GPUs)}}, {Label: "GPU-hours covered", Value: views.Value{Text: oneDecimalGrouped(m.Covered.Hours())}}}
	} else {
		p.Value = views.Row{Value: views.Value{Reason: "No sample of a GPU's power is stored for this time."}}
	}
	p.Formula = "sum over each two samples of a GPU at most 5 minutes apart of\n(power + next power) / 2 · time between"
	p.Note = "What lies between samples further apart is not covered. The share is the covered time by the time that has passed of these days, over all GPUs that were seen in them at all: one that does not tell its power is not covered. It is the cards' own draw, without the host around them. Samples of the last minutes may be missing."
	p.Commands = []views.Command{sql("Repeat it in psql", db.Statement("workerEnergy", e.Address, e.days.First.Format(time.DateOnly), e.days.Last.Format(time.DateOnly),
		e.days.First.UTC().Format(time.RFC3339), e.days.End().UTC().Format(time.RFC3339)))}
	return p
}

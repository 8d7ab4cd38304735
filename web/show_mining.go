package web

import (
	"fmt"
	"math/big"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

func (s *Server) showMining(p validator.Picture) views.MiningPanel {
	m := views.MiningPanel{Panel: panel("stake-mining", everyStatus, p.Address), Notice: staleNotice(p.Now, p.Chain.State)}
	m.Panel.Stale = m.Notice != nil
	r := p.Chain.Mining
	if !r.Configured {
		m.Absent = validator.Sentence(r.Stats.Reason())
		return m
	}
	if !r.Stats.Known() && !r.RemainingCap.Known() && !r.Tier.Known() {
		m.Empty, m.Notice = &views.Empty{Icon: "unknown", Tone: views.ToneUnknown, Title: "Mining rewards unknown", Text: validator.Sentence(r.Stats.Reason())}, nil
		return m
	}
	m.Note = "MiningRewards sends its rewards by itself, job by job: nothing there is claimable."
	m.Cap = s.miningCap(p)
	from := func(id, label string) views.Origin { return s.origin(p.Address, id, label) }
	count := func(m validator.Maybe[validator.MiningStats], of func(validator.MiningStats) uint64) views.Value {
		return show(m, "", func(v validator.MiningStats) string { return integer(of(v)) })
	}
	day := p.MiningDay()
	resets := views.Row{Label: "The cap resets"}
	switch d, known := day.Get(); {
	case known && !d.ResetsAt.IsZero():
		resets.Value = views.Value{At: momentOf(p.Now, d.ResetsAt)}
	case known:
		resets.Value = views.Value{Reason: "The contract has paid this worker nothing yet, so it tells no day."}
	default:
		resets.Value = views.Value{Reason: validator.Sentence(day.Reason())}
	}
	m.Figures = []views.Row{
		{Label: "Left of today's cap", Origin: from("mining.left", "what is left of the cap"), Amount: amountOf(r.RemainingCap.Maybe)},
		resets,
		{Label: "Jobs today", Origin: from("mining.today", "the day's jobs"), Value: show(day, "", func(d validator.MiningDay) string { return integer(d.Jobs) })},
		{Label: "Tier", Origin: from("mining.tier", "the tier"), Value: show(r.Tier.Maybe, "", validator.MiningTier.String)},
		{Label: "Earned in all", Origin: from("mining.earned", "the mining rewards"), Amount: amountOf(validator.Map(r.Stats.Maybe, func(v validator.MiningStats) validator.Wei { return v.Earned }))},
		{Label: "Jobs in all", Origin: from("mining.earned", "the mined jobs"), Value: count(r.Stats.Maybe, func(v validator.MiningStats) uint64 { return v.Jobs })},
	}
	if stats, known := r.Stats.Get(); known {
		if at, known := stats.At(stats.Last, p.Chain.Block.Time).Get(); known {
			m.Figures = append(m.Figures, views.Row{Label: "Newest reward", Value: views.Value{At: momentOf(p.Now, at)}})
		}
	}
	return m
}

// miningCap is how much of the day's cap is used.
func (s *Server) miningCap(p validator.Picture) *views.Gauge {
	g := &views.Gauge{Label: "Used of today's cap", Origin: s.origin(p.Address, "mining.today", "the day's mining rewards"), Tone: views.TonePlain}
	d, known := p.MiningDay().Get()
	if !known {
		g.Value = views.Value{Reason: validator.Sentence(p.MiningDay().Reason())}
		return g
	}
	used := showWei(d.Earned)
	g.Value = views.Value{Text: used.Text, Unit: used.Unit, Title: used.Exact + " " + used.Unit}
	g.Limit = "of " + showWei(d.Cap).Text + " SAGE"
	if d.Cap.Sign() > 0 {
		share, _ := new(big.Rat).SetFrac(d.Earned.Big(), d.Cap.Big()).Float64()
		g.Percent = num(100 * share)
	}
	if d.Left.Sign() == 0 {
		g.Tone, g.Limit = views.ToneWarn, g.Limit+": reached, so jobs earn nothing more here today"
	}
	return g
}

func miningRead(e evidence) validator.ChainRead[validator.MiningStats] { return e.Chain.Mining.Stats }

const miningOrder = "get_worker_stats answers 9 felts: jobs, earned (low, high), day, day_jobs, day_earned (low, high), first, last."

// miningTodayOrigin tells how the day's figures are made.
func miningTodayOrigin(e evidence) views.Provenance {
	p := e.fromChain("Mining rewards today", e.Chain.Mining.Stats.Call, e.Chain.Mining.RemainingCap.Call)
	day := e.MiningDay()
	p.Value = views.Row{Amount: amountOf(validator.Map(day, func(d validator.MiningDay) validator.Wei { return d.Earned }))}
	p.Note = miningOrder
	d, known := day.Get()
	if !known {
		p.When, p.Reason = nil, validator.Sentence(day.Reason())
		return p
	}
	stats := e.Chain.Mining.Stats.Or(validator.MiningStats{})
	p.Formula = fmt.Sprintf("day_earned if day is the block's UTC day, else 0\nday = %d, the block's is %d\ncap = day_earned + remaining cap = %s + %s", stats.Day, e.Chain.Block.Time.Unix()/int64(24*time.Hour/time.Second), d.Earned, d.Left)
	return p
}

package validator

import (
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func read[T any](v T) ChainRead[T] { return ChainRead[T]{Maybe: Some(v)} }

// goodPicture is a validator that earns and has nothing wrong.
func goodPicture() Picture {
	var cfg StakingConfig
	for i, sage := range []int64{1000, 2500, 5000, 10000, 25000} {
		cfg.MinStake[i] = WeiFromSAGE(sage)
	}
	cfg.SlashBasisPoints = [SlashReasonCount]uint32{1000, 500, 2500, 5000, 7500}
	cfg.RewardAPYBasisPoints, cfg.MaxConsecutiveFailures = 1500, 3
	good := func(s Source) SourceState { return SourceState{Source: s, Health: HealthOK, ObservedAt: noon} }
	completed, first := noon.Add(-10*time.Minute), noon.Add(-48*time.Hour)
	return Picture{
		Now: noon,
		Chain: ChainSnapshot{
			State:    good(SourceChain),
			Block:    Block{Number: 7, Time: noon},
			Stake:    read(Stake{Amount: WeiFromSAGE(12000), StakedAt: noon.Add(-time.Hour), LastClaimAt: noon.Add(-time.Hour), Tier: TierEnterprise, Active: true}),
			Eligible: read(true),
			Network:  ChainNetwork{Config: read(cfg)},
		},
		HostGPUs:      GPUSnapshot{State: good(SourceGPU), GPUs: []GPU{{Name: Some("NVIDIA H100 80GB HBM3"), Tier: Some(TierEnterprise)}}},
		HostGPUsApply: true,
		WorkerGPUs:    Some([]WorkerGPU(nil)),
		Database:      good(SourceDatabase),
		Jobs:          Some(JobCounts{Completed: 1, Total: 1, LastCompletedAt: &completed}),
		Heartbeats:    Some(HeartbeatSummary{First: &first, Last: &Heartbeat{WorkerID: "rig", At: noon.Add(-20 * time.Second)}}),
		Earnings:      Some(Earnings{}),
	}
}

func TestVerdict(t *testing.T) {
	stake := func(p *Picture, change func(*Stake)) {
		s, _ := p.Chain.Stake.Get()
		change(&s)
		p.Chain.Stake = read(s)
	}
	for name, c := range map[string]struct {
		change func(*Picture)
		want   Verdict
		words  string // in the reason
	}{
		"a recent job":            {func(*Picture) {}, VerdictEarning, "completed at 11:50 UTC"},
		"a running job":           {func(p *Picture) { p.Jobs = Some(JobCounts{InProgress: 2}) }, VerdictEarning, "2 jobs in progress"},
		"no job yet":              {func(p *Picture) { p.Jobs = Some(JobCounts{}) }, VerdictIdle, "no job has been completed"},
		"never staked":            {func(p *Picture) { p.Chain.Stake = read(Stake{}) }, VerdictNotEligible, "never staked"},
		"below the minimum":       {func(p *Picture) { stake(p, func(s *Stake) { s.Amount = WeiFromSAGE(9950) }) }, VerdictNotEligible, "50 SAGE short"},
		"refused by the contract": {func(p *Picture) { p.Chain.Eligible = read(false) }, VerdictNotEligible, "not eligible"},
		"chain never answered":    {func(p *Picture) { p.Chain.Stake.Maybe = None[Stake]("Starknet cannot be reached") }, VerdictUnknown, "cannot be reached"},
		"two failures of three":   {func(p *Picture) { stake(p, func(s *Stake) { s.ConsecutiveFailures = 2 }) }, VerdictAtRisk, "2 of 3"},
		"heartbeat late":          {func(p *Picture) { h, _ := p.Heartbeats.Get(); h.Last.At = noon.Add(-time.Hour) }, VerdictAtRisk, "arrived at 11:00 UTC"},
		"no heartbeat ever":       {func(p *Picture) { p.Heartbeats = Some(HeartbeatSummary{}) }, VerdictAtRisk, "ever arrived"},
		"a GPU is gone":           {func(p *Picture) { p.HostGPUs.GPUs[0].MissingSince = Some(noon.Add(-time.Minute)) }, VerdictAtRisk, "gone since 11:59 UTC"},
		"a GPU is hot":            {func(p *Picture) { p.HostGPUs.GPUs[0].ThrottleReasons = Some(ThrottleHWThermal) }, VerdictAtRisk, "thermal"},
		"the wrong GPU":           {func(p *Picture) { p.HostGPUs.GPUs[0].Tier = Some(TierConsumer) }, VerdictAtRisk, "Staked as Enterprise"},
		"database never answered": {func(p *Picture) {
			p.Jobs, p.Heartbeats = None[JobCounts]("it is down"), None[HeartbeatSummary]("it is down")
		}, VerdictUnknown, "not known"},
		"old values of the chain": {func(p *Picture) {
			p.Chain.State = SourceState{Health: HealthStale, ObservedAt: noon.Add(-time.Hour), Reason: "The node is silent."}
		}, VerdictUnknown, "silent"},
		"a moment without the node": {func(p *Picture) {
			p.Chain.State = SourceState{Health: HealthStale, ObservedAt: noon.Add(-time.Minute), Reason: "The node is silent."}
		}, VerdictEarning, "completed at 11:50 UTC"},
		"old values of the database": {func(p *Picture) {
			p.Database = SourceState{Health: HealthStale, ObservedAt: noon.Add(-time.Hour), Reason: "The database is away."}
		}, VerdictUnknown, "away"},
	} {
		t.Run(name, func(t *testing.T) {
			p := goodPicture()
			c.change(&p)
			a := p.Assess()
			if a.Verdict != c.want || !strings.Contains(a.Reason, c.words) {
				t.Errorf("got %s: %s; want %s with %q", a.Verdict, a.Reason, c.want, c.words)
			}
			for _, k := range a.Checks {
				if (k.State == CheckFail || k.State == CheckWarn) && k.Remedy == "" {
					t.Errorf("%s does not say how to mend it", k.Label)
				}
				if k.Detail == "" {
					t.Errorf("%s has no detail", k.Label)
				}
			}
		})
	}
}

// TestWhetherItEarnsIsAnsweredWhateverTheVerdictIs by work that goes on, and not by a job that
// a host which is gone held.
func TestWhetherItEarnsIsAnsweredWhateverTheVerdictIs(t *testing.T) {
	jobs := func(inProgress int64, last time.Duration) func(*Picture) {
		return func(p *Picture) {
			at := noon.Add(-last)
			p.Jobs = Some(JobCounts{Completed: 3, InProgress: inProgress, LastCompletedAt: &at})
		}
	}
	atRisk := func(p *Picture) { p.HostGPUs.GPUs[0].ThrottleReasons = Some(ThrottleHWThermal) }
	gone := func(p *Picture) { h, _ := p.Heartbeats.Get(); h.Last.At = noon.Add(-2 * time.Hour) }
	for name, c := range map[string]struct {
		change  []func(*Picture)
		verdict Verdict
		earning Maybe[bool]
	}{
		"at risk, with a job":                   {[]func(*Picture){jobs(1, 5*time.Hour), atRisk}, VerdictAtRisk, Some(true)},
		"at risk, without":                      {[]func(*Picture){jobs(0, 5*time.Hour), atRisk}, VerdictAtRisk, Some(false)},
		"a job of a host that is gone":          {[]func(*Picture){jobs(1, 5*time.Hour), gone}, VerdictAtRisk, Some(false)},
		"gone, but a job ended within the hour": {[]func(*Picture){jobs(0, 50*time.Minute), gone}, VerdictAtRisk, Some(true)},
		"the jobs are not known":                {[]func(*Picture){func(p *Picture) { p.Jobs = None[JobCounts]("it is down") }, atRisk}, VerdictAtRisk, None[bool]("it is down")},
	} {
		p := goodPicture()
		for _, change := range c.change {
			change(&p)
		}
		if a := p.Assess(); a.Verdict != c.verdict || a.Earning != c.earning {
			t.Errorf("%s: %s, earning %+v; want %s, %+v", name, a.Verdict, a.Earning, c.verdict, c.earning)
		}
	}
}

// TestAClockThatIsAheadIsWarnedOf beside a heartbeat that is in time.
func TestAClockThatIsAheadIsWarnedOf(t *testing.T) {
	p := goodPicture()
	h, _ := p.Heartbeats.Get()
	h.ClocksAhead = []ClockAhead{{WorkerID: "rig-2", By: 3 * time.Minute}}
	p.Heartbeats = Some(h)
	if a := p.Assess(); a.Verdict != VerdictAtRisk || !strings.Contains(a.Reason, `The clock of "rig-2" is 3 min ahead.`) {
		t.Errorf("%s: %s", a.Verdict, a.Reason)
	}
}

func TestAMissingSourceNeverBecomesZero(t *testing.T) {
	p := Picture{Now: noon}
	if p.Claimable().Known() || p.TotalEarnings().Known() || p.Uptime(Window24h).Known() || p.RealisedAPY().Known() || p.Headroom().Known() || p.AccrualPerDay().Known() {
		t.Error("a figure is known although no source answered")
	}
	if v := p.Assess().Verdict; v != VerdictUnknown {
		t.Errorf("verdict %s without any source", v)
	}
}

func TestRealisedAPY(t *testing.T) {
	stake := Some(Stake{Amount: WeiFromSAGE(1000)})
	at := func(d time.Duration) *time.Time { v := noon.Add(-d); return &v }
	day := 24 * time.Hour
	got, ok := RealisedAPY(Some(Earnings{First: at(100 * day), Last30d: WeiFromSAGE(30)}), stake, noon).Get()
	if !ok || got.Percent < 37.11 || got.Percent > 37.12 || got.Window != 29*day+12*time.Hour {
		t.Errorf("30 of 1000 in 30 d of which half of today is over: %+v", got)
	}
	for name, m := range map[string]Maybe[APY]{
		"no earnings known": RealisedAPY(None[Earnings]("down"), stake, noon),
		"no stake":          RealisedAPY(Some(Earnings{First: at(9 * day)}), Some(Stake{}), noon),
		"never earned":      RealisedAPY(Some(Earnings{}), stake, noon),
		"first hour":        RealisedAPY(Some(Earnings{First: at(time.Hour)}), stake, noon),
	} {
		if m.Known() || m.Reason() == "" {
			t.Errorf("%s: %v", name, m)
		}
	}
}

func TestExposure(t *testing.T) {
	cfg, _ := goodPicture().Chain.Network.Config.Get()
	e := ExposureTo(SlashTimeout, Stake{Amount: WeiFromSAGE(10200), Tier: TierEnterprise}, cfg)
	if e.Cost.Format() != "510 SAGE" || e.Headroom.Format() != "-310 SAGE" {
		t.Errorf("a timeout costs %s and leaves %s", e.Cost.Format(), e.Headroom.Format())
	}
}

func TestACardThatIsSlowedAgainAndAgainIsSaidInTheSameWords(t *testing.T) {
	p := goodPicture()
	gpu := &p.HostGPUs.GPUs[0]
	gpu.SlowedLately = Some(Slowdown{Last: p.Now.Add(-3 * time.Minute), Reasons: ThrottleSWThermal})
	var said []string
	for _, now := range []ThrottleReasons{0, ThrottleSWThermal, ThrottlePowerCap} {
		gpu.ThrottleReasons = Some(now)
		a := p.Assess()
		if a.Verdict != VerdictAtRisk {
			t.Errorf("with %v the verdict is %s", now, a.Verdict)
		}
		said = append(said, a.Reason)
	}
	if want := "GPU 0 has been slowed in the last 10 min: too hot: slowed by the driver."; said[0] != want || said[1] != want || said[2] != want {
		t.Errorf("it says %q", said)
	}
}

func TestARemedySparesTheJobsOfOtherCardsAndIsOneForEachTrouble(t *testing.T) {
	p := goodPicture()
	hot := p.HostGPUs.GPUs[0]
	hot.Index, hot.UUID = 1, "GPU-hot"
	hot.SlowedLately = Some(Slowdown{Last: noon, Reasons: ThrottleSWThermal})
	p.HostGPUs.GPUs[0].MissingSince = Some(noon.Add(-time.Minute))
	remedy := func() string {
		for _, c := range p.Assess().Checks {
			if c.ID == "gpus" {
				return c.Remedy
			}
		}
		return ""
	}
	if said := remedy(); !strings.HasPrefix(said, "Let the jobs on the host's other cards end, then power it off and on.") || strings.Contains(said, "slowed") {
		t.Errorf("of a card that is gone: %q", said)
	}
	p.HostGPUs.GPUs = append(p.HostGPUs.GPUs, hot)
	if said := remedy(); !strings.HasSuffix(said, " For a slowed card: check cooling, dust, and the power supply.") {
		t.Errorf("of one that is gone and one that is slowed: %q", said)
	}
	p.HostGPUs.GPUs = p.HostGPUs.GPUs[1:]
	if said := remedy(); said != "Check cooling, dust, and the power supply." {
		t.Errorf("of one that is slowed: %q", said)
	}
}

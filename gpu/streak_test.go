package gpu

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// heat is a card at a temperature, slowed or not, whose driver slows it at 89 °C.
func heat(temperature int, slowed bool) validator.GPU {
	g := card(0, "GPU-a", temperature)
	g.SlowdownTemperatureC = validator.Some(89)
	g.ThrottleReasons = validator.Some(validator.ThrottlePowerCap)
	if slowed {
		g.ThrottleReasons = validator.Some(validator.ThrottleSWThermal)
	}
	return g
}

// sinceWhen runs a Sampler through what a card does, a change after the other, and returns
// what it says of the card at the end, and when it began.
func sinceWhen(t *testing.T, changes []func() (Reading, error), every time.Duration) (validator.GPU, time.Time) {
	t.Helper()
	began := time.Now()
	r := &scripted{read: changes[0]}
	s, stop := start(t, r, Config{RetryMax: time.Second})
	for i, change := range changes {
		r.set(change)
		if i == 0 {
			after(time.Millisecond) // so that no change falls on a reading
		}
		after(every)
	}
	g := s.Snapshot().GPUs[0]
	if err := stop(); err != nil {
		t.Error(err)
	}
	return g, began
}

func TestSinceWhenAGPUIsSlowedAndHot(t *testing.T) {
	unknown := heat(80, false)
	unknown.ThrottleReasons, unknown.TemperatureC = validator.None[validator.ThrottleReasons]("the driver did not answer in time"), validator.None[int]("the driver did not answer in time")
	fails := func() (Reading, error) { return Reading{}, &Error{Reason: "It broke."} }
	lost := reads(validator.GPU{Index: 0, UUID: "GPU-a", Fault: validator.Some("lost")})
	cool, slow, hot, both := reads(heat(60, false)), reads(heat(60, true)), reads(heat(84, false)), reads(heat(91, true))

	// Readings are 2 s apart, at 0, 2, 4 s and so on, and stale after 6 s; each change comes
	// a moment after a reading, so that the next one is the first to see it.
	type since = time.Duration
	const not = since(-1)
	for name, test := range map[string]struct {
		changes     []func() (Reading, error)
		every       time.Duration
		slowed, hot since // from the beginning
	}{
		"neither":                    {[]func() (Reading, error){cool}, 4 * time.Second, not, not},
		"slowed from the beginning":  {[]func() (Reading, error){slow}, 4 * time.Second, 0, not},
		"then slowed, not hot":       {[]func() (Reading, error){cool, slow, slow}, 4 * time.Second, 6 * time.Second, not},
		"then hot, not slowed":       {[]func() (Reading, error){cool, hot, hot}, 4 * time.Second, not, 6 * time.Second},
		"hot first, then slowed too": {[]func() (Reading, error){cool, hot, both}, 4 * time.Second, 10 * time.Second, 6 * time.Second},
		"no longer":                  {[]func() (Reading, error){both, both, cool}, 4 * time.Second, not, not},
		"a second time":              {[]func() (Reading, error){both, cool, both}, 4 * time.Second, 10 * time.Second, 10 * time.Second},
		"unknown for a moment":       {[]func() (Reading, error){both, reads(unknown), both}, 2 * time.Second, 0, 0},
		"unknown for long":           {[]func() (Reading, error){both, reads(unknown), both}, 10 * time.Second, 22 * time.Second, 22 * time.Second},
		"not read for a moment":      {[]func() (Reading, error){both, fails, both}, 2 * time.Second, 0, 0},
		"lost for a moment":          {[]func() (Reading, error){both, lost, both}, 2 * time.Second, 0, 0},
		"lost for long":              {[]func() (Reading, error){both, lost, both}, 10 * time.Second, 22 * time.Second, 22 * time.Second},
		"lost, with its last words":  {[]func() (Reading, error){both, lost, lost}, 10 * time.Second, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, began := sinceWhen(t, test.changes, test.every)
				for field, f := range map[string]struct {
					got    validator.Maybe[time.Time]
					want   since
					reason string
				}{"SlowedSince": {g.SlowedSince, test.slowed, notSlowed}, "HotSince": {g.HotSince, test.hot, notHot}} {
					at, known := f.got.Get()
					switch {
					case f.want == not && (known || f.got.Reason() != f.reason):
						t.Errorf("%s is %s after the beginning, or missing because %q; want it missing because %q", field, at.Sub(began), f.got.Reason(), f.reason)
					case f.want != not && (!known || at.Sub(began) != f.want):
						t.Errorf("%s is %s after the beginning, missing because %q; want %s", field, at.Sub(began), f.got.Reason(), f.want)
					}
				}
			})
		})
	}
}

// A field that cannot be read leaves its reason, whatever was before.
func TestSinceWhenIsMissingForAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := card(0, "GPU-a", 90) // without a limit, and without throttle reasons
		g.ThrottleReasons = validator.None[validator.ThrottleReasons]("not supported by this driver")
		g.SlowdownTemperatureC = validator.None[int]("not supported by this GPU")
		r := &scripted{read: reads(g, validator.GPU{Index: 1, UUID: "GPU-b", Fault: validator.Some("lost")})}
		s, stop := start(t, r, Config{})
		after(time.Second)
		read := s.Snapshot().GPUs
		if got := read[0].SlowedSince; got.Known() || got.Reason() != "not supported by this driver" {
			t.Errorf("slowed since %v", got)
		}
		if got := read[0].HotSince; got.Known() || got.Reason() != "not supported by this GPU" {
			t.Errorf("hot since %v", got)
		}
		for _, got := range []validator.Maybe[time.Time]{read[1].SlowedSince, read[1].HotSince} {
			if got.Known() || got.Reason() != neverRead {
				t.Errorf("of a card that was never read: %v", got)
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestItIsRememberedThatAGPUWasSlowed(t *testing.T) {
	const hw, sw = validator.ThrottleHWThermal, validator.ThrottleSWThermal
	none, some := validator.Some(validator.ThrottleReasons(0)), validator.Some[validator.ThrottleReasons]
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var k trouble
	for _, step := range []struct {
		after   time.Duration
		reading validator.Maybe[validator.ThrottleReasons]
		want    validator.Maybe[validator.Slowdown]
	}{
		{0, none, validator.None[validator.Slowdown](notSlowed)},
		{time.Second, some(validator.ThrottlePowerCap), validator.None[validator.Slowdown](notSlowed)},
		{time.Minute, some(sw), validator.Some(validator.Slowdown{Last: start.Add(time.Minute), Reasons: sw})},
		{2 * time.Minute, none, validator.Some(validator.Slowdown{Last: start.Add(time.Minute), Reasons: sw})},
		{3 * time.Minute, some(hw), validator.Some(validator.Slowdown{Last: start.Add(3 * time.Minute), Reasons: sw | hw})},
		{13 * time.Minute, validator.None[validator.ThrottleReasons]("the driver did not answer in time"), validator.Some(validator.Slowdown{Last: start.Add(3 * time.Minute), Reasons: sw | hw})},
		{13*time.Minute + time.Second, none, validator.None[validator.Slowdown](notSlowed)},
		{14 * time.Minute, some(sw), validator.Some(validator.Slowdown{Last: start.Add(14 * time.Minute), Reasons: sw})},
	} {
		if got := k.remember(step.reading, start.Add(step.after)); got != step.want {
			t.Errorf("after %v: %+v, want %+v", step.after, got, step.want)
		}
	}
}

// The journal tells when a card was slowed, by reason, as closely as it is read.
func TestTheJournalTellsWhenACardWasSlowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := &scripted{read: reads(heat(60, false))}
		s, stop := start(t, r, Config{})
		after(time.Millisecond)
		r.set(reads(heat(91, true)))
		after(10 * time.Second)
		r.set(reads(heat(60, false)))
		after(30 * time.Second)
		lost := reads(validator.GPU{Index: 0, UUID: "GPU-a", Fault: validator.Some("lost")})
		r.set(reads(heat(91, true)))
		after(4 * time.Second)
		r.set(lost)
		after(time.Minute)
		spans := s.Journal(0).Throttled
		if len(spans) != 2 {
			t.Fatalf("spans %+v", spans)
		}
		for i, want := range []string{"0s 2s 10s 12s", "40s 42s 44s -"} {
			x := spans[i]
			before := "-"
			if x.Ended() {
				before = x.Before.Sub(began).String()
			}
			if got := fmt.Sprint(x.After.Sub(began), x.From.Sub(began), x.To.Sub(began)) + " " + before; got != want || x.Reason != validator.ThrottleSWThermal || x.GPUUUID != "GPU-a" {
				t.Errorf("span %d: %s, want %s", i, got, want)
			}
		}
		if shown := s.Snapshot().GPUs[0].Throttled; len(shown) != 2 || shown[1] != spans[1] {
			t.Errorf("a snapshot tells %+v", shown)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// fault is one thing that is broken on purpose, with what must be seen of it.
type fault struct {
	name   string
	source string // what it breaks: gpu, database, chain, server or client

	inject func(context.Context, *stage) error
	heal   func(context.Context, *stage) error // nil: nothing is left to be healed

	// noticed is what page and API must come to say. Without it the fault must leave no
	// trace: whatever is seen stays as it was.
	noticed condition
	within  time.Duration // 15 s if 0
	after   condition     // what must be true again; nothing: everything is calm
	recover time.Duration // 40 s if 0
	hold    time.Duration // for how long it stays once it is noticed; 2 s if 0

	looks   []string                             // at further paths
	may     allowance                            // answers that are right while it lasts
	flaps   bool                                 // it comes and goes by itself, so that what is noticed may, too
	quiet   bool                                 // no report is written meanwhile
	needs   func() string                        // why it cannot be made here; "" if it can
	during  func(context.Context, *stage) string // while it lasts: what is wrong; "" if nothing is
	verify  func(context.Context, *stage) string // after recovery, likewise
	says    func(*stage) string                  // adds to what the API said
	rebuild bool                                 // the stage is of no use afterwards
}

// allowance says which answers are no failures of the program.
type allowance struct {
	ingest503 bool // reports may be answered 503 with Retry-After
	reads503  bool // GETs may be answered 503 with Retry-After
	silence   bool // requests may find nobody
	unheard   bool // reports may find nobody, as those to another replica than the one that is looked at
	slow      bool // requests may take long
}

const (
	noticeBound  = 15 * time.Second
	recoverBound = 40 * time.Second
	holdTime     = 2 * time.Second
	tracelessFor = 3 * time.Second
	calmBound    = 90 * time.Second
	injectBound  = 60 * time.Second
)

// allowed is what may be seen by the source that a fault breaks.
func (f fault) allowed() allowance {
	a := f.may
	if f.source == sourceDatabase {
		a.ingest503 = true
	}
	a.unheard = a.unheard || a.silence
	a.ingest503 = a.ingest503 || a.silence // who has just started has no database yet
	return a
}

// outcome is a row of the table.
type outcome struct {
	lane, source, name      string
	skipped                 string
	page, api               string
	notice, recover         time.Duration
	noticed, recovered      bool
	traceless               bool
	acknowledged, stored    int
	lost, doubled           int
	problems                []string
	slowestRead, slowestPut time.Duration
}

func (o *outcome) problemf(format string, args ...any) {
	o.problems = append(o.problems, fmt.Sprintf(format, args...))
}

// run makes the fault on a stage and watches what comes of it.
func (f fault) run(ctx context.Context, s *stage) (o outcome) {
	o = outcome{source: f.source, name: f.name, traceless: f.noticed.holds == nil}
	s.observer.begin(f.looks)
	s.writer.begin()
	if _, calm := s.observer.await(ctx, time.Now(), calmBound, s.calm); !calm {
		last := s.observer.sights()
		o.problemf("before the fault the program was not calm: %s", lastOf(last))
		return o
	}
	s.observer.begin(f.looks)
	s.writer.begin()
	logPlace := s.program().logPlace()
	began := time.Now()
	f.make(ctx, s, &o, began)
	healed := f.mend(ctx, s, &o)
	f.awaitRecovery(ctx, s, &o, healed)
	seen := s.observer.sights()
	t := s.writer.drain(ctx)
	f.account(ctx, s, &o, t)
	f.judge(s, &o, seen, t, logPlace)
	if f.verify != nil && len(o.problems) == 0 {
		if wrong := f.verify(ctx, s); wrong != "" {
			o.problemf("%s", wrong)
		}
	}
	if f.says != nil {
		o.api += "; " + f.says(s)
	}
	return o
}

// make injects the fault and waits until it is noticed, and then some.
func (f fault) make(ctx context.Context, s *stage, o *outcome, began time.Time) {
	bounded, cancel := context.WithTimeout(ctx, injectBound)
	defer cancel()
	if err := f.inject(bounded, s); err != nil {
		o.problemf("the fault could not be made: %v", err)
		return
	}
	if o.traceless {
		sleep(ctx, max(f.hold, tracelessFor))
		f.lookForTraces(s, o, began)
		return
	}
	first, noticed := s.observer.await(ctx, began, orElse(f.within, noticeBound), f.noticed.holds)
	if !noticed {
		o.problemf("it was never noticed (%s): %s", f.noticed.what, lastOf(s.observer.sights()))
		return
	}
	o.noticed, o.notice = true, first.ended.Sub(began)
	o.page = pageOf(f.noticed, &first)
	noticedAt := time.Now()
	sleep(ctx, orElse(f.hold, holdTime))
	if f.flaps {
		return
	}
	for _, later := range s.observer.sights() {
		if later.began.After(noticedAt) && !f.noticed.holds(&later) {
			o.problemf("it was unsaid while it lasted: %s", describe(&later))
			return
		}
	}
}

// lookForTraces says what was seen of a fault that need not be seen.
func (f fault) lookForTraces(s *stage, o *outcome, began time.Time) {
	for _, v := range s.observer.sights() {
		for _, source := range []string{sourceGPU, sourceDatabase, sourceChain} {
			if v.began.After(began) && down(v.pills[source].status) {
				o.noticed, o.notice, o.page = true, v.ended.Sub(began), pageOf(f.noticed, &v)
				return
			}
		}
	}
	o.page = "as before"
}

// mend heals the fault and returns when that was done.
func (f fault) mend(ctx context.Context, s *stage, o *outcome) time.Time {
	if f.during != nil {
		if wrong := f.during(ctx, s); wrong != "" {
			o.problemf("while it lasted: %s", wrong)
		}
	}
	o.api = apiDuring(s.observer.sights(), s.writer)
	if f.heal != nil {
		bounded, cancel := context.WithTimeout(ctx, injectBound)
		defer cancel()
		if err := f.heal(bounded, s); err != nil {
			o.problemf("the fault could not be healed: %v", err)
		}
	}
	return time.Now()
}

func (f fault) awaitRecovery(ctx context.Context, s *stage, o *outcome, healed time.Time) {
	if f.rebuild {
		o.recovered = true
		return
	}
	holds := s.calm
	if f.after.holds != nil {
		holds = f.after.holds
	}
	good, recovered := s.observer.await(ctx, healed, orElse(f.recover, recoverBound), holds)
	if !recovered {
		o.problemf("it did not recover: %s", lastOf(s.observer.sights()))
		return
	}
	o.recovered, o.recover = true, good.ended.Sub(healed)
}

// account compares the rows.
func (f fault) account(ctx context.Context, s *stage, o *outcome, t tally) {
	if t.open > 0 && o.recovered {
		o.problemf("reports of %d rows were never answered", t.open)
	}
	at, err := s.adminURL()
	if err != nil {
		o.problemf("%v", err)
		return
	}
	l, err := count(ctx, at, s.writer, t)
	if err != nil {
		o.problemf("%v", err)
		return
	}
	o.acknowledged, o.stored, o.lost, o.doubled = l.acknowledged, l.stored, l.lost, l.doubled
	if l.lost+l.doubled > 0 {
		o.problemf("rows lost or doubled: %v", l.examples)
	}
	if f.quiet || l.acknowledged > 0 {
		return
	}
	o.problemf("no report was acknowledged at all")
}

func orElse(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// calm reports whether all is as it should be: the sources answer, page and API agree, the
// program is ready and reports are stored.
func (s *stage) calm(v *sight) bool {
	for _, source := range []string{sourceGPU, sourceDatabase, sourceChain} {
		if v.sources[source].status != "ok" || v.pills[source].status != "ok" {
			return false
		}
	}
	for _, code := range v.codes {
		if code != 200 {
			return false
		}
	}
	return v.ingest.status == 200 && time.Since(v.ingest.at) < 10*time.Second
}

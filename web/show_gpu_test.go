package web

import (
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// slashFor is a slash at a time, for the job with a number in decimal.
func slashFor(at time.Time, hexJob string) validator.StakeEvent {
	return validator.StakeEvent{Kind: validator.StakeEventSlashed, Amount: validator.WeiFromSAGE(250), JobID: hexJob, Block: validator.Block{Time: at}}
}

func TestASlashIsShownUnlessItsJobFailedOnAnotherGPU(t *testing.T) {
	at := chartStart
	chain := validator.ChainSnapshot{StakeEvents: validator.Some([]validator.StakeEvent{
		slashFor(at, "0xb"),                   // job 11, on this GPU
		slashFor(at, "0xc"),                   // job 12, on another
		slashFor(at, "0xd"),                   // job 13, on nobody knows which
		slashFor(at, "0xe"),                   // of no job that is known
		slashFor(at.Add(-2*time.Hour), "0xb"), // before the window
		{Kind: validator.StakeEventStaked, Block: validator.Block{Time: at}},
	})}
	failed := []validator.Job{{ID: "11", GPUUUID: "GPU-a"}, {ID: "12", GPUUUID: "GPU-b"}, {ID: "13"}}
	var jobs []string
	for _, e := range slashesOf(chain, failed, "GPU-a", at.Add(-time.Hour)) {
		jobs = append(jobs, e.JobID)
	}
	if got := strings.Join(jobs, " "); got != "0xb 0xd 0xe" {
		t.Errorf("slashes for jobs %s", got)
	}
}

func TestEventsAreDrawnNewestFirstAndNotTooMany(t *testing.T) {
	s := newServer(t, dbtest.New(t))
	at := func(secondsAgo int) time.Time { return chartStart.Add(-time.Duration(secondsAgo) * time.Second) }
	ended := at(100)
	g := gpuAsked{wallet: alice, window: gpuWindows[0], now: chartStart}
	g.member.GPU = validator.GPU{UUID: "GPU-a", MissingSince: validator.Some(at(20)), Events: []validator.GPUEvent{xidEvent(1, 79, at(50)), xidEvent(2, 79, at(50)), xidEvent(3, 79, at(3000))}}
	past := gpuPast{
		failures: validator.Some([]validator.Job{{ID: "11", Status: validator.JobTimedOut, CompletedAt: &ended, ErrorMessage: "too late"}}),
		slashes:  []validator.StakeEvent{slashFor(at(90), "0xb")},
	}
	past.spans = validator.Some([]validator.ThrottleSpan{{Reason: validator.ThrottleHWThermal, After: at(297), From: at(295), To: at(291), Before: at(289)}})
	var got []string
	for _, m := range s.gpuMarks(g, past, []gap{{at(290), at(-5)}}) {
		words := m.Label + " " + m.At.Words
		if m.Until != nil {
			words += " until " + m.Until.Words
		}
		if m.Now {
			words += " (now)"
		}
		got = append(got, words)
	}
	want := `It no longer answers 20 s ago
XID 79: The card has fallen off the bus: the host no longer reaches it over PCIe 50 s ago
Slashed 250 SAGE: invalid proof 1 min ago
Job timed out: too late 1 min ago
No reading for 4 min 4 min ago until in 5 s (now)
Slowed: hardware thermal slowdown 4 min ago until 4 min ago`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	var many []gap
	for i := range 50 {
		many = append(many, gap{at(500 - 10*i), at(495 - 10*i)})
	}
	if n := len(s.gpuMarks(g, past, many)); n != marksShown {
		t.Errorf("%d events are drawn", n)
	}
}

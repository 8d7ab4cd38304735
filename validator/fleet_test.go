package validator

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func reported(host, uuid string, ago time.Duration) WorkerGPU {
	return WorkerGPU{WorkerID: host, ReportedAt: noon.Add(-ago), GPU: GPU{UUID: uuid, Tier: Some(TierEnterprise)}}
}

func TestFleetJoinsThisHostsCardsWithThoseOfOthers(t *testing.T) {
	p := goodPicture()
	p.HostGPUs.GPUs = []GPU{{UUID: "here"}, {UUID: ""}}
	p.WorkerGPUs = Some([]WorkerGPU{
		reported("rig-1", "here", time.Second),                                 // this host reads it itself
		reported("rig-1", "moved", time.Hour),                                  // it is in rig-2 by now
		reported("rig-1", "", time.Second),                                     // unnamed: another card than this host's unnamed one
		reported("rig-2", "moved", HeartbeatInterval(1).GoneAfter()),           // just in time
		reported("rig-2", "silent", HeartbeatInterval(1).GoneAfter()+1),        // just too late
		reported("rig-3", "moved", HeartbeatInterval(1).GoneAfter()+time.Hour), // it was there long ago
	})
	words := func() (out []string) {
		for _, m := range p.Fleet() {
			out = append(out, fmt.Sprintf("%s/%s %v", m.WorkerID, m.GPU.UUID, m.Stale))
		}
		return out
	}
	if got, want := strings.Join(words(), ", "), "/here false, / false, rig-2/moved false, rig-1/ false, rig-2/silent true"; got != want {
		t.Errorf("the fleet is %s, want %s", got, want)
	}
	if n := len(p.AllGPUs()); n != 4 {
		t.Errorf("%d GPUs count as present, want 4", n)
	}
	p.HostGPUsApply = false
	if got, want := strings.Join(words(), ", "), "rig-1/here false, rig-2/moved false, rig-1/ false, rig-2/silent true"; got != want {
		t.Errorf("without this host the fleet is %s, want %s", got, want)
	}
}

func TestACardOfASilentHostDoesNotCountAsPresent(t *testing.T) {
	p := goodPicture()
	p.WorkerGPUs = Some([]WorkerGPU{reported("rig-2", "far", 2*time.Hour)})
	check := func() Check {
		for _, c := range p.Assess().Checks {
			if c.ID == "gpus" {
				return c
			}
		}
		t.Fatal("nothing is said of GPUs")
		return Check{}
	}
	if c := check(); c.State != CheckWarn || !strings.Contains(c.Detail, "GPU 0 of rig-2 was last reported at 10:00 UTC") || c.Remedy == "" {
		t.Errorf("one card of two is silent: %+v", c)
	}
	p.HostGPUs.GPUs[0].MissingSince = Some(noon.Add(-time.Second))
	if c := check(); c.State != CheckFail || !strings.Contains(c.Detail, "gone since 11:59 UTC; GPU 0 of rig-2") {
		t.Errorf("one is gone, one silent: %+v", c)
	}
	p.WorkerGPUs = Some([]WorkerGPU{reported("rig-2", "far", time.Minute)})
	p.HostGPUs.GPUs = nil
	if c := check(); c.State != CheckPass || c.Detail != "1 GPU answers." {
		t.Errorf("one card, reported a minute ago: %+v", c)
	}
	if p.PowerDraw().Known() {
		t.Error("the power of a card that does not tell it is known")
	}
	p.WorkerGPUs = Some([]WorkerGPU{reported("rig-2", "far", time.Hour)})
	if got := p.PowerDraw(); got.Reason() != "no GPU answers" {
		t.Errorf("a silent card draws %v", got)
	}
}

// TestSentencesStandStillWhileNothingHappens within a minute: a poll that brings nothing new then has no body.
func TestSentencesStandStillWhileNothingHappens(t *testing.T) {
	said := map[string]bool{}
	for second := range 59 {
		p := goodPicture()
		p.Now = noon.Add(time.Duration(second) * time.Second)
		completed := noon
		p.Jobs = Some(JobCounts{LastCompletedAt: &completed})
		h, _ := p.Heartbeats.Get()
		h.Last.At = noon
		a := p.Assess()
		said[a.Reason+fmt.Sprint(a.Checks)] = true
	}
	if len(said) != 1 {
		t.Errorf("%d different checklists within a minute: %v", len(said), said)
	}
}

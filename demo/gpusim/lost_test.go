package gpusim

import (
	"context"
	"log/slog"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestALostCardIsListedForAWhile(t *testing.T) {
	c := newClock()
	began := c.now
	h, r := newHost(t, c, Card{UUID: "a", Name: h100, FallsOffBusAfter: time.Minute}, Card{UUID: "b", Name: h100})
	whole := read(t, r)
	if len(whole.GPUs) != 2 || len(whole.XIDs) != 0 {
		t.Fatalf("before: %+v", whole)
	}
	c.pass(61 * time.Second)
	lost := read(t, r)
	want := gpu.XID{UUID: "a", XIDEvent: validator.XIDEvent{Code: 79, At: began.Add(time.Minute)}}
	if len(lost.XIDs) != 1 || lost.XIDs[0] != want {
		t.Errorf("XIDs: %+v", lost.XIDs)
	}
	if len(lost.GPUs) != 2 || lost.GPUs[0].Fault.Or("") != validator.FaultLost || lost.GPUs[1].Fault.Known() {
		t.Errorf("cards: %+v", lost.GPUs)
	}
	if h.Usable("a") || !h.Usable("b") {
		t.Error("a lost card can be used, or the other cannot")
	}
	again, _ := h.Open()
	if x := read(t, again).XIDs; len(x) != 0 {
		t.Errorf("a Reader that was opened later tells of it again: %+v", x)
	}
	c.pass(listedAfterLoss)
	if gone := read(t, r); len(gone.GPUs) != 1 || len(gone.XIDs) != 0 || gone.GPUs[0].UUID != "b" {
		t.Errorf("later: %+v", gone)
	}
}

// As with NVML, what does not change is known of a lost card, and each other field is
// missing for the same reason.
func TestALostCardsFieldsAreMissing(t *testing.T) {
	c := newClock()
	_, r := newHost(t, c, Card{UUID: "a", Name: h100, FallsOffBusAfter: time.Minute})
	c.pass(time.Minute)
	lost := reflect.ValueOf(read(t, r).GPUs[0])
	lasting := map[string]bool{
		"Fault": true, "Name": true, "PCIBusID": true, "VBIOS": true, "SlowdownTemperatureC": true, "ShutdownTemperatureC": true, "MaxTemperatureC": true,
		"PowerDefaultMilliwatts": true, "SMClockMaxMHz": true, "MemoryClockMaxMHz": true, "PCIeGenerationMax": true, "PCIeWidthMax": true, "XIDsWatchedSince": true,
	}
	samplers := map[string]bool{"MissingSince": true, "SlowedSince": true, "HotSince": true, "SlowedLately": true, "Tier": true} // filled in by the Sampler
	for i := range lost.NumField() {
		name := lost.Type().Field(i).Name
		m, ok := lost.Field(i).Interface().(interface {
			Known() bool
			Reason() string
		})
		if !ok || samplers[name] {
			continue
		}
		if m.Known() != lasting[name] || !m.Known() && m.Reason() != validator.FaultLost {
			t.Errorf("%s: known %t, because %q", name, m.Known(), m.Reason())
		}
	}
}

func TestTheSamplerKeepsALostCard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := New(Config{Cards: []Card{{UUID: "a", Name: h100, FallsOffBusAfter: 30 * time.Second}, {UUID: "b", Name: l40s}}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := gpu.NewSampler(gpu.Config{Open: h.Open, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		put(t, h, "a", training())
		began := time.Now()
		look := func(d time.Duration) validator.GPU {
			time.Sleep(d)
			synctest.Wait()
			snap := s.Snapshot()
			if len(snap.GPUs) != 2 || snap.State.Health != validator.HealthOK || snap.GPUs[1].MissingSince.Known() {
				t.Fatalf("after %s: %+v", time.Since(began), snap)
			}
			return snap.GPUs[0]
		}
		if g := look(29 * time.Second); g.MissingSince.Known() || len(validator.XIDs(g.Events)) != 0 || g.Tier.Or(-1) != validator.TierEnterprise {
			t.Errorf("before: %+v", g)
		}
		g := look(3 * time.Second)
		since, missing := g.MissingSince.Get()
		if !missing || g.Fault.Or("") != validator.FaultLost || len(validator.XIDs(g.Events)) != 1 || validator.XIDs(g.Events)[0].Code != 79 || g.UtilizationPercent.Or(0) < 95 {
			t.Errorf("lost: %+v; want it missing with its last reading", g)
		}
		g = look(time.Hour)
		if g.MissingSince.Or(time.Time{}) != since || g.Fault.Or("") == validator.FaultLost || len(validator.XIDs(g.Events)) != 1 || g.Name.Or("") != h100 {
			t.Errorf("an hour later: %+v; want it missing since %s and no longer listed", g, since)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

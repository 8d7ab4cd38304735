package demo

import (
	"time"

	"github.com/bitsage-network/validator-dashboard/demo/gpusim"
	"github.com/bitsage-network/validator-dashboard/demo/history"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// seed is that of all the demo's chance.
const seed = 20260

// cardFallsAfter is when one of the demo's cards falls off the bus.
const cardFallsAfter = time.Minute

// hereName is the machine that the dashboard runs on.
const hereName = "rig-1"

// hosts are the validator's machines: the one that the dashboard runs on, and one whose
// cards it knows from reports only.
type hosts struct {
	here, away *gpusim.Host
}

// overheats is the card that gets too hot.
const overheats = "GPU-5f0d3c1e-8a47-4b6e-9c21-0e7a64d1b202"

var (
	cardsHere = []gpusim.Card{
		{UUID: "GPU-5f0d3c1e-8a47-4b6e-9c21-0e7a64d1b200", Name: "NVIDIA H100 80GB HBM3"},
		{UUID: "GPU-5f0d3c1e-8a47-4b6e-9c21-0e7a64d1b201", Name: "NVIDIA H100 80GB HBM3"},
		{UUID: overheats, Name: "NVIDIA H100 80GB HBM3", Overheats: true},
		{UUID: "GPU-5f0d3c1e-8a47-4b6e-9c21-0e7a64d1b203", Name: "NVIDIA H100 80GB HBM3", FallsOffBusAfter: cardFallsAfter},
	}
	cardsAway = []gpusim.Card{
		{UUID: "GPU-c2b9e7a0-1d5f-4e83-a6b4-7f3091ce5500", Name: "NVIDIA H200"},
	}
)

// newHosts switches the machines on, idle.
func newHosts() (hosts, error) {
	here, err := gpusim.New(gpusim.Config{Cards: cardsHere, Seed: seed})
	if err != nil {
		return hosts{}, err
	}
	away, err := gpusim.New(gpusim.Config{Cards: cardsAway, Seed: seed + 1})
	return hosts{here, away}, err
}

// read reads the cards that the dashboard's own machine does not have.
func (r hosts) read() ([]validator.GPU, error) {
	reader, err := r.away.Open()
	if err != nil {
		return nil, err
	}
	reading, err := reader.Read()
	return reading.GPUs, err
}

// setLoad puts a job's load on whichever machine has the card.
func (r hosts) setLoad(uuid string, l history.Load) {
	if r.here.SetLoad(uuid, gpusim.Load(l)) != nil {
		_ = r.away.SetLoad(uuid, gpusim.Load(l)) // every card of the story is on one of them
	}
}

func (r hosts) usable(uuid string) bool { return r.here.Usable(uuid) || r.away.Usable(uuid) }

// demoHosts are the machines as the story knows them, with what their cards say of themselves.
func (r hosts) hosts(now time.Time) ([]history.Host, error) {
	hosts := []history.Host{{ID: hereName}, {ID: "rig-2", Since: now.Add(-74 * 24 * time.Hour), Reported: true}}
	for i, h := range []*gpusim.Host{r.here, r.away} {
		reader, err := h.Open()
		if err != nil {
			return nil, err
		}
		reading, err := reader.Read()
		if err != nil {
			return nil, err
		}
		for _, g := range reading.GPUs {
			const milli = 1000
			hosts[i].GPUs = append(hosts[i].GPUs, history.GPU{
				Index: g.Index, UUID: g.UUID, Name: g.Name.Or(""), MemoryTotalBytes: g.MemoryTotalBytes.Or(0), PowerLimitWatts: g.PowerLimitMilliwatts.Or(0) / milli,
			})
		}
	}
	return hosts, nil
}

package validator

import "time"

// FleetGPU is a GPU that works for a wallet, with the host that it is on.
type FleetGPU struct {
	GPU        GPU
	WorkerID   string    // the other host that reported it; "" for this host
	ReportedAt time.Time // by the other host; zero for this host
	// Stale says that the other host reported it so long ago that it counts as gone: what its
	// fields hold is its last reading, and whether it is still there nobody knows.
	Stale bool
}

// Fleet returns the GPUs that work for the wallet: this host's, if they do, then those
// that other hosts ever reported. A card that several report (by its UUID) is one, as
// this host reads it, else as it was reported last.
func (p Picture) Fleet() []FleetGPU {
	var out []FleetGPU
	seen := map[string]int{} // where in out a UUID stands
	if p.HostGPUsApply {
		for _, g := range p.HostGPUs.GPUs {
			seen[g.UUID] = len(out)
			out = append(out, FleetGPU{GPU: g})
		}
	}
	for _, w := range p.WorkerGPUs.Or(nil) {
		member := FleetGPU{GPU: w.GPU, WorkerID: w.WorkerID, ReportedAt: w.ReportedAt, Stale: p.Now.Sub(w.ReportedAt) > p.HeartbeatInterval.GoneAfter()}
		i, twice := seen[w.GPU.UUID]
		switch {
		case !twice || w.GPU.UUID == "": // a card without a UUID is like no other
			seen[w.GPU.UUID] = len(out)
			out = append(out, member)
		case out[i].WorkerID != "" && w.ReportedAt.After(out[i].ReportedAt):
			out[i] = member
		}
	}
	return out
}

// AllGPUs returns the GPUs that count as present: the fleet's but for stale ones. A card
// that its host reports as missing is among them, with MissingSince set.
func (p Picture) AllGPUs() []GPU {
	var out []GPU
	for _, m := range p.Fleet() {
		if !m.Stale {
			out = append(out, m.GPU)
		}
	}
	return out
}

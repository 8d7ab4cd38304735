package gpu

import (
	"fmt"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// published is the newest outcome. It is never changed after it was stored.
type published struct {
	host    validator.GPUHost
	gpus    []validator.GPU
	at      time.Time // start of the newest good pass; zero if there was none
	failure *Error    // why the newest attempt failed; nil if it did not
}

// Snapshot returns the newest reading with the state of the source as of now. It never
// waits for a GPU, and the caller may change what it gets.
//
// The source is ok while its newest good pass is younger than Config.StaleAfter: an older
// one is stale, whether passes fail, hang or have ended. It is unavailable while there
// was no good pass at all. A driver that lists no GPU is ok, with no GPUs.
func (s *Sampler) Snapshot() validator.GPUSnapshot {
	p := s.current.Load()
	snap := validator.GPUSnapshot{
		State: s.state(p, time.Now()),
		Host:  p.host,
		GPUs:  slices.Clone(p.gpus),
	}
	for i := range snap.GPUs {
		g := &snap.GPUs[i]
		g.Events, g.Throttled = slices.Clone(g.Events), slices.Clone(g.Throttled)
		g.Processes = validator.Map(g.Processes, slices.Clone[[]validator.GPUProcess])
	}
	return snap
}

func (s *Sampler) state(p *published, now time.Time) validator.SourceState {
	st := validator.SourceState{Source: validator.SourceGPU, Health: validator.HealthOK, ObservedAt: p.at}
	age, ever := st.Age(now)
	if ever && age <= s.cfg.StaleAfter {
		return st
	}
	st.Health = validator.HealthStale
	if !ever {
		st.Health = validator.HealthUnavailable
	}
	switch busy := s.busy.Load(); {
	case busy != nil && now.Sub(*busy) > s.cfg.StaleAfter/2: // it began after the newest good pass
		st.Reason = fmt.Sprintf("NVIDIA's driver has not answered for %s.", now.Sub(*busy).Round(time.Second))
		st.Remedy = "Try nvidia-smi: if it hangs too, look for NVRM and Xid in the kernel's log (dmesg) and reboot the host."
	case p.failure != nil:
		st.Reason, st.Remedy = p.failure.Reason, p.failure.Remedy
	case !ever:
		st.Reason = "The GPUs have not been read yet."
	default:
		st.Reason = fmt.Sprintf("The GPUs were last read %s ago.", age.Round(time.Second))
	}
	return st
}

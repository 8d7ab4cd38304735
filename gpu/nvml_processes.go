//go:build linux && cgo

package gpu

import (
	"math"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// readProcesses reads the programs that use the GPU: how many there are, and the largest. A
// list without one of its two kinds would show a busy GPU as free, so both must be read.
func (q *query) readProcesses(g *validator.GPU) {
	compute := ask(q, func() ([]nvml.ProcessInfo, nvml.Return) { return q.device.GetComputeRunningProcesses() }, computeSymbols...)
	graphics := ask(q, func() ([]nvml.ProcessInfo, nvml.Return) { return q.device.GetGraphicsRunningProcesses() }, graphicsSymbols...)
	if graphics.Reason() == fromGPU {
		graphics = validator.Some[[]nvml.ProcessInfo](nil) // a card that has no graphics runs none
	}
	all := validator.Map2(compute, graphics, onePerProgram)
	g.ProcessCount = validator.Map(all, func(all []validator.GPUProcess) int { return len(all) })
	g.Processes = validator.Map(all, func(all []validator.GPUProcess) []validator.GPUProcess {
		largest := validator.LargestProcesses(all)
		for i := range largest {
			largest[i].Name = q.processName(largest[i].PID) // asked for those only: hundreds would take a pass's time
		}
		return largest
	})
}

// instance is a part of a GPU that is split (MIG); all of one that is not have the same.
type instance struct{ gpu, compute uint32 }

// onePerProgram makes one row of all contexts of a program. NVML lists it once for each kind
// of context, each time with all the memory that it has on the GPU, or on that part of it.
func onePerProgram(compute, graphics []nvml.ProcessInfo) []validator.GPUProcess {
	const unavailable = math.MaxUint64 // NVML_VALUE_NOT_AVAILABLE
	var order []uint32
	programs := map[uint32]*validator.GPUProcess{}
	memory := map[uint32]map[instance]uint64{}
	add := func(p nvml.ProcessInfo) *validator.GPUProcess {
		if programs[p.Pid] == nil {
			order = append(order, p.Pid)
			programs[p.Pid] = &validator.GPUProcess{PID: p.Pid}
			memory[p.Pid] = map[instance]uint64{}
		}
		if part := (instance{p.GpuInstanceId, p.ComputeInstanceId}); p.UsedGpuMemory != unavailable {
			memory[p.Pid][part] = max(memory[p.Pid][part], p.UsedGpuMemory)
		}
		return programs[p.Pid]
	}
	for _, p := range compute {
		add(p).Compute = true
	}
	for _, p := range graphics {
		add(p).Graphics = true
	}
	all := make([]validator.GPUProcess, 0, len(order))
	for _, pid := range order {
		p := *programs[pid]
		p.MemoryBytes = validator.None[uint64]("the driver does not tell")
		if parts := memory[pid]; len(parts) > 0 {
			p.MemoryBytes = validator.Some(sum(parts))
		}
		all = append(all, p)
	}
	return all
}

// sum adds up, or returns the largest number where that does not fit.
func sum(parts map[instance]uint64) uint64 {
	var total uint64
	for _, n := range parts {
		if total += n; total < n {
			return math.MaxUint64
		}
	}
	return total
}

func (q *query) processName(pid uint32) validator.Maybe[string] {
	host := &query{r: q.r} // a process that has ended must not break its GPU
	name := ask(host, func() (string, nvml.Return) { return q.r.lib.SystemGetProcessName(int(pid)) }, "nvmlSystemGetProcessName")
	if name.Reason() == explain(nvml.ERROR_NOT_FOUND).phrase {
		return validator.None[string]("it has ended, or runs in another container")
	}
	return validator.Map(name, printable)
}

package validator

import (
	"cmp"
	"slices"
)

// GPUProcess is a program that uses a GPU.
type GPUProcess struct {
	PID         uint32        `json:"PID"`
	Name        Maybe[string] `json:"Name"`
	MemoryBytes Maybe[uint64] `json:"MemoryBytes"` // of all its contexts
	Compute     bool          `json:"Compute"`     // it has a compute context
	Graphics    bool          `json:"Graphics"`    // it has a graphics context
}

// ProcessesKept is how many programs of one GPU are kept, the largest.
const ProcessesKept = 8

// LargestProcesses returns the programs that use the most memory, the largest first, at most
// ProcessesKept. Those that do not tell come last.
func LargestProcesses(all []GPUProcess) []GPUProcess {
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b GPUProcess) int {
		ma, aTells := a.MemoryBytes.Get()
		mb, bTells := b.MemoryBytes.Get()
		switch {
		case aTells && !bTells:
			return -1
		case bTells && !aTells:
			return 1
		}
		return cmp.Or(cmp.Compare(mb, ma), cmp.Compare(a.PID, b.PID))
	})
	return sorted[:min(len(sorted), ProcessesKept):min(len(sorted), ProcessesKept)]
}

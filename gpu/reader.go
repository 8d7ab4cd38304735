package gpu

import (
	"fmt"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Reader reads all GPUs of a host. A Sampler calls it from one goroutine at a time, and
// drops the values that cannot be (validator.GPU.Bounded).
type Reader interface {
	// Read makes one pass over the GPUs. A GPU that cannot be read is listed with its
	// Fault; an error means that the source as a whole failed: the Sampler then closes
	// this Reader and opens another. A Reading's XIDs count even beside an error.
	Read() (Reading, error)
	// Close releases the source. The Reader is not used afterwards.
	Close() error
}

// Reading is what one pass over a host's GPUs found. The Sampler fills in what needs
// more than one pass or holds for every Reader: SampledAt, MissingSince, Tier and Events
// of each GPU.
type Reading struct {
	Host validator.GPUHost
	GPUs []validator.GPU
	XIDs []XID // that came since the pass before, oldest first
}

// XID is an error that NVIDIA's driver reported for the GPU with the given UUID
// (nvmlEventTypeXidCriticalError). UUID is empty if the driver named no GPU that is listed.
type XID struct {
	validator.XIDEvent

	UUID string
}

// Error says why the GPUs of this host cannot be read, in sentences for people.
type Error struct {
	Reason string // what is wrong
	Remedy string // what the reader can do about it; may be empty
	Err    error  // the cause, for the log; may be nil
}

// Error returns the reason and the cause, for the log.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return fmt.Sprintf("%s (%v)", e.Reason, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

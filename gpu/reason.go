package gpu

// Reasons that every Reader gives in the same words.
const (
	// NotSupportedByGPU is why a card has no value of a field that others have.
	NotSupportedByGPU = "not supported by this GPU"
	// FaultLost is the Fault of a card that fell off the bus.
	FaultLost = "GPU is lost: it fell off the bus or no longer answers"
)

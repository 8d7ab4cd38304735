package gpu

// NotSupportedByGPU is why a card has no value of a field that others have. Every Reader gives
// it in these words.
const NotSupportedByGPU = "not supported by this GPU"

package validator

import "time"

// GPUSnapshot is the newest reading of one host's GPUs.
type GPUSnapshot struct {
	State SourceState
	Host  GPUHost
	GPUs  []GPU // by index; a GPU that was there and is gone stays, with MissingSince set
}

// GPUHost is what NVML says of the host as a whole.
type GPUHost struct {
	DriverVersion Maybe[string] // nvmlSystemGetDriverVersion
	CUDAVersion   Maybe[string] // highest that the driver supports, "12.8" (nvmlSystemGetCudaDriverVersion_v2)
	// ConfidentialCompute is the state of confidential computing on this host
	// (nvmlSystemGetConfComputeState); it is read, never guessed from a model's name.
	ConfidentialCompute Maybe[ConfidentialCompute]
}

// ConfidentialCompute is NVML's system-wide state of confidential computing.
type ConfidentialCompute struct {
	Enabled     bool        // the CC feature is on
	DevTools    bool        // CC runs in its debugging mode: attestation does not protect data
	Environment string      // "unavailable", "simulation" or "production"
	GPUsReady   Maybe[bool] // the GPUs accept work (nvmlSystemGetConfComputeGpusReadyState)
}

// FaultLost is the Fault of a card that fell off the bus. Every reader gives it in these words.
const FaultLost = "GPU is lost: it fell off the bus or no longer answers"

// GPU is one reading of one GPU. Each field can be missing by itself, with the reason.
type GPU struct {
	Index int           `json:"Index"` // NVML's index at the last time it was seen; may change with a reboot
	UUID  string        `json:"UUID"`  // "GPU-…"; the identity that lasts. Empty only if it could not be read
	Fault Maybe[string] `json:"Fault"` // known if the GPU as a whole cannot be read: why, in words
	// MissingSince is known if the GPU was seen by this process and is no longer listed
	// or answering; the other fields then hold its last reading.
	MissingSince Maybe[time.Time] `json:"MissingSince"`
	SampledAt    time.Time        `json:"SampledAt"` // of the fields below

	// SlowedSince and HotSince are since when this process has found the GPU slowed
	// (ThrottleReasons.Slowed) or near its heat limit (NearHeatLimit) at every reading. Time
	// in which readings would have grown stale counts as an end; missing while it is not so.
	SlowedSince Maybe[time.Time] `json:"SlowedSince"`
	HotSince    Maybe[time.Time] `json:"HotSince"`

	// SlowedLately is when and why this process found the GPU slowed in the last SlowedMemory
	// of readings; missing if it did not. It outlives pauses between two jobs, which end
	// SlowedSince each time.
	SlowedLately Maybe[Slowdown] `json:"SlowedLately"`

	Name     Maybe[string] `json:"Name"`     // "NVIDIA H100 80GB HBM3"
	PCIBusID Maybe[string] `json:"PCIBusID"` // "00000000:01:00.0"
	VBIOS    Maybe[string] `json:"VBIOS"`    // version of the board's firmware, "96.00.74.00.11"
	Tier     Maybe[Tier]   `json:"Tier"`     // by the model's name; missing for an unknown model

	MemoryTotalBytes    Maybe[uint64] `json:"MemoryTotalBytes"`
	MemoryUsedBytes     Maybe[uint64] `json:"MemoryUsedBytes"` // without the driver's reserve where the driver tells it apart (memory v2)
	MemoryReservedBytes Maybe[uint64] `json:"MemoryReservedBytes"`

	UtilizationPercent    Maybe[uint32] `json:"UtilizationPercent"`    // share of the last sample period in which a kernel ran
	MemoryActivityPercent Maybe[uint32] `json:"MemoryActivityPercent"` // share in which memory was read or written: the bus, not how full it is
	EncoderPercent        Maybe[uint32] `json:"EncoderPercent"`
	DecoderPercent        Maybe[uint32] `json:"DecoderPercent"`

	TemperatureC         Maybe[int] `json:"TemperatureC"`
	MemoryTemperatureC   Maybe[int] `json:"MemoryTemperatureC"`
	SlowdownTemperatureC Maybe[int] `json:"SlowdownTemperatureC"` // the GPU throttles from here on
	ShutdownTemperatureC Maybe[int] `json:"ShutdownTemperatureC"`
	MaxTemperatureC      Maybe[int] `json:"MaxTemperatureC"` // highest operating temperature

	PowerMilliwatts        Maybe[uint32] `json:"PowerMilliwatts"`
	PowerLimitMilliwatts   Maybe[uint32] `json:"PowerLimitMilliwatts"` // enforced: the lowest of all limits in force
	PowerDefaultMilliwatts Maybe[uint32] `json:"PowerDefaultMilliwatts"`
	EnergyMillijoules      Maybe[uint64] `json:"EnergyMillijoules"` // since the driver was loaded

	SMClockMHz        Maybe[uint32]          `json:"SMClockMHz"`
	SMClockMaxMHz     Maybe[uint32]          `json:"SMClockMaxMHz"`
	MemoryClockMHz    Maybe[uint32]          `json:"MemoryClockMHz"`
	MemoryClockMaxMHz Maybe[uint32]          `json:"MemoryClockMaxMHz"`
	FanPercent        Maybe[uint32]          `json:"FanPercent"`       // missing on passively cooled cards
	PerformanceState  Maybe[int]             `json:"PerformanceState"` // 0 (P0, fastest) to 15
	ThrottleReasons   Maybe[ThrottleReasons] `json:"ThrottleReasons"`

	ECCEnabled                Maybe[bool]         `json:"ECCEnabled"`
	ECCCorrectedVolatile      Maybe[uint64]       `json:"ECCCorrectedVolatile"` // since the last driver load
	ECCUncorrectedVolatile    Maybe[uint64]       `json:"ECCUncorrectedVolatile"`
	ECCUncorrectedAggregate   Maybe[uint64]       `json:"ECCUncorrectedAggregate"` // over the card's life
	RetiredPages              Maybe[uint32]       `json:"RetiredPages"`            // or remapped rows on newer cards
	PCIeGeneration            Maybe[int]          `json:"PCIeGeneration"`
	PCIeGenerationMax         Maybe[int]          `json:"PCIeGenerationMax"`
	PCIeWidth                 Maybe[int]          `json:"PCIeWidth"`
	PCIeWidthMax              Maybe[int]          `json:"PCIeWidthMax"`
	Processes                 Maybe[[]GPUProcess] `json:"Processes"`        // the largest by memory (LargestProcesses)
	ProcessCount              Maybe[int]          `json:"ProcessCount"`     // programs that use the GPU, those left out too
	Events                    []GPUEvent          `json:"-"`                // seen by this process, newest first; stored apart
	Throttled                 []ThrottleSpan      `json:"-"`                // seen by this process, in the order of their beginnings; stored apart
	XIDsWatchedSince          Maybe[time.Time]    `json:"XIDsWatchedSince"` // without a break; while it is missing, no event does not mean no errors
	MIGEnabled                Maybe[bool]         `json:"MIGEnabled"`
	ConfidentialComputeActive Maybe[bool]         `json:"ConfidentialComputeActive"` // this host's CC state applied to this GPU
}

// SlowedMemory is for how long it is remembered that a GPU was slowed.
const SlowedMemory = 10 * time.Minute

// Slowdown is that a GPU was slowed (ThrottleReasons.Slowed) at least once.
type Slowdown struct {
	Last    time.Time       `json:"Last"`    // the newest reading that says so
	Reasons ThrottleReasons `json:"Reasons"` // all that were given
}

// XIDEvent is an error that NVIDIA's driver reported for a GPU.
type XIDEvent struct {
	Code uint64
	At   time.Time
}

// nearHeatLimitC is how close to its heat limit a GPU's temperature is worth a warning.
const nearHeatLimitC = 5

// HeatLimitC is the temperature in °C from which on heat slows the GPU: its slowdown
// temperature, or else its highest operating temperature. A threshold of 0 °C or less is
// none, as some drivers answer for a card that has none.
func (g GPU) HeatLimitC() Maybe[int] {
	for _, limit := range []Maybe[int]{g.SlowdownTemperatureC, g.MaxTemperatureC} {
		if c, known := limit.Get(); known && c > 0 {
			return limit
		}
	}
	if g.SlowdownTemperatureC.Known() {
		return None[int]("the driver tells no heat limit")
	}
	return g.SlowdownTemperatureC
}

// NearHeatLimit says whether the GPU is known to be within 5 °C of its heat limit, at it
// or above.
func (g GPU) NearHeatLimit() bool {
	margin, known := Map2(g.HeatLimitC(), g.TemperatureC, func(limit, c int) int { return limit - c }).Get()
	return known && margin <= nearHeatLimitC
}

// GPUPoint is one moment of a GPU's history, for charts.
type GPUPoint struct {
	At                 time.Time
	UtilizationPercent Maybe[uint32]
	MemoryUsedBytes    Maybe[uint64]
	TemperatureC       Maybe[int]
	PowerMilliwatts    Maybe[uint32]
	SMClockMHz         Maybe[uint32]
	ThrottleReasons    Maybe[ThrottleReasons]
}

// ThrottleReasons are the bits of nvmlClocksEventReasons: why clocks are below their maximum.
type ThrottleReasons uint64

// The bits, as nvml.h names them (nvmlClocksEventReason…).
const (
	ThrottleGPUIdle       ThrottleReasons = 0x1
	ThrottleAppClocks     ThrottleReasons = 0x2
	ThrottlePowerCap      ThrottleReasons = 0x4
	ThrottleHWSlowdown    ThrottleReasons = 0x8
	ThrottleSyncBoost     ThrottleReasons = 0x10
	ThrottleSWThermal     ThrottleReasons = 0x20
	ThrottleHWThermal     ThrottleReasons = 0x40
	ThrottleHWPowerBrake  ThrottleReasons = 0x80
	ThrottleDisplayClocks ThrottleReasons = 0x100
	ThrottleBoardLimit    ThrottleReasons = 0x200
	ThrottleReliability   ThrottleReasons = 0x400
	throttleKnown                         = ThrottleGPUIdle | ThrottleAppClocks | ThrottlePowerCap | ThrottleHWSlowdown | ThrottleSyncBoost | ThrottleSWThermal | ThrottleHWThermal | ThrottleHWPowerBrake | ThrottleDisplayClocks | ThrottleBoardLimit | ThrottleReliability
	throttleBad                           = ThrottleHWSlowdown | ThrottleSWThermal | ThrottleHWThermal | ThrottleHWPowerBrake
)

// Severity grades a state for colour and words.
type Severity int

// The severities, mildest first.
const (
	SeverityGood Severity = iota
	SeverityNeutral
	SeverityWarning
	SeverityCritical
)

// ThrottleReason is one reason in words.
type ThrottleReason struct {
	Bit      ThrottleReasons
	Words    string
	Severity Severity
}

var throttleWords = []ThrottleReason{
	{ThrottleHWThermal, "hardware thermal slowdown", SeverityCritical},
	{ThrottleSWThermal, "too hot: slowed by the driver", SeverityCritical},
	{ThrottleHWPowerBrake, "power brake: the supply asks for less", SeverityCritical},
	{ThrottleHWSlowdown, "hardware slowdown", SeverityCritical},
	{ThrottlePowerCap, "at its power limit", SeverityWarning},
	{ThrottleBoardLimit, "at its board's limit", SeverityWarning},
	{ThrottleReliability, "held back by its reliability policy", SeverityNeutral},
	{ThrottleSyncBoost, "waits for its sync boost group", SeverityNeutral},
	{ThrottleAppClocks, "clocks set by an application", SeverityNeutral},
	{ThrottleDisplayClocks, "clocks set by a display", SeverityNeutral},
	{ThrottleGPUIdle, "idle", SeverityGood},
}

// List returns the reasons that are set, most severe first. A bit that nvml.h did not
// know when this was written is listed as unknown.
func (r ThrottleReasons) List() []ThrottleReason {
	var out []ThrottleReason
	for _, w := range throttleWords {
		if r&w.Bit != 0 {
			out = append(out, w)
		}
	}
	if rest := r &^ throttleKnown; rest != 0 {
		out = append(out, ThrottleReason{rest, "a reason this version does not know", SeverityWarning})
	}
	return out
}

// Slowed says whether heat, a power brake or a hardware fault holds the GPU back.
func (r ThrottleReasons) Slowed() bool { return r&throttleBad != 0 }

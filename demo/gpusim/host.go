package gpusim

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// Config says what host New makes.
type Config struct {
	Cards []Card           // by index
	Seed  uint64           // of the noise: the same seed and the same clock give the same readings
	Clock func() time.Time // time.Now if nil
}

// Card is one simulated GPU.
type Card struct {
	UUID string // "GPU-…"
	Name string // a model that is known, "NVIDIA H100 80GB HBM3"
	// MemoryBytes and PowerLimitWatts replace those of the model, for a variant of it or a
	// lower limit that its owner set; 0 for the model's own.
	MemoryBytes     uint64
	PowerLimitWatts float64
	// Overheats says that the card's cooling fails within half a minute of New: under full load
	// the card comes to its slowdown temperature within about a minute, and stays there.
	Overheats bool
	// FallsOffBusAfter is when the card is lost, counted from New; 0 for never.
	FallsOffBusAfter time.Duration
}

// Load is what a job does to a card. The zero Load leaves it idle.
type Load struct {
	Utilization float64 // share of the time in which a kernel runs, 0 to 1
	MemoryBytes uint64
	Process     string
	PID         uint32
}

// Host is a simulated host. Its methods may be called from many goroutines.
type Host struct {
	clock func() time.Time
	start time.Time

	mu    sync.Mutex
	cards []*card
	since time.Duration // from start to the newest time of the clock
	ticks int64         // that have been simulated
}

// New returns a host whose cards are idle. The error names a card that cannot be simulated.
func New(cfg Config) (*Host, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	h := &Host{clock: cfg.Clock, start: cfg.Clock()}
	seen := map[string]bool{}
	for i, c := range cfg.Cards {
		if c.UUID == "" || seen[c.UUID] {
			return nil, fmt.Errorf("gpusim: card %d needs a UUID of its own, this is %q", i, c.UUID)
		}
		seen[c.UUID] = true
		m, err := modelOf(c)
		if err != nil {
			return nil, fmt.Errorf("card %d: %w", i, err)
		}
		h.cards = append(h.cards, newCard(c, m, i, cfg.Seed))
	}
	return h, nil
}

// ErrNoCard says that the host has no card of that UUID.
var ErrNoCard = errors.New("gpusim: no such card")

// SetLoad puts a job's load on a card, from now on. ErrNoCard if there is none of that UUID.
func (h *Host) SetLoad(uuid string, l Load) error {
	if !(l.Utilization >= 0 && l.Utilization <= 1) {
		return fmt.Errorf("gpusim: a utilization is from 0 to 1, this is %g", l.Utilization)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.card(uuid)
	if c == nil {
		return ErrNoCard
	}
	h.advance()
	c.load = l
	return nil
}

func (h *Host) card(uuid string) *card {
	for _, c := range h.cards {
		if c.UUID == uuid {
			return c
		}
	}
	return nil
}

// Usable says whether a card answers, so that a job can run on it.
func (h *Host) Usable(uuid string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance()
	c := h.card(uuid)
	return c != nil && !c.lostAt(h.since)
}

// Open makes a Reader of the host, for gpu.Config.
func (h *Host) Open() (gpu.Reader, error) { return reader{host: h, opened: h.clock()}, nil }

type reader struct {
	host   *Host
	opened time.Time
}

// Close leaves the host as it is.
func (r reader) Close() error { return nil }

// Read makes one pass over the cards, at the clock's time.
func (r reader) Read() (gpu.Reading, error) {
	h := r.host
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance()
	reading := gpu.Reading{Host: h.describe()}
	for _, c := range h.cards {
		if c.lostAt(h.since) && !c.xidReported {
			c.xidReported = true
			event := validator.XIDEvent{Code: xidFellOffBus, At: h.start.Add(c.FallsOffBusAfter)}
			reading.XIDs = append(reading.XIDs, gpu.XID{XIDEvent: event, UUID: c.UUID})
		}
		if g, listed := c.read(pass{since: h.since, host: reading.Host, watched: r.opened}); listed {
			reading.GPUs = append(reading.GPUs, g)
		}
	}
	return reading, nil
}

const (
	// xidFellOffBus is the driver's number for "GPU has fallen off the bus" (NVIDIA's list
	// of XID errors).
	xidFellOffBus = 79
	// listedAfterLoss is how long the driver lists a lost card before it drops it.
	listedAfterLoss = 45 * time.Second

	tickLength = 250 * time.Millisecond
	// ticksAtOnce bounds what one call simulates: twenty minutes, after which every
	// temperature has settled.
	ticksAtOnce = int64(20 * time.Minute / tickLength)
)

// advance simulates the whole ticks since the last call. After a pause longer than
// ticksAtOnce, as of a laptop that slept, the cards slept too.
func (h *Host) advance() {
	h.since = max(h.since, h.clock().Sub(h.start))
	due := int64(h.since / tickLength)
	h.ticks = max(h.ticks, due-ticksAtOnce)
	for h.ticks < due {
		h.ticks++
		for _, c := range h.cards {
			c.step(h.ticks, time.Duration(h.ticks)*tickLength)
		}
	}
}

func (h *Host) describe() validator.GPUHost {
	host := validator.GPUHost{
		DriverVersion:       validator.Some("570.133.20"),
		CUDAVersion:         validator.Some("12.8"),
		ConfidentialCompute: validator.None[validator.ConfidentialCompute](gpu.NotSupportedByGPU),
	}
	for _, c := range h.cards {
		if c.model.has.confidential {
			host.ConfidentialCompute = validator.Some(validator.ConfidentialCompute{Environment: "unavailable", GPUsReady: validator.Some(true)})
		}
	}
	return host
}

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
	// Overheats says that the card's cooling fails by and by: under load it comes to its
	// slowdown temperature within about a minute, and stays there.
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
	now   time.Time // up to where the cards have been simulated
}

// New returns a host whose cards are idle. The error names a card that cannot be simulated.
func New(cfg Config) (*Host, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	h := &Host{clock: cfg.Clock, start: cfg.Clock()}
	h.now = h.start
	seen := map[string]bool{}
	for i, c := range cfg.Cards {
		if c.UUID == "" || seen[c.UUID] {
			return nil, fmt.Errorf("gpusim: card %d needs a UUID of its own, this is %q", i, c.UUID)
		}
		seen[c.UUID] = true
		m, err := modelNamed(c.Name)
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
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.cards {
		if c.UUID == uuid {
			h.advance()
			c.load = l
			return nil
		}
	}
	return ErrNoCard
}

// Usable says whether a card answers, so that a job can run on it.
func (h *Host) Usable(uuid string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance()
	for _, c := range h.cards {
		if c.UUID == uuid {
			return !c.lostAt(h.now.Sub(h.start))
		}
	}
	return false
}

// Open makes a Reader of the host, for gpu.Config.
func (h *Host) Open() (gpu.Reader, error) { return reader{h}, nil }

type reader struct{ host *Host }

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
		since := h.now.Sub(h.start)
		if c.lostAt(since) && !c.xidTold {
			c.xidTold = true
			reading.XIDs = append(reading.XIDs, gpu.XID{XIDEvent: validator.XIDEvent{Code: xidFellOffBus, At: h.now}, UUID: c.UUID})
		}
		if g, listed := c.read(since, h.start); listed {
			reading.GPUs = append(reading.GPUs, g)
		}
	}
	return reading, nil
}

const (
	// xidFellOffBus is the driver's number for "GPU has fallen off the bus".
	xidFellOffBus = 79
	// listedAfterLoss is how long the driver lists a lost card before it drops it.
	listedAfterLoss = 45 * time.Second

	simulationStep = 250 * time.Millisecond
	catchUpMost    = 10 * time.Minute // after a longer pause, as of a laptop that slept, only this much is simulated
)

// advance simulates the time since the last call.
func (h *Host) advance() {
	to := h.clock()
	if to.Sub(h.now) > catchUpMost {
		h.now = to.Add(-catchUpMost)
	}
	for h.now.Before(to) {
		dt := min(to.Sub(h.now), simulationStep)
		h.now = h.now.Add(dt)
		for _, c := range h.cards {
			c.step(dt, h.now.Sub(h.start))
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
		if c.model.hasConfidential {
			host.ConfidentialCompute = validator.Some(validator.ConfidentialCompute{Environment: "unavailable", GPUsReady: validator.Some(true)})
		}
	}
	return host
}

package gpu

import (
	"fmt"
	"log/slog"
	"time"
)

// Config says how a Sampler reads the GPUs. Zero values stand for the defaults.
type Config struct {
	// LibraryPath is the file of NVIDIA's library (NVML_LIBRARY); empty for the installed
	// driver's own. It counts only while Open is nil.
	LibraryPath string
	// Open makes the Reader, and makes it anew after a failure; nil for OpenNVML(LibraryPath).
	Open func() (Reader, error)

	Interval   time.Duration // between two passes; 2 s
	RingSize   int           // points of history for each GPU; as many as an hour holds
	StaleAfter time.Duration // age from which on a reading is no longer shown as live; 3 intervals

	// A source that failed is opened again after RetryMin (1 s), then twice that, and so
	// on up to RetryMax (30 s).
	RetryMin, RetryMax time.Duration
	// While a GPU is missing, or there is none, the source is closed and opened again
	// after RescanMin (30 s), doubling up to RescanMax (10 min): NVML lists a card that
	// came back only to those who open it anew.
	RescanMin, RescanMax time.Duration

	StopTimeout time.Duration // how long Run waits for a pass that hangs; 5 s
	Log         *slog.Logger  // nil for slog.Default()
}

// history is how far the default ring reaches back: some 400 KB for each GPU.
const history = time.Hour

// withDefaults returns c with every zero value replaced, or an error that names the
// first value that cannot be.
func (c Config) withDefaults() (Config, error) {
	var wrong error
	set := func(name string, d *time.Duration, def time.Duration) {
		if *d < 0 && wrong == nil {
			wrong = fmt.Errorf("gpu: Config.%s must not be negative, this is %s", name, *d)
		}
		if *d == 0 {
			*d = def
		}
	}
	set("Interval", &c.Interval, 2*time.Second)
	set("StaleAfter", &c.StaleAfter, 3*c.Interval)
	set("RetryMin", &c.RetryMin, time.Second)
	set("RetryMax", &c.RetryMax, 30*time.Second)
	set("RescanMin", &c.RescanMin, 30*time.Second)
	set("RescanMax", &c.RescanMax, 10*time.Minute)
	set("StopTimeout", &c.StopTimeout, 5*time.Second)
	if wrong != nil {
		return c, wrong
	}
	if c.RingSize < 0 {
		return c, fmt.Errorf("gpu: Config.RingSize must not be negative, this is %d", c.RingSize)
	}
	if c.RingSize == 0 {
		c.RingSize = max(int(history/c.Interval), 2)
	}
	if c.Open == nil {
		path := c.LibraryPath
		c.Open = func() (Reader, error) { return OpenNVML(path) }
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c, nil
}

// backoff yields pauses that double from min to max.
type backoff struct{ min, max, next time.Duration }

func (b *backoff) pause() time.Duration {
	p := min(max(b.next, b.min), b.max)
	b.next = 2 * p
	return p
}

func (b *backoff) reset() { b.next = 0 }

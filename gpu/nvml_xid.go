//go:build linux && cgo

package gpu

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	xidWaitMS   = 250         // milliseconds: the longest time that stopping takes
	xidPause    = time.Second // after a failed wait, which may fail at once each time
	xidsPending = 1000        // kept between two passes; a storm drops its oldest
)

// xidWatch waits for the XIDs of a set of GPUs on a goroutine of its own.
type xidWatch struct {
	set   nvml.EventSet
	uuids map[nvml.Device]string
	stop  chan struct{}
	done  chan struct{}

	mu      sync.Mutex
	pending []XID
	failure string    // why waiting fails now; "" while it does not
	resumed time.Time // since when it has not failed, if it ever did
}

// watchXIDs makes sure that the GPUs which are present are waited for. A GPU that is gone
// stays in the set, since its last XIDs may come after it fell off the bus.
func (r *nvmlReader) watchXIDs(present map[nvml.Device]string) {
	grown := maps.Clone(r.watching)
	maps.Copy(grown, present)
	if maps.Equal(grown, r.watching) || !r.hasEvents() {
		return
	}
	r.untaken = append(r.untaken, r.watch.close()...)
	r.watching = grown
	r.watch, r.watched = r.register(grown)
	if r.watch != nil {
		go r.watch.wait()
	}
}

// takeXIDs returns the XIDs that came since it was called before, oldest first.
func (r *nvmlReader) takeXIDs() []XID {
	defer func() { r.untaken = nil }()
	return slices.Concat(r.untaken, r.watch.take())
}

func (r *nvmlReader) hasEvents() bool {
	return r.has("nvmlEventSetCreate") && r.has("nvmlEventSetFree") && r.has("nvmlDeviceRegisterEvents") &&
		r.has("nvmlDeviceGetSupportedEventTypes") && r.has(waitSymbols...)
}

// watchedSince says from when on the GPU's XIDs are known without a break.
func (r *nvmlReader) watchedSince(device nvml.Device) validator.Maybe[time.Time] {
	if !r.hasEvents() {
		return validator.None[time.Time](fromDriver)
	}
	since, known := r.watched[device].Get()
	if !known || r.watch == nil {
		return r.watched[device]
	}
	failure, resumed := r.watch.state()
	switch {
	case failure != "":
		return validator.None[time.Time]("waiting for them fails: " + failure)
	case resumed.After(since):
		return validator.Some(resumed)
	}
	return r.watched[device]
}

// register makes an event set of the GPUs and says for each since when it counts. After
// NVML_ERROR_UNKNOWN a set is undefined (nvml.h): it is made again without that GPU.
func (r *nvmlReader) register(devices map[nvml.Device]string) (*xidWatch, map[nvml.Device]validator.Maybe[time.Time]) {
	since := make(map[nvml.Device]validator.Maybe[time.Time], len(devices))
	refused := make(map[nvml.Device]bool)
	for {
		set, ret := r.lib.EventSetCreate()
		if ret != nvml.SUCCESS {
			for device := range devices {
				since[device] = validator.None[time.Time](explain(ret).phrase)
			}
			return nil, since
		}
		undefined := false
		for device := range devices {
			if refused[device] {
				continue
			}
			ret := registerXID(device, set)
			if ret == nvml.SUCCESS {
				since[device] = validator.Some(time.Now())
				continue
			}
			since[device] = validator.None[time.Time](explain(ret).phrase)
			if ret == nvml.ERROR_UNKNOWN {
				refused[device], undefined = true, true
				break
			}
		}
		if !undefined {
			return &xidWatch{set: set, uuids: devices, stop: make(chan struct{}), done: make(chan struct{})}, since
		}
		_ = set.Free() // as nvml.h asks; nothing waits on it
	}
}

func registerXID(device nvml.Device, set nvml.EventSet) nvml.Return {
	types, ret := device.GetSupportedEventTypes()
	if ret != nvml.SUCCESS {
		return ret
	}
	if types&nvml.EventTypeXidCriticalError == 0 {
		return nvml.ERROR_NOT_SUPPORTED
	}
	return device.RegisterEvents(nvml.EventTypeXidCriticalError, set)
}

// wait collects XIDs until the watch is closed.
func (w *xidWatch) wait() {
	defer close(w.done)
	for {
		select {
		case <-w.stop:
			return
		default:
		}
		began := time.Now()
		event, ret := w.set.Wait(xidWaitMS)
		w.went(ret, began)
		switch {
		case ret == nvml.SUCCESS && event.EventType == nvml.EventTypeXidCriticalError:
			w.put(XID{UUID: w.uuids[event.Device], XIDEvent: validator.XIDEvent{Code: event.EventData, At: time.Now()}})
		case ret == nvml.SUCCESS, ret == nvml.ERROR_TIMEOUT:
		default:
			select {
			case <-w.stop:
			case <-time.After(xidPause):
			}
		}
	}
}

// went notes how a wait ended: while waits fail, XIDs may be missed.
func (w *xidWatch) went(ret nvml.Return, began time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case ret != nvml.SUCCESS && ret != nvml.ERROR_TIMEOUT:
		w.failure = explain(ret).phrase
	case w.failure != "":
		w.failure, w.resumed = "", began
	}
}

// state is why waiting fails now, "" if it does not, and since when it does not.
func (w *xidWatch) state() (failure string, resumed time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure, w.resumed
}

func (w *xidWatch) put(x XID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, x)
	if len(w.pending) > xidsPending {
		w.pending = w.pending[1:]
	}
}

// take returns what is pending and forgets it.
func (w *xidWatch) take() []XID {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.pending
	w.pending = nil
	return taken
}

// close ends the wait, frees the event set and returns what was not taken. It must be
// done before nvmlShutdown.
func (w *xidWatch) close() []XID {
	if w == nil {
		return nil
	}
	close(w.stop)
	<-w.done
	_ = w.set.Free() // nvmlShutdown follows, or a new set
	return w.take()
}

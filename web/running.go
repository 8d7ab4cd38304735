package web

import (
	"context"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/semaphore"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// running bounds how many requests of a signed-in wallet and of its tokens run at a time, for how
// long, and the memory that they need, in all and per wallet: a request runs once as many bytes are
// free as it may need, and waits its turn until then. Requests of the server's own machine and of
// coordinators are the operator's and are not counted.
type running struct {
	all    *semaphore.Weighted
	counts func() bool // whether the time that a request ran is its own doing

	mu      sync.Mutex
	wallets map[validator.Address]*walletRunning // of those that have requests, or had long ones lately
}

type walletRunning struct {
	atOnce   *semaphore.Weighted
	free     *semaphore.Weighted // bytes
	pace     pace
	requests int // that run or wait
}

const (
	runningBytes       = 128 << 20 // of all wallets' requests
	runningWalletBytes = 32 << 20  // of one wallet's
	// runningAtOnce is how many requests of one wallet run at a time: about what a page asks for as
	// it opens, and no more than leaves others their part of the processor.
	runningAtOnce = 8

	runningWait  = 5 * time.Second // for which a request waits for its turn
	mostRequests = 150             // of one wallet that run or wait

	// What a request may need at most, by what rows may hold: a page has some 50 of them.
	pageBytes    = 3 << 19
	rowBytes     = 64 << 10 // of a list whose length the request names
	bytesPerByte = 8        // of a report: its text, and what becomes of it
)

func newRunning(counts func() bool) *running {
	return &running{all: semaphore.NewWeighted(runningBytes), counts: counts, wallets: map[validator.Address]*walletRunning{}}
}

// limitRunning makes a wallet's requests wait while those that run need all memory they may, and
// refuses what would wait for too long.
func (s *Server) limitRunning(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx := c.Request().Context()
		wallet := viewerOf(ctx).wallet()
		if wallet == "" || isExport(c.Path()) {
			return next(c)
		}
		leave, refused := s.running.enter(ctx, wallet, neededBytes(c))
		if refused != nil {
			return refused
		}
		defer leave()
		return next(c)
	}
}

// isExport says whether a route streams, which has bounds of its own.
func isExport(path string) bool { return strings.HasSuffix(path, "/export") }

// neededBytes is what a request may need while it runs.
func neededBytes(c echo.Context) int64 {
	r := c.Request()
	need := int64(pageBytes)
	if r.Method == http.MethodPost {
		length := r.ContentLength
		if length < 0 || length > maxBodyBytes {
			length = maxBodyBytes
		}
		need = max(need/2, bytesPerByte*length)
	}
	if limit, err := strconv.ParseInt(c.QueryParam("limit"), 10, 32); err == nil {
		need = max(need, limit*rowBytes)
	}
	return min(need, runningWalletBytes)
}

// of is what a wallet has running, until end is called.
func (r *running) of(wallet validator.Address) (w *walletRunning, end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w = r.wallets[wallet]
	if w == nil {
		maps.DeleteFunc(r.wallets, func(_ validator.Address, w *walletRunning) bool { return w.requests == 0 && w.pace.rested() })
		w = &walletRunning{atOnce: semaphore.NewWeighted(runningAtOnce), free: semaphore.NewWeighted(runningWalletBytes), pace: newPace()}
		r.wallets[wallet] = w
	}
	w.requests++
	return w, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if w.requests--; w.requests == 0 && w.pace.rested() {
			delete(r.wallets, wallet)
		}
	}
}

// enter waits until a wallet may use so many more bytes; leave gives them back.
func (r *running) enter(ctx context.Context, wallet validator.Address, bytes int64) (leave func(), refused *problem) {
	w, end := r.of(wallet)
	r.mu.Lock()
	tooMany := w.requests > mostRequests
	r.mu.Unlock()
	waiting, cancel := context.WithTimeout(ctx, runningWait)
	defer cancel()
	if tooMany || w.atOnce.Acquire(waiting, 1) != nil {
		end()
		return nil, tooManyRunning()
	}
	used, err := w.pace.turn(waiting)
	if err != nil {
		w.atOnce.Release(1)
		end()
		return nil, tooManyRunning()
	}
	if w.free.Acquire(waiting, bytes) != nil {
		used(0)
		w.atOnce.Release(1)
		end()
		return nil, tooManyRunning()
	}
	if r.all.Acquire(waiting, bytes) != nil {
		used(0)
		w.free.Release(bytes)
		w.atOnce.Release(1)
		end()
		p := newProblem(http.StatusServiceUnavailable, "The server is busy with other requests. Try again in "+secondsText(retryAfter)+".")
		p.retryAfter = retryAfter
		return nil, p
	}
	began := time.Now()
	return func() {
		used(r.ran(time.Since(began)))
		r.all.Release(bytes)
		w.free.Release(bytes)
		w.atOnce.Release(1)
		end()
	}, nil
}

// ran is for how long a request ran by its own doing.
func (r *running) ran(d time.Duration) time.Duration {
	if !r.counts() {
		return 0
	}
	return d
}

func tooManyRunning() *problem {
	p := newProblem(http.StatusTooManyRequests, "This wallet's requests are too many at once, or take too long together. Wait "+secondsText(retryAfter)+", and send fewer at a time.")
	p.retryAfter = retryAfter
	return p
}

func secondsText(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) + " s" }

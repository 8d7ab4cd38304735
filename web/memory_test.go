package web

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

func bigJobs(n int) []validator.Job {
	jobs := make([]validator.Job, n)
	for i := range jobs {
		wei, err := validator.ParseWei("115792089237316195423570985008687907853269984665640564039457584007913129639935")
		if err != nil {
			panic(err)
		}
		at := time.Now()
		jobs[i] = validator.Job{ID: fmt.Sprintf("%0256d", i), Worker: alice, Payment: &wei, CompletedAt: &at, ErrorMessage: strings.Repeat("e", 10_000)}
	}
	return jobs
}

// TestOneWalletsAnswersTakeNoRoomFromAnothers, and those of all stay within the bound of all.
func TestOneWalletsAnswersTakeNoRoomFromAnothers(t *testing.T) {
	m := newMemory()
	m.patience = time.Minute
	reads := 0
	read := func(wallet validator.Address, detail string, jobs int) {
		t.Helper()
		r := recall(t.Context(), m, memoryKey{"job list", wallet, detail}, time.Hour, func(context.Context) ([]validator.Job, error) {
			reads++
			return bigJobs(jobs), nil
		})
		if r.err != nil || len(r.value.Or(nil)) != jobs {
			t.Fatal(r)
		}
	}
	read(bob, "", 3)
	read("", "of nobody", 3)
	for n := range 300 { // 51 rows of 10 KB each
		read(alice, fmt.Sprint(n), 51)
	}
	if m.kept.bytes > memoryWalletBytes+100_000 || m.kept.wallets[alice].bytes > memoryWalletBytes {
		t.Errorf("%d bytes are kept, %d of one wallet", m.kept.bytes, m.kept.wallets[alice].bytes)
	}
	reads = 0
	read(bob, "", 3)
	read("", "of nobody", 3)
	read(alice, "299", 51)
	if reads != 0 {
		t.Errorf("%d answers were forgotten that there is room for", reads)
	}
	read(alice, "0", 51)
	if reads != 1 {
		t.Error("the oldest answer of the flood is still there")
	}
	for n := range 60 { // wallets
		for page := range 3 {
			read(validator.Address(fmt.Sprintf("0x%064x", n)), fmt.Sprint(page), 51)
		}
	}
	sum := int64(0)
	for _, w := range m.kept.wallets {
		sum += w.bytes
	}
	if m.kept.bytes > memoryBytes || m.kept.bytes < memoryBytes/2 || sum != m.kept.bytes || len(m.kept.entries) != m.kept.newest.Len() {
		t.Errorf("%d bytes are kept, and %d of the wallets, in %d entries of %d", m.kept.bytes, sum, m.kept.newest.Len(), len(m.kept.entries))
	}
}

func TestTheEstimateOfBytesIsClose(t *testing.T) {
	for name, make := range map[string]func() any{
		"jobs":   func() any { return bigJobs(500) },
		"points": func() any { return make([]validator.ReputationPoint, 100_000) },
		"a map": func() any {
			m := map[string][]validator.Interval{}
			for n := range 1000 {
				m[fmt.Sprint(n)] = make([]validator.Interval, 50)
			}
			return m
		},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		v := make()
		runtime.GC()
		runtime.ReadMemStats(&after)
		got, real := heapBytes(v), int64(after.HeapAlloc)-int64(before.HeapAlloc)
		if got < real*7/10 || got > real*13/10 {
			t.Errorf("%s: %d bytes, estimated at %d", name, real, got)
		}
		runtime.KeepAlive(v)
	}
}

// TestAReadEndsOnceNobodyWaits: while one of those who asked still waits it goes on, and who asks
// after the end gets a read of their own.
func TestAReadEndsOnceNobodyWaits(t *testing.T) {
	m := newMemory()
	m.patience = time.Minute
	key := memoryKey{"jobs", alice, ""}
	var began, ended sync.WaitGroup
	began.Add(1)
	ended.Add(1)
	endless := func(ctx context.Context) (int, error) {
		began.Done()
		<-ctx.Done()
		ended.Done()
		return 0, ctx.Err()
	}
	never := func(context.Context) (int, error) { t.Error("a second read of the same runs"); return 0, nil }
	first, hangUpFirst := context.WithCancel(t.Context())
	second, hangUpSecond := context.WithCancel(t.Context())
	var asked sync.WaitGroup
	asked.Go(func() { recall(first, m, key, 0, endless) })
	began.Wait()
	asked.Go(func() { recall(second, m, key, 0, never) })
	wanted := func() int {
		m.mu.Lock()
		defer m.mu.Unlock()
		if f := m.flights[key]; f != nil {
			return f.wanted
		}
		return 0
	}
	eventually(t, "both to wait", func() bool { return wanted() == 2 })
	hangUpFirst()
	eventually(t, "one to have hung up", func() bool { return wanted() == 1 })
	hangUpSecond()
	asked.Wait()
	ended.Wait()
	if r := recall(t.Context(), m, key, 0, func(context.Context) (int, error) { return 7, nil }); r.err != nil || r.value.Or(0) != 7 {
		t.Error(r)
	}
}

// TestARequestThatIsOutOfPatienceLeavesItsReadToTheNext.
func TestARequestThatIsOutOfPatienceLeavesItsReadToTheNext(t *testing.T) {
	m := newMemory()
	m.patience = time.Millisecond
	key := memoryKey{"jobs", alice, ""}
	answer := make(chan struct{})
	r := recall(t.Context(), m, key, 0, func(ctx context.Context) (int, error) {
		select {
		case <-answer:
			return 7, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
	if !errors.Is(r.err, errSlow) {
		t.Fatal(r)
	}
	close(answer)
	eventually(t, "the answer to be kept", func() bool {
		_, _, had := m.kept.get(key, time.Now())
		return had
	})
}

// TestWhatAReadBegunBeforeAChangeFindsIsNotKept.
func TestWhatAReadBegunBeforeAChangeFindsIsNotKept(t *testing.T) {
	m := newMemory()
	m.patience = time.Minute
	key := memoryKey{"price", "", ""}
	began, answer := make(chan struct{}), make(chan struct{})
	var asked sync.WaitGroup
	asked.Go(func() {
		recall(t.Context(), m, key, 0, func(context.Context) (int, error) { close(began); <-answer; return 1, nil })
	})
	<-began
	m.forget(key)
	close(answer)
	asked.Wait()
	if r := recall(t.Context(), m, key, time.Hour, func(context.Context) (int, error) { return 2, nil }); r.value.Or(0) != 2 {
		t.Error(r)
	}
	if r := recall(t.Context(), m, memoryKey{read: "broken"}, 0, func(context.Context) (int, error) { panic("broken") }); !errors.Is(r.err, errReadPanicked) {
		t.Error(r)
	}
}

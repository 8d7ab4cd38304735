package observe

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	alice validator.Address = "0x00000000000000000000000000000000000000000000000000000000000a11ce"
	bob   validator.Address = "0x0000000000000000000000000000000000000000000000000000000000000b0b"
)

type listKey struct {
	wallet ofWallet
	detail string
}

func (k listKey) owner() validator.Address { return k.wallet.owner() }

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
	m := newCache(time.Minute)
	lists := &table[listKey, []validator.Job]{}
	reads := 0
	read := func(wallet validator.Address, detail string, jobs int) {
		t.Helper()
		r := lists.load(t.Context(), m, listKey{ofWallet(wallet), detail}, time.Hour, func(context.Context) ([]validator.Job, error) {
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
	if m.bytes > cacheWalletBytes+100_000 || m.wallets[alice].bytes > cacheWalletBytes {
		t.Errorf("%d bytes are kept, %d of one wallet", m.bytes, m.wallets[alice].bytes)
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
	for _, w := range m.wallets {
		sum += w.bytes
	}
	if m.bytes > cacheBytes || m.bytes < cacheBytes/2 || sum != m.bytes || len(lists.entries) != m.newest.Len() {
		t.Errorf("%d bytes are kept, and %d of the wallets, in %d entries of %d", m.bytes, sum, m.newest.Len(), len(lists.entries))
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
	m := newCache(time.Minute)
	numbers, key := &table[ofWallet, int]{}, ofWallet(alice)
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
	asked.Go(func() { numbers.load(first, m, key, 0, endless) })
	began.Wait()
	asked.Go(func() { numbers.load(second, m, key, 0, never) })
	wanted := func() int {
		m.mu.Lock()
		defer m.mu.Unlock()
		if f := numbers.flights[key]; f != nil {
			return f.wanted
		}
		return 0
	}
	harness.Eventually(t, "both to wait", func() bool { return wanted() == 2 })
	hangUpFirst()
	harness.Eventually(t, "one to have hung up", func() bool { return wanted() == 1 })
	hangUpSecond()
	asked.Wait()
	ended.Wait()
	if r := numbers.load(t.Context(), m, key, 0, func(context.Context) (int, error) { return 7, nil }); r.err != nil || r.value.Or(0) != 7 {
		t.Error(r)
	}
}

// TestARequestThatIsOutOfPatienceLeavesItsReadToTheNext.
func TestARequestThatIsOutOfPatienceLeavesItsReadToTheNext(t *testing.T) {
	m := newCache(time.Millisecond)
	numbers, key := &table[ofWallet, int]{}, ofWallet(alice)
	answer := make(chan struct{})
	r := numbers.load(t.Context(), m, key, 0, func(ctx context.Context) (int, error) {
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
	harness.Eventually(t, "the answer to be kept", func() bool {
		a, _ := numbers.newest(m, key)
		return a.value.Known()
	})
}

// TestWhatAReadBegunBeforeAChangeFindsIsNotKept.
func TestWhatAReadBegunBeforeAChangeFindsIsNotKept(t *testing.T) {
	m := newCache(time.Minute)
	numbers, key := &table[nobodys, int]{}, nobodys{}
	began, answer := make(chan struct{}), make(chan struct{})
	var asked sync.WaitGroup
	asked.Go(func() {
		numbers.load(t.Context(), m, key, 0, func(context.Context) (int, error) { close(began); <-answer; return 1, nil })
	})
	<-began
	numbers.forget(m, key)
	close(answer)
	asked.Wait()
	if r := numbers.load(t.Context(), m, key, time.Hour, func(context.Context) (int, error) { return 2, nil }); r.value.Or(0) != 2 {
		t.Error(r)
	}
	if r := (&table[nobodys, int]{}).load(t.Context(), m, key, 0, func(context.Context) (int, error) { panic("broken") }); !errors.Is(r.err, errReadPanicked) {
		t.Error(r)
	}
}

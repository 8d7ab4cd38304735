package chain

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestASizeLimitFindsWhatANodeTakes, whatever that is and whatever is asked for, and then is
// refused rarely.
func TestASizeLimitFindsWhatANodeTakes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Uint64Range(1, 5000).Draw(t, "most")
		takes := rapid.Uint64Range(1, 6000).Draw(t, "takes")
		l := newSizeLimit(most)
		now := time.Unix(1_800_000_000, 0)
		ask := func(wanted uint64) (refused int) {
			for left := wanted; left > 0; {
				n := min(left, l.size)
				if n <= takes {
					l.take(n, now)
					left -= n
					continue
				}
				before := l.size
				if refused++; !l.refuse(n, now) {
					t.Fatalf("a single one is refused by a node that takes %d", takes)
				}
				if l.size >= before || l.size < 1 {
					t.Fatalf("after %d were refused the size goes from %d to %d", n, before, l.size)
				}
			}
			return refused
		}
		if n := ask(most); n > 14 {
			t.Fatalf("%d requests were refused before the first was taken", n)
		}
		refused := 0
		for range 48 * 60 { // two days
			now = now.Add(time.Minute)
			refused += ask(rapid.Uint64Range(1, 2*most).Draw(t, "wanted"))
		}
		if refused > 60 {
			t.Fatalf("%d requests were refused in two days", refused)
		}
		best := min(most, takes)
		if l.size < best/2 || l.good > takes {
			t.Fatalf("%d are asked for where %d are taken", l.size, best)
		}
		takes = rapid.Uint64Range(1, 6000).Draw(t, "takes later")
		if n := ask(most); n > 14 {
			t.Fatalf("%d requests were refused after the node's limit changed", n)
		}
		for range 24 * 60 {
			now = now.Add(time.Minute)
			ask(2 * most)
		}
		if best = min(most, takes); l.size < best/2 {
			t.Fatalf("a day later %d are asked for where %d are taken", l.size, best)
		}
	})
}

func TestWalletsThatWereReadLongestAgoComeFirst(t *testing.T) {
	l := newWatchList(10)
	now := time.Unix(1_800_000_000, 0)
	names := []string{"0x1", "0x2", "0x3", "0x4"}
	for i, name := range names {
		w := l.touch(validator.Address(name), now)
		if i > 0 { // the first was never read
			w.snapshot = &validator.ChainSnapshot{Block: validator.Block{Hash: "0xb0"}, ObservedAt: now.Add(-time.Duration(10-i) * time.Minute)}
		}
	}
	got := l.unread("0xb1", 3)
	for i, want := range []string{"0x1", "0x2", "0x3"} {
		if got[i].address != validator.Address(want) {
			t.Errorf("place %d has %s, want %s", i, got[i].address, want)
		}
	}
}

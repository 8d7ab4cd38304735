//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// echo is a server that sends back what it gets.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

// says sends a word and returns what comes back within a time.
func says(t *testing.T, c net.Conn, word string, within time.Duration) (string, error) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, word); err != nil {
		return "", err
	}
	b := make([]byte, len(word))
	n, err := io.ReadFull(c, b)
	return string(b[:n]), err
}

func TestARelayTreatsConnectionsAsItsModeSays(t *testing.T) {
	r, err := newRelay(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	open := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", r.address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	set := func(m relayMode) {
		t.Helper()
		if err := r.set(m); err != nil {
			t.Fatal(err)
		}
	}
	c := open()
	if got, err := says(t, c, "hello", time.Minute); got != "hello" {
		t.Fatalf("a relay that passes says %q, %v", got, err)
	}
	set(relaySwallows)
	if got, err := says(t, c, "hello", 300*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a relay that swallows says %q, %v", got, err)
	}
	set(relayPasses)
	if got, err := says(t, c, "hello", time.Minute); err == nil {
		t.Errorf("half a stream went on: %q", got)
	}
	set(relayRefuses)
	if _, err := net.Dial("tcp", r.address()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a relay that refuses: %v", err)
	}
	set(relayHalves)
	if got, err := says(t, open(), strings.Repeat("x", 2*relayHalf), time.Minute); len(got) != relayHalf || err == nil {
		t.Errorf("a relay that breaks off says %d bytes, %v", len(got), err)
	}
	set(relayPasses)
	if got, err := says(t, open(), "again", time.Minute); got != "again" {
		t.Errorf("a healed relay says %q, %v", got, err)
	}
}

func TestAWriterGoesOnUntilAReportIsStored(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch asked++; asked {
		case 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			panic(http.ErrAbortHandler)
		case 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			_, _ = io.WriteString(w, `{"status":"ok","added":5}`)
		}
	}))
	t.Cleanup(server.Close)
	w := newWriter("lane", string(wallet), server.URL)
	r := w.report(1, 1000) // a list of heartbeats
	w.deliver(context.Background(), r)
	got := w.tally
	if got.answers[503] != 2 || got.answers[0] != 1 || got.answers[200] != 1 || got.bare503 != 1 || got.added["heartbeats"] != 5 {
		t.Errorf("the tally is %+v", got)
	}
	if len(r.rows) != listLength || len(got.acknowledged) != listLength {
		t.Errorf("%d rows of %d are acknowledged", len(got.acknowledged), len(r.rows))
	}
}

func TestNoTwoReportsMakeTheSameRow(t *testing.T) {
	w, seen := newWriter("lane", string(wallet), ""), map[row]int{}
	for n := range 100 {
		for _, k := range w.report(n, 1000).rows {
			if before, twice := seen[k]; twice {
				t.Fatalf("reports %d and %d both make %v", before, n, k)
			}
			seen[k] = n
		}
	}
}

func TestALedgerCountsWhatIsLostAndWhatIsDoubled(t *testing.T) {
	var l ledger
	l.add("jobs", []string{"there", "gone", "thrice"}, map[string]int{"there": 1, "thrice": 3})
	if l.stored != 2 || l.lost != 1 || l.doubled != 2 || !slices.Equal(l.examples, []string{"lost jobs gone", "doubled jobs thrice"}) {
		t.Errorf("the ledger is %+v", l)
	}
}

func TestTheJudgeFindsWhatIsWrong(t *testing.T) {
	state := func(status string) map[string]sourceState { return map[string]sourceState{sourceGPU: {status: status}} }
	seen := func(api, pill string, marked bool, code int) sight {
		return sight{
			codes: map[string]int{dashboardPath: 200, readyPath: code}, health: state(api), pills: state(pill),
			panels: map[string]panelSeen{"gpus": {marked: marked}}, waits: map[string]string{},
		}
	}
	for name, c := range map[string]struct {
		s    sight
		want string // in a problem; "" for none
	}{
		"all is well":                   {seen("ok", "ok", false, 200), ""},
		"not ready is no failure":       {seen("stale", "stale", true, 503), ""},
		"an error of the server":        {seen("ok", "ok", false, 500), "was answered 500"},
		"no answer":                     {seen("ok", "ok", false, 0), "was not answered"},
		"a green pill of a dead source": {seen("stale", "ok", true, 200), "pill of gpu is green"},
		"a live panel of a dead source": {seen("stale", "stale", false, 200), "panel gpus looks live"},
	} {
		var o outcome
		list := []sight{c.s, c.s}
		fault{}.judgeReads(&o, list, allowance{})
		judgePages(&o, list)
		if all := strings.Join(o.problems, "; "); (c.want == "") != (all == "") || !strings.Contains(all, c.want) {
			t.Errorf("%s: %q", name, all)
		}
	}
}

func TestTheTableHoldsItsCells(t *testing.T) {
	text := table([]outcome{
		{source: "gpu", name: "a | b <c>", page: "one\ntwo", noticed: true, notice: 1500 * time.Millisecond, recovered: true, acknowledged: 7, stored: 6, lost: 1, problems: []string{"rows lost"}},
		{source: "chain", name: "not here", skipped: "it needs root"},
	})
	for _, want := range []string{`| 1 | gpu | a \| b &lt;c> | one two |`, "| 1.5 s | 0.0 s | 7 | 6 | 1 | 0 | **fails**: rows lost |", "not made: it needs root", "1 faults made, 1 failed; 1 rows lost, 0 doubled."} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

package program

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
)

// halfSent is a report of which only the header and half the body have been sent.
type halfSent struct {
	conn net.Conn
	rest string
}

func (p *program) sendHalf(t *testing.T, worker string) halfSent {
	t.Helper()
	host := strings.TrimPrefix(p.URL, "http://")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	body := fmt.Sprintf(`{"worker_id":%q}`, worker)
	half := len(body) / 2
	if _, err := fmt.Fprintf(conn, "POST /api/worker/heartbeat HTTP/1.1\r\nHost: %s\r\nX-Wallet-Address: 0x123\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", host, len(body), body[:half]); err != nil {
		t.Fatal(err)
	}
	return halfSent{conn, body[half:]}
}

// finish sends the rest and returns the answer.
func (h halfSent) finish(t *testing.T) (int, string) {
	t.Helper()
	if _, err := io.WriteString(h.conn, h.rest); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(h.conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// acknowledged reports whether what was not finished is answered as if it were.
func (h halfSent) acknowledged() bool {
	res, err := http.ReadResponse(bufio.NewReader(h.conn), nil)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// signal sends the program a signal.
func (p *program) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.Cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// ended waits for the program's end and returns its exit status.
func (p *program) ended(t *testing.T) int {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatalf("it does not end:\n%s", p.Logged())
	}
	return p.Cmd.ProcessState.ExitCode()
}

// drains waits until a program that was asked to end says that it is not ready.
func (p *program) drains(t *testing.T) {
	t.Helper()
	harness.Eventually(t, "the program is not ready", func() bool {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+"/health/ready", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("/health/ready: %v\n%s", err, p.Logged())
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		return err == nil && res.StatusCode == http.StatusServiceUnavailable && res.Close && strings.Contains(string(b), "This server is ending")
	})
}

// refusesConnections reports whether the program's listener is closed.
func (p *program) refusesConnections() bool {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(p.URL, "http://"), 10*time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return err != nil
}

// inOrder reports whether a log has lines in an order.
func inOrder(log string, lines ...string) bool {
	for _, line := range lines {
		_, after, found := strings.Cut(log, line)
		if !found {
			return false
		}
		log = after
	}
	return true
}

func TestItEndsInOrderAndStoresWhatComesMeanwhile(t *testing.T) {
	t.Parallel()
	dir := dbtest.Dir(t)
	env := []string{"DATA_DIR=" + dir, "LOG_LEVEL=debug", "DRAIN_TIME=10s"}
	p := start(t, env...)
	open := p.sendHalf(t, "begun-before")
	postgres := postmaster(t, dir)
	p.signal(t, syscall.SIGTERM)
	p.drains(t)
	if code, b := p.Call(t, http.MethodPost, "/api/worker/heartbeat", "0x456", `{"worker_id":"sent-in-the-drain"}`); code != http.StatusOK {
		t.Errorf("a heartbeat in the drain: %d %s", code, b)
	}
	if code, b := p.Call(t, http.MethodGet, "/api/worker/status", "0x456", ""); code != http.StatusOK || !strings.Contains(string(b), "sent-in-the-drain") {
		t.Errorf("a read in the drain: %d %s", code, b)
	}
	harness.Eventually(t, "no new requests are taken", p.refusesConnections)
	if code, b := open.finish(t); code != http.StatusOK {
		t.Errorf("a heartbeat that was begun before: %d %s", code, b)
	}
	if status := p.ended(t); status != 0 {
		t.Errorf("it ends with %d:\n%s", status, p.Logged())
	}
	if err := syscall.Kill(postgres, 0); err == nil {
		t.Errorf("its PostgreSQL (process %d) outlives it", postgres)
	}
	if !inOrder(p.Logged(), "not ready any more", "no new requests are taken", "stage=requests", "stage=work", "stage=sources") || strings.Contains(p.Logged(), "cut off") {
		t.Errorf("it did not end in order:\n%s", p.Logged())
	}

	p = start(t, "DATA_DIR="+dir)
	for wallet, worker := range map[string]string{"0x123": "begun-before", "0x456": "sent-in-the-drain"} {
		if v := p.Get(t, "/api/worker/status", wallet); v["worker_id"] != worker {
			t.Errorf("what is stored of %s: %v", worker, v)
		}
	}
}

// TestASecondSignalEndsItAtOnce although a drain of minutes has begun.
func TestASecondSignalEndsItAtOnce(t *testing.T) {
	t.Parallel()
	dir := dbtest.Dir(t)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := start(t, "DATA_DIR="+dir, "DRAIN_TIME=10m")
		open := p.sendHalf(t, "never-acknowledged")
		p.signal(t, s)
		p.drains(t)
		worker := "acknowledged before a second " + s.String()
		if code, b := p.Call(t, http.MethodPost, "/api/worker/heartbeat", "0x123", `{"worker_id":"`+worker+`"}`); code != http.StatusOK {
			t.Fatalf("a heartbeat in the drain: %d %s", code, b)
		}
		p.signal(t, s)
		if status := p.ended(t); status != 128+int(s) {
			t.Errorf("after a second %s it ends with %d:\n%s", s, status, p.Logged())
		}
		if !strings.Contains(p.Logged(), "a second signal ("+s.String()+"): ending at once") {
			t.Errorf("it does not say why it ends:\n%s", p.Logged())
		}
		if open.acknowledged() {
			t.Error("half a report is acknowledged")
		}
		p = start(t, "DATA_DIR="+dir)
		if v := p.Get(t, "/api/worker/status", "0x123"); v["worker_id"] != worker {
			t.Errorf("what is stored: %v", v)
		}
		p.signal(t, syscall.SIGTERM)
		if status := p.ended(t); status != 0 {
			t.Errorf("started again, it ends with %d:\n%s", status, p.Logged())
		}
	}
}

// TestRequestsThatDoNotEndAreCutOff when their time is over, and the end is an orderly one.
func TestRequestsThatDoNotEndAreCutOff(t *testing.T) {
	t.Parallel()
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t), "DRAIN_TIME=0s")
	open := p.sendHalf(t, "never-finished")
	p.signal(t, os.Interrupt)
	if status := p.ended(t); status != 0 {
		t.Errorf("it ends with %d:\n%s", status, p.Logged())
	}
	if open.acknowledged() {
		t.Error("half a report is acknowledged")
	}
}

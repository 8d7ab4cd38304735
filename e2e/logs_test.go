package e2e

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// piped is a server whose standard streams are one pipe, as under "2>&1 | reader".
type piped struct {
	cmd    *exec.Cmd
	reader *os.File
	lines  *bufio.Reader
	url    string
	done   chan error
}

func servePiped(t *testing.T) *piped {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &piped{cmd: exec.Command(path, "serve"), reader: r, lines: bufio.NewReaderSize(r, 4096), done: make(chan error, 1)}
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LISTEN=127.0.0.1:0", "STARKNET_RPC=http://127.0.0.1:9", "DATABASE_URL=" + dbtest.NewURL(t), "LOG_LEVEL=debug"}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = r.Close() })
	_, p.url, _ = strings.Cut(p.until(t, "ready at "), "ready at ")
	return p
}

// until reads the log up to a line that has a text.
func (p *piped) until(t *testing.T, text string) string {
	t.Helper()
	if err := p.reader.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for {
		line, err := p.lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the log ends before %q: %v", text, err)
		}
		if strings.Contains(line, text) {
			return strings.TrimSpace(line)
		}
	}
}

// ask sends requests, each of which has a line in the log.
func (p *piped) ask(t *testing.T, requests int) {
	t.Helper()
	for n := range requests {
		if code, body := answer(t, http.MethodGet, p.url+"/health/live", "", "", nil); code != http.StatusOK {
			t.Fatalf("request %d is answered %d %s", n, code, body)
		}
	}
}

func (p *piped) endsWell(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-p.done:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("it did not end")
	}
}

// enoughRequests fill a pipe's 64 KiB and all that the server queues.
const enoughRequests = 9000

func TestAStoppedLogReaderDoesNotStopTheServer(t *testing.T) {
	p := servePiped(t)
	p.ask(t, enoughRequests)
	p.until(t, "lines of the log were lost")
	p.ask(t, 1)
	p.endsWell(t)
}

func TestAStoppedLogReaderDoesNotKeepTheServerFromEnding(t *testing.T) {
	p := servePiped(t)
	p.ask(t, 1000)
	p.endsWell(t)
}

func TestAGoneLogReaderDoesNotKillTheServer(t *testing.T) {
	p := servePiped(t)
	if err := p.reader.Close(); err != nil {
		t.Fatal(err)
	}
	p.ask(t, 100)
	p.endsWell(t)
}

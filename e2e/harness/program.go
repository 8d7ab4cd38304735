// Package harness runs the built program for tests that look at it from outside.
package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const module = "github.com/bitsage-network/validator-dashboard"

// builtIn is the folder of the built program; "" before Binary.
var builtIn string

// Binary builds the program once for all tests of a package and returns its path.
var Binary = sync.OnceValues(func() (path string, err error) {
	if builtIn, err = os.MkdirTemp("", "vd"); err != nil {
		return "", err
	}
	path = filepath.Join(builtIn, "validator-dashboard")
	out, err := exec.Command("go", "build", "-o", path, module).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// Main runs a package's tests and removes the built program; TestMain calls it.
func Main(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(builtIn) // nothing, if no test needed it
	os.Exit(code)
}

// Program is a running server.
type Program struct {
	Cmd *exec.Cmd
	URL string
	log *strings.Builder
	mu  *sync.Mutex
}

// Start serves with the built program on a free port and waits for the line that says it is ready.
func Start(t *testing.T, env ...string) *Program {
	t.Helper()
	return StartCommand(t, "serve", append([]string{"LISTEN=127.0.0.1:0", "STARKNET_RPC=http://127.0.0.1:9"}, env...)...)
}

// StartCommand runs a command of the built program that ends when it is asked to.
func StartCommand(t *testing.T, command string, env ...string) *Program {
	t.Helper()
	path, err := Binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &Program{Cmd: exec.Command(path, command), log: &strings.Builder{}, mu: &sync.Mutex{}}
	p.Cmd.Dir = t.TempDir()
	p.Cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	p.Cmd.Stderr = lockedWriter{p.log, p.mu}
	out, err := p.Cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Cmd.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { _ = p.Cmd.Wait(); close(done) }()
		select {
		case <-done:
			if status := p.Cmd.ProcessState.ExitCode(); status > 0 && status < 128 { // a test may have killed it
				t.Errorf("the program ended with %d:\n%s", status, p.Logged())
			}
		case <-time.After(60 * time.Second):
			t.Errorf("the program did not end when it was asked to:\n%s", p.Logged())
			_ = p.Cmd.Process.Kill()
		}
	})
	line := make(chan string, 1)
	go func() {
		s := bufio.NewScanner(out)
		for s.Scan() {
			line <- s.Text()
		}
		close(line)
	}()
	select {
	case l, open := <-line:
		if !open {
			t.Fatalf("the program ended:\n%s", p.Logged())
		}
		_, after, _ := strings.Cut(l, "http://")
		after, _, _ = strings.Cut(after, " ")
		p.URL = "http://" + after
	case <-time.After(60 * time.Second):
		t.Fatalf("the program is not ready:\n%s", p.Logged())
	}
	return p
}

type lockedWriter struct {
	w  io.Writer
	mu *sync.Mutex
}

func (l lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// Logged returns what the program has logged so far.
func (p *Program) Logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// Call sends a request and returns status and body.
func (p *Program) Call(t *testing.T, method, path, wallet, body string) (int, []byte) {
	t.Helper()
	code, _, b := p.Exchange(t, method, path, wallet, body)
	return code, []byte(b)
}

// Exchange is Call that returns the answer's header too.
func (p *Program) Exchange(t *testing.T, method, path, wallet, body string) (int, http.Header, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if wallet != "" {
		r.Header.Set("X-Wallet-Address", wallet)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, p.Logged())
	}
	defer res.Body.Close() //nolint:errcheck // nothing was written
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

// Get reads a JSON answer.
func (p *Program) Get(t *testing.T, path, wallet string) map[string]any {
	t.Helper()
	code, b := p.Call(t, http.MethodGet, path, wallet, "")
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil || code != http.StatusOK {
		t.Fatalf("GET %s: %d %s %v", path, code, b, err)
	}
	return v
}

// Eventually waits for a condition that other processes bring about.
func Eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	Within(t, 30*time.Second, what, holds)
}

// Within waits for a condition for as long as patience lasts.
func Within(t *testing.T, patience time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("it never came: %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Kill ends the program without a word.
func (p *Program) Kill(t *testing.T) {
	t.Helper()
	if err := p.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = p.Cmd.Process.Wait()
}

// StatusWithToken calls the API with a token, as if from another machine, and returns the status.
func (p *Program) StatusWithToken(t *testing.T, secret, method, path, body string) int {
	t.Helper()
	r, err := http.NewRequest(method, p.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", "203.0.113.7")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

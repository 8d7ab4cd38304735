// Package e2e drives the built program from outside: behind real proxies, with real signals
// and pipes. It holds tests only.
package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const module = "github.com/bitsage-network/validator-dashboard"

// patience is for a step that takes a second on an idle machine.
const patience = 60 * time.Second

// shared is a folder for all tests, which any user may read.
var shared = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
})

// binary builds the program once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := shared()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "validator-dashboard")
	if out, err := exec.Command("go", "build", "-o", path, module).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if url := os.Getenv(fetchEnv); url != "" {
		os.Exit(fetch(url))
	}
	code := m.Run()
	if dir, err := shared(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// server is a running server.
type server struct {
	*process
	address string // host:port
}

func (s server) url() string { return "http://" + s.address }

// serve runs the built program on a free port, as a user ("": the test's own), and waits
// for the line that says it is ready.
func serve(t *testing.T, user string, environment ...string) server {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, user, append([]string{"LISTEN=127.0.0.1:0", "STARKNET_RPC=http://127.0.0.1:9"}, environment...), path, "serve")
	var address string
	p.eventually(t, "the line that says it is ready", func() bool {
		_, line, is := strings.Cut(p.out.String(), "ready at ")
		address, _, _ = strings.Cut(line, "\n")
		return is
	})
	for _, line := range strings.Split(p.out.String(), "\n") {
		if _, listened, is := strings.Cut(line, "who reaches "); is { // PUBLIC_URL is not where it listens
			address, _, _ = strings.Cut(listened, " ")
		}
	}
	return server{p, strings.TrimPrefix(address, "http://")}
}

// answer sends a request and returns its status and body. It waits where it asks too much.
func answer(t *testing.T, method, url, host, body string, header http.Header) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	for name, values := range header {
		r.Header[name] = values
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	client := &http.Client{
		Timeout:       patience,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if wait, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && res.StatusCode == http.StatusTooManyRequests {
		time.Sleep(time.Duration(wait) * time.Second)
		return answer(t, method, url, host, body, header)
	}
	return res.StatusCode, string(b)
}

// fetchEnv names the URL that the test's own program fetches in place of running tests.
const fetchEnv = "E2E_FETCH"

// fetch prints the status of a URL's answer.
func fetch(url string) int {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 2
	}
	r.Header.Set("X-Wallet-Address", wallet)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	_ = res.Body.Close()
	fmt.Println("status", res.StatusCode)
	return 0
}

// fetchAs asks for a URL in a process of another user, and returns what that printed.
func fetchAs(t *testing.T, user, url string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, user, []string{fetchEnv + "=" + url}, readable(t, self))
	p.ends(t)
	return strings.TrimSpace(p.out.String())
}

// readable copies a program to where any user may run it.
func readable(t *testing.T, program string) string {
	t.Helper()
	dir, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, filepath.Base(program))
	if _, err := os.Stat(copied); err == nil {
		return copied
	}
	b, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(copied, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// attack is something that a client does to the server, in the end with what it was answered.
type attack func(ctx context.Context, address string) (string, error)

// client is a fault of clients: others must not feel it, and the client must learn what is
// wrong or be cut off.
func client(name string, a attack) fault {
	said := ""
	f := fault{name: name, source: "client", hold: time.Second}
	f.inject = func(ctx context.Context, s *stage) error {
		var err error
		said, err = a(ctx, strings.TrimPrefix(s.program().url, "http://"))
		return err
	}
	f.says = func(s *stage) string { return said + ", peak of memory " + procStatus(s.program().pid(), "VmHWM") }
	return f
}

func clientLanes() []lane {
	return []lane{{name: "clients", faults: clientFaults()}}
}

func clientFaults() []fault {
	const heartbeat = "/api/worker/heartbeat"
	json := func(body string) attack { return raw(post(heartbeat, "application/json", len(body))+body, 400) }
	return []fault{
		client("a body of 5 MB", raw(post(heartbeat, "application/json", 5<<20)+strings.Repeat("x", 5<<20), 413, 400)),
		client("a body that says it has 100 GB", raw(post(heartbeat, "application/json", 100<<30), 413, 400)),
		client("JSON that is cut off", json(`{"worker_id":"rig-1","gpu_`)),
		client("JSON nested 100,000 deep", json(strings.Repeat("[", 100_000))),
		client("a text with U+0000", json(`{"worker_id":"rig\u0000-1"}`)),
		client("a text that is no UTF-8", json("{\"worker_id\":\"rig-\xff\xfe\"}")),
		client("numbers beyond all bounds", json(`{"worker_id":"rig-1","gpu_count":1e400}`)),
		client("an empty body", raw(post(heartbeat, "application/json", 0), 400)),
		client("a form instead of JSON", raw(post(heartbeat, "application/x-www-form-urlencoded", 14)+"worker_id=rig-1", 400, 415)),
		client("XML instead of JSON", raw(post(heartbeat, "application/xml", 4)+"<a/>", 400, 415)),
		client("a body that never ends", neverEnds(post(heartbeat, "application/json", 1000)+`{"worker_id":`)),
		client("a header that never ends", neverEnds("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")),
		client("a hundred connections that say nothing", silent(100)),
		client("a megabyte of headers", raw("GET /health HTTP/1.1\r\nHost: localhost\r\n"+strings.Repeat("X-Flood: "+strings.Repeat("y", 1000)+"\r\n", 1000)+"\r\n", 431, 400)),
		client("ten thousand headers", raw("GET /health HTTP/1.1\r\nHost: localhost\r\n"+strings.Repeat("X-F: 1\r\n", 10_000)+"\r\n", 431, 400)),
		client("HTTP/1.0", raw("GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n", 200)),
		client("no Host", raw("GET /health HTTP/1.1\r\n\r\n", 400)),
		client("fifty requests in one piece (pipelined)", pipelined(50)),
		client("what is no HTTP", raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", 400)),
		client("two lengths that differ", raw("POST "+heartbeat+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 200\r\n\r\n{}", 400)),
		client("length and chunks at once", raw("POST "+heartbeat+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)),
		client("a chunk whose length is no number", raw("POST "+heartbeat+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400)),
		client("gzip that unpacks to a gigabyte", raw(post(heartbeat, "application/json\r\nContent-Encoding: gzip", 10)+"\x1f\x8b\x08\x00aaaaaa", 400, 415)),
		client("a reader that takes a byte a second of 30 pages", slowReaders(30)),
		client("clients that leave before the answer", leavers(200)),
		client("two thousand requests at once", flood(2000)),
		hostileWallet(),
		client("methods that no route has", raw("PATCH /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405)),
		client("a path with dots and escapes", raw("GET /static/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, 400)),
		client("a query of 20,000 characters", raw("GET /jobs?q="+strings.Repeat("a", 20_000)+" HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, 414, 431)),
		client("a list of 1,001 jobs", raw(post("/api/jobs", "application/json", len(manyJobs))+manyJobs, 400)),
	}
}

var manyJobs = `{"jobs":[` + strings.TrimSuffix(strings.Repeat(`{"job_id":"x","status":"pending"},`, 1001), ",") + `]}`

// post is the head of a POST.
func post(path, contentType string, length int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, contentType, length)
}

const (
	attackBound = 25 * time.Second // within which a client must be answered or cut off
	writeLimit  = 10 * time.Second
)

func dial(ctx context.Context, address string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return c, c.SetDeadline(time.Now().Add(attackBound))
}

// raw sends text and expects an answer of one of some statuses.
func raw(text string, want ...int) attack {
	return func(ctx context.Context, address string) (string, error) {
		c, err := dial(ctx, address)
		if err != nil {
			return "", err
		}
		defer c.Close() //nolint:errcheck // it was read
		sent := make(chan error, 1)
		go func() { _, err := io.WriteString(c, text); sent <- err }() // the server may answer before it has read all
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			if werr := <-sent; werr != nil { // a server may hang up on who goes on sending
				return "it was cut off", nil
			}
			return "", fmt.Errorf("no answer: %w", err)
		}
		defer answer.Body.Close() //nolint:errcheck // it is not read
		if !slices.Contains(want, answer.StatusCode) {
			return "", fmt.Errorf("the answer is %d, not one of %v", answer.StatusCode, want)
		}
		return fmt.Sprintf("it was answered %d", answer.StatusCode), nil
	}
}

// neverEnds begins a request and does not end it: it must be cut off in time.
func neverEnds(text string) attack {
	return func(ctx context.Context, address string) (string, error) {
		c, err := dial(ctx, address)
		if err != nil {
			return "", err
		}
		defer c.Close() //nolint:errcheck // it was cut off
		if _, err := io.WriteString(c, text); err != nil {
			return "", fmt.Errorf("begin a request: %w", err)
		}
		start := time.Now()
		b, err := io.ReadAll(c)
		if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			return "", fmt.Errorf("it was not cut off within %s", attackBound)
		}
		line, _, _ := strings.Cut(string(b), "\r\n")
		return fmt.Sprintf("it was cut off after %s %s", seconds(time.Since(start)), line), nil
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// silent opens connections and says nothing on them.
func silent(n int) attack {
	return func(ctx context.Context, address string) (string, error) {
		var open []net.Conn
		defer func() {
			for _, c := range open {
				_ = c.Close()
			}
		}()
		for range n {
			c, err := dial(ctx, address)
			if err != nil {
				return "", err
			}
			open = append(open, c)
		}
		sleep(ctx, 4*time.Second)
		return fmt.Sprintf("%d connections were held", n), nil
	}
}

// pipelined sends requests without waiting for answers.
func pipelined(n int) attack {
	return func(ctx context.Context, address string) (string, error) {
		c, err := dial(ctx, address)
		if err != nil {
			return "", err
		}
		defer c.Close() //nolint:errcheck // all is read
		if _, err := io.WriteString(c, strings.Repeat("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n", n)); err != nil {
			return "", fmt.Errorf("send requests: %w", err)
		}
		r := bufio.NewReader(c)
		for i := range n {
			answer, err := http.ReadResponse(r, nil)
			if err != nil {
				return "", fmt.Errorf("read answer %d: %w", i, err)
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				return "", fmt.Errorf("answer %d is %d", i, answer.StatusCode)
			}
		}
		return fmt.Sprintf("all %d were answered", n), nil
	}
}

// slowReaders ask for pages and read a byte a second.
func slowReaders(n int) attack {
	return func(ctx context.Context, address string) (string, error) {
		var all sync.WaitGroup
		for range n {
			c, err := dial(ctx, address)
			if err != nil {
				return "", err
			}
			all.Go(func() {
				defer c.Close() //nolint:errcheck // it is read slowly on purpose
				_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
				one := make([]byte, 1)
				for range 6 {
					if _, err := c.Read(one); err != nil {
						return
					}
					sleep(ctx, time.Second)
				}
			})
		}
		all.Wait()
		return fmt.Sprintf("%d readers were served", n), nil
	}
}

// leavers ask and hang up at once.
func leavers(n int) attack {
	return func(ctx context.Context, address string) (string, error) {
		for range n {
			c, err := dial(ctx, address)
			if err != nil {
				return "", err
			}
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
		return fmt.Sprintf("%d left", n), nil
	}
}

// flood sends requests from many connections at once.
func flood(n int) attack {
	return func(ctx context.Context, address string) (string, error) {
		var mu sync.Mutex
		codes := map[int]int{}
		var all sync.WaitGroup
		c := &http.Client{Timeout: attackBound, Transport: &http.Transport{MaxIdleConnsPerHost: 50, MaxConnsPerHost: 50}}
		defer c.CloseIdleConnections()
		for range 50 {
			all.Go(func() {
				for range n / 50 {
					r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/api/validator/status", bytes.NewReader(nil))
					if err != nil {
						return
					}
					code := 0
					if answer, err := c.Do(r); err == nil {
						code = answer.StatusCode
						_, _ = io.Copy(io.Discard, answer.Body)
						_ = answer.Body.Close()
					}
					mu.Lock()
					codes[code]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		for code := range codes {
			if code != http.StatusOK && code != http.StatusTooManyRequests {
				return "", fmt.Errorf("answers by status: %v", codes)
			}
		}
		return fmt.Sprintf("answers by status: %v", codes), nil
	}
}

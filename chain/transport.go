package chain

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

var (
	errTooLarge = errors.New("the answer is larger than the limit")
	errCutShort = errors.New("the answer ended before it was complete")
)

// boundedTransport limits how much of an answer's body is read, after decompression, so
// that no node can fill this process's memory, and notes for how long a node that limits how
// often it is asked wants to be left alone.
type boundedTransport struct {
	next  http.RoundTripper
	limit int64
	rest  func(time.Duration)
}

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{resp.Body, t.limit}
	if d := retryAfter(resp); d > 0 {
		t.rest(d)
	}
	return resp, nil
}

// retryAfter is how long a refused client is asked to wait, 0 if the answer does not say.
func retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(at.Sub(now), 0)
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: %w", errCutShort, err)
	}
	return n, err
}

// httpClient is what nodes are asked with. A redirect is not followed: it would turn the
// POST into a GET, and may lead anywhere.
func httpClient(transport http.RoundTripper, timeout time.Duration) *http.Client {
	return &http.Client{
		Transport:     transport,
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

package chain

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

var (
	errTooLarge = errors.New("the answer is larger than the limit")
	errCutShort = errors.New("the answer ended before it was complete")
)

// boundedTransport limits how much of an answer's body is read, after decompression, so
// that no node can fill this process's memory.
type boundedTransport struct {
	next  http.RoundTripper
	limit int64
}

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{resp.Body, t.limit}
	return resp, nil
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
func httpClient(next http.RoundTripper, limit int64, timeout time.Duration) *http.Client {
	return &http.Client{
		Transport:     boundedTransport{next, limit},
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

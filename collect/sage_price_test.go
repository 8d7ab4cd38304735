package collect

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestAJSONPointerFindsWhatRFC6901Says(t *testing.T) {
	const document = `{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "m~n": 8, "~1": 9, "deep": {"list": [[10]]}}`
	for pointer, want := range map[string]string{
		"/": "0", "/a~1b": "1", "/c%d": "2", "/m~0n": "8", "/~01": "9", "/deep/list/0/0": "10",
		"/foo/2": "nothing", "/foo/-": "nothing", "/foo/00": "nothing", "/foo/-1": "nothing", "/nothing": "nothing", "/a~1b/x": "nothing",
		"/foo/0": "what stands", "/deep": "what stands", "": "what stands",
	} {
		path, err := ParseJSONPointer(pointer)
		if err != nil {
			t.Errorf("%q: %v", pointer, err)
			continue
		}
		got, err := priceIn([]byte(document), path)
		switch {
		case err == nil && validator.PriceText(got) != want:
			t.Errorf("%q finds %s, want %s", pointer, validator.PriceText(got), want)
		case err != nil && !strings.Contains(err.Error(), want) && want != "0":
			t.Errorf("%q: %v, want %q", pointer, err, want)
		}
	}
	for _, wrong := range []string{"foo", "/a~2b", "/~", "#/foo"} {
		if _, err := ParseJSONPointer(wrong); err == nil {
			t.Errorf("%q is taken for a pointer", wrong)
		}
	}
}

func TestAPriceIsANumberAboveZero(t *testing.T) {
	for body, want := range map[string]string{
		`0.1234567890123456789`: "0.1234567890123456789", `"0.25"`: "0.25", `2.5e-7`: "0.00000025", `1E3`: "1000", `41`: "41",
		`0`: "", `-1`: "", `"-1"`: "", `"NaN"`: "", `"0x10"`: "", `"1/3"`: "", `null`: "", `true`: "", `[]`: "", `1e999`: "", `1e-40`: "", `1e-99`: "", `"1_000"`: "", `9999999999`: "", `"` + strings.Repeat("1", 60) + `"`: "",
		``: "", `{`: "", `<html>`: "",
	} {
		got, err := priceIn([]byte(body), nil)
		if (err == nil) != (want != "") || err == nil && validator.PriceText(got) != want {
			t.Errorf("%s is %v, %v; want %q", body, got, err, want)
		}
	}
}

// TestThePriceIsObserved asks a server that fails in every way, and looks at what of it the
// database keeps, and how long the feed waits before it asks again.
func TestThePriceIsObserved(t *testing.T) {
	var asked atomic.Int64
	var answer atomic.Value
	answer.Store(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"sage": {"usd": 0.25}}`) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer.Load().(func(http.ResponseWriter, *http.Request))(w, r)
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL + "/price?key=hunter2")
	if err != nil {
		t.Fatal(err)
	}
	path, err := ParseJSONPointer("/sage/usd")
	if err != nil {
		t.Fatal(err)
	}
	store := dbtest.New(t)
	var said bytes.Buffer
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	feed := NewPriceFeed(PriceFeedConfig{Source: PriceSource{URL: at, Path: path, Currency: "USD"}, Store: store, Now: func() time.Time { return now }, UserAgent: "test", Log: slog.New(slog.NewTextHandler(&said, nil))})
	feed.client.Timeout = 200 * time.Millisecond
	look := func(what string, wantAsked int64, want string) {
		t.Helper()
		before := asked.Load()
		if err := feed.observe(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		p, err := store.SAGEPrice(t.Context())
		if err != nil || p == nil || asked.Load()-before != wantAsked || validator.PriceText(p.Amount)+" "+p.Currency+" "+p.At.Format("15:04") != want || p.Source != at.Host {
			t.Errorf("%s: asked %d times, then %+v %v; want %d, %s", what, asked.Load()-before, p, err, wantAsked, want)
		}
	}
	look("at first", 1, "0.25 USD 12:00")
	now = now.Add(time.Minute)
	look("a minute later", 0, "0.25 USD 12:00")
	// Another replica finds what this one stored.
	other := NewPriceFeed(feed.cfg)
	if err := other.observe(t.Context()); err != nil || asked.Load() != 1 {
		t.Errorf("another replica asks again: %v", err)
	}
	now = now.Add(4 * time.Minute)
	answer.Store(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"sage": {"usd": "0.5"}}`) })
	look("five minutes later", 1, "0.5 USD 12:05")

	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	now = now.Add(5 * time.Minute)
	for i, fault := range []struct {
		name string
		do   func(http.ResponseWriter, *http.Request)
	}{
		{"500", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }},
		{"another shape", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"sage": {"eur": 1}}`) }},
		{"no end", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, io.LimitReader(endless{}, 1<<30)) }},
		{"no answer", func(http.ResponseWriter, *http.Request) { <-stop }},
		{"a hang-up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		answer.Store(fault.do)
		look(fault.name, 1, "0.5 USD 12:05")
		now = now.Add(priceLook<<i - time.Second)
		look(fault.name+", too early", 0, "0.5 USD 12:05")
		now = now.Add(time.Second)
	}
	if !strings.Contains(said.String(), "nothing at SAGE_PRICE_PATH") || !strings.Contains(said.String(), "500") || strings.Contains(said.String(), "hunter2") {
		t.Errorf("the log says:\n%s", &said)
	}
	answer.Store(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"sage": {"usd": 1}}`) })
	look("mended", 1, "1 USD "+now.Format("15:04"))
	now = now.Add(5 * time.Minute)
	look("and in its rhythm again", 1, "1 USD "+now.Format("15:04"))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := feed.observe(ended); err == nil {
		t.Error("an ended context is no failure")
	}
}

// TestThePriceIsNotAskedOfAnotherHost that a redirect names, and the key in the URL stays.
func TestThePriceIsNotAskedOfAnotherHost(t *testing.T) {
	var strayed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		strayed.Add(1)
		fmt.Fprint(w, "0.01")
	}))
	t.Cleanup(elsewhere.Close)
	source := http.NewServeMux()
	source.Handle("/away", http.RedirectHandler(elsewhere.URL+"/", http.StatusTemporaryRedirect))
	source.Handle("/over", http.RedirectHandler("/away", http.StatusFound))
	source.Handle("/round", http.RedirectHandler("/round", http.StatusFound))
	source.Handle("/moved", http.RedirectHandler("/price", http.StatusMovedPermanently))
	source.HandleFunc("/price", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "0.25") })
	server := httptest.NewServer(source)
	t.Cleanup(server.Close)
	for path, want := range map[string]string{"/away": "is not followed", "/over": "is not followed", "/round": "leads on more than", "/moved": ""} {
		at, err := url.Parse(server.URL + path + "?key=hunter2")
		if err != nil {
			t.Fatal(err)
		}
		feed := NewPriceFeed(PriceFeedConfig{Source: PriceSource{URL: at, Currency: "USD"}, UserAgent: "test", Log: slog.New(slog.DiscardHandler)})
		price, err := feed.read(t.Context())
		switch {
		case want == "" && (err != nil || validator.PriceText(price.Amount) != "0.25"):
			t.Errorf("%s: %v %v", path, price, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if n := strayed.Load(); n != 0 {
		t.Errorf("another host was asked %d times", n)
	}
}

// endless is more than anybody reads.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

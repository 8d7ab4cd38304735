package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// PriceSource says where the price of SAGE is read. The zero PriceSource: nowhere.
type PriceSource struct {
	URL      *url.URL
	Path     JSONPointer // to the number in what the URL answers
	Currency string
}

// Name is the source as people read it: the URL may hold a key, its host does not.
func (c PriceSource) Name() string {
	if c.URL == nil {
		return ""
	}
	return c.URL.Host
}

// The rhythm of asking for the price. After failures the waits double.
const (
	priceEvery   = 5 * time.Minute
	priceLook    = time.Minute // how often it is looked whether it is time
	priceTimeout = 10 * time.Second
	priceLongest = time.Hour
	priceMost    = 64 << 10 // bytes of an answer
)

// PriceStore is what a PriceFeed needs of the database.
type PriceStore interface {
	SAGEPrice(ctx context.Context) (*validator.SAGEPrice, error)
	StoreSAGEPrice(ctx context.Context, p validator.SAGEPrice) error
}

// PriceFeedConfig holds what a PriceFeed needs. Every field but Source is required.
type PriceFeedConfig struct {
	Source    PriceSource
	Store     PriceStore
	Now       func() time.Time // the clock by which prices age: the database's
	UserAgent string
	Log       *slog.Logger
}

// PriceFeed observes the price of SAGE for all replicas: it stores what it reads in the
// database, where pages read it.
type PriceFeed struct {
	cfg    PriceFeedConfig
	client *http.Client

	mu       sync.Mutex
	failures int
	next     time.Time // after a failure
}

// NewPriceFeed returns a feed that reads when its periodic jobs run.
func NewPriceFeed(cfg PriceFeedConfig) *PriceFeed {
	return &PriceFeed{cfg: cfg, client: &http.Client{Timeout: priceTimeout, CheckRedirect: staysWithHost}}
}

// priceRedirects is how many redirects in a row are followed.
const priceRedirects = 3

// staysWithHost follows redirects within the host that was asked, or to https on it: the URL
// may hold a key, which is nobody else's, and what another host says is not that source's price.
func staysWithHost(r *http.Request, before []*http.Request) error {
	asked := before[0].URL
	switch {
	case r.URL.Host != asked.Host, r.URL.Scheme != asked.Scheme && r.URL.Scheme != "https":
		return fmt.Errorf("it leads to %s://%s, which is not followed", r.URL.Scheme, r.URL.Host)
	case len(before) > priceRedirects:
		return fmt.Errorf("it leads on more than %d times", priceRedirects)
	}
	return nil
}

// PeriodicJobs are what one of all replicas does; none without a URL.
func (f *PriceFeed) PeriodicJobs() []db.PeriodicJob {
	if f.cfg.Source.URL == nil {
		return nil
	}
	return []db.PeriodicJob{{Name: "sage_price", Every: priceLook, Limit: 2 * priceTimeout, Do: f.observe}}
}

// observe reads the price and stores it, when it is time.
func (f *PriceFeed) observe(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.cfg.Now()
	if now.Before(f.next) {
		return nil
	}
	newest, err := f.cfg.Store.SAGEPrice(ctx)
	if err != nil {
		return err
	}
	if newest != nil && newest.Source == f.cfg.Source.Name() && newest.Currency == f.cfg.Source.Currency && now.Sub(newest.At) < priceEvery-priceLook/2 {
		return nil
	}
	price, err := f.read(ctx)
	if err != nil {
		wait := min(priceLook<<min(f.failures, 10), priceLongest)
		f.failures++
		f.next = now.Add(wait)
		if ctx.Err() == nil {
			f.cfg.Log.Warn("the price of SAGE cannot be read", slog.String("source", f.cfg.Source.Name()), slog.Any("error", err), slog.Duration("next_try_in", wait))
		}
		return nil
	}
	f.failures, f.next = 0, time.Time{}
	price.At = now
	return f.cfg.Store.StoreSAGEPrice(ctx, price)
}

// read asks the URL once.
func (f *PriceFeed) read(ctx context.Context) (validator.SAGEPrice, error) {
	price := validator.SAGEPrice{Currency: f.cfg.Source.Currency, Source: f.cfg.Source.Name()}
	ctx, cancel := context.WithTimeout(ctx, priceTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.cfg.Source.URL.String(), nil)
	if err != nil {
		return price, errors.New("SAGE_PRICE_URL cannot be asked")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", f.cfg.UserAgent)
	res, err := f.client.Do(r)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok { // its own text has the URL, which may hold a key
			err = failed.Err
		}
		return price, fmt.Errorf("ask for it: %w", err)
	}
	defer res.Body.Close() //nolint:errcheck // nothing was written
	if res.StatusCode != http.StatusOK {
		return price, fmt.Errorf("the answer is %s", res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, priceMost+1))
	switch {
	case err != nil:
		return price, fmt.Errorf("read the answer: %w", err)
	case len(body) > priceMost:
		return price, fmt.Errorf("the answer is longer than %d bytes", priceMost)
	}
	price.Amount, err = priceIn(body, f.cfg.Source.Path)
	return price, err
}

// priceIn finds the price in an answer: a number, or a text that is one.
func priceIn(body []byte, path JSONPointer) (*big.Rat, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var document any
	if err := d.Decode(&document); err != nil {
		return nil, errors.New("the answer is no JSON")
	}
	found, has := path.find(document)
	if !has {
		return nil, errors.New("the answer has nothing at SAGE_PRICE_PATH")
	}
	var text string
	switch v := found.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	}
	amount, err := validator.ParsePrice(text)
	if err != nil {
		return nil, fmt.Errorf("what stands at SAGE_PRICE_PATH %w", err)
	}
	return amount, nil
}

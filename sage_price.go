package main

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

// PriceConfig says where the price of SAGE is read. The zero PriceConfig: nowhere.
type PriceConfig struct {
	URL      *url.URL
	Path     jsonPointer // to the number in what the URL answers
	Currency string
}

// Source is who tells the price, for people: the URL may hold a key, its host does not.
func (c PriceConfig) Source() string {
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

// priceStore is what the feed needs of the database.
type priceStore interface {
	SAGEPrice(ctx context.Context) (*validator.SAGEPrice, error)
	StoreSAGEPrice(ctx context.Context, p validator.SAGEPrice) error
}

// priceFeed observes the price of SAGE for all replicas: what it reads goes to the database,
// and pages read it there.
type priceFeed struct {
	cfg    PriceConfig
	store  priceStore
	client *http.Client
	now    func() time.Time
	log    *slog.Logger

	mu       sync.Mutex
	failures int
	next     time.Time // after a failure
}

func newPriceFeed(cfg PriceConfig, store priceStore, log *slog.Logger) *priceFeed {
	return &priceFeed{
		cfg: cfg, store: store, log: log,
		client: &http.Client{Timeout: priceTimeout, CheckRedirect: staysWithHost},
		now:    func() time.Time { return time.Now().UTC() },
	}
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

// duties are what one of all replicas does; none without a URL.
func (f *priceFeed) duties() []db.Duty {
	if f.cfg.URL == nil {
		return nil
	}
	return []db.Duty{{Name: "sage_price", Every: priceLook, Limit: 2 * priceTimeout, Do: f.observe}}
}

// observe reads the price and stores it, when it is time.
func (f *priceFeed) observe(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now.Before(f.next) {
		return nil
	}
	newest, err := f.store.SAGEPrice(ctx)
	if err != nil {
		return err
	}
	if newest != nil && newest.Source == f.cfg.Source() && newest.Currency == f.cfg.Currency && now.Sub(newest.At) < priceEvery-priceLook/2 {
		return nil
	}
	price, err := f.read(ctx)
	if err != nil {
		wait := min(priceLook<<min(f.failures, 10), priceLongest)
		f.failures++
		f.next = now.Add(wait)
		if ctx.Err() == nil {
			f.log.Warn("the price of SAGE cannot be read", slog.String("source", f.cfg.Source()), slog.Any("error", err), slog.Duration("next_try_in", wait))
		}
		return nil
	}
	f.failures, f.next = 0, time.Time{}
	price.At = now
	return f.store.StoreSAGEPrice(ctx, price)
}

// read asks the URL once.
func (f *priceFeed) read(ctx context.Context) (validator.SAGEPrice, error) {
	price := validator.SAGEPrice{Currency: f.cfg.Currency, Source: f.cfg.Source()}
	ctx, cancel := context.WithTimeout(ctx, priceTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.cfg.URL.String(), nil)
	if err != nil {
		return price, errors.New("SAGE_PRICE_URL cannot be asked")
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "validator-dashboard/"+version)
	res, err := f.client.Do(r)
	if err != nil {
		if told, ok := errors.AsType[*url.Error](err); ok { // its own text has the URL, which may hold a key
			err = told.Err
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
	price.Amount, err = priceIn(body, f.cfg.Path)
	return price, err
}

// priceIn finds the price in an answer: a number, or a text that is one.
func priceIn(body []byte, path jsonPointer) (*big.Rat, error) {
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

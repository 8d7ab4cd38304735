package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/bitsage-network/validator-dashboard/collect"
	"github.com/bitsage-network/validator-dashboard/demo/history"
)

// priceServer answers the price of SAGE in the demo, as a market's API would.
type priceServer struct {
	config collect.PriceSource
	server *http.Server
	listen net.Listener
}

// priceHeaderTimeout bounds how long a client may take to ask.
const priceHeaderTimeout = 5 * time.Second

func newPriceServer(ctx context.Context) (*priceServer, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("answer the demo's price: %w", err)
	}
	p := &priceServer{
		config: collect.PriceSource{URL: &url.URL{Scheme: "http", Host: l.Addr().String(), Path: "/sage"}, Path: collect.JSONPointer{"sage", "usd"}, Currency: history.PriceCurrency},
		listen: l,
	}
	p.server = &http.Server{ReadHeaderTimeout: priceHeaderTimeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		const decimals = 4
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"sage": map[string]string{"usd": history.PriceAt(time.Now()).FloatString(decimals)}})
	})}
	return p, nil
}

// run answers until ctx ends.
func (p *priceServer) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = p.server.Close() })
	defer stop()
	if err := p.server.Serve(p.listen); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("answer the demo's price: %w", err)
	}
	return nil
}

package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/static"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// IndexReader is what the server needs of the index of the chain's events.
type IndexReader interface {
	IndexLag() validator.Maybe[validator.IndexLag]
	// IndexCursor is how far the events of one contract are known.
	IndexCursor(contract validator.Address) validator.Maybe[validator.IndexCursor]
}

// Config is what a Server is made of; all but Index, Peers, PublicURL, DrainTime, ValidatorAddress, HeartbeatInterval and Demo are required.
type Config struct {
	Database          *db.Store
	GPUs              observe.GPUReader
	Chain             observe.ChainReader
	Signatures        SignatureVerifier
	Actions           ActionSimulator
	Index             IndexReader // nil: nothing is said of it
	Network           chain.Network
	ValidatorAddress  validator.Address           // the wallet of this host's GPUs; "" = not set
	HeartbeatInterval validator.HeartbeatInterval // that hosts are expected to keep
	LocalAccess       bool
	PublicURL         string
	TrustedProxies    []netip.Prefix // whose X-Forwarded-For is believed
	MaxWait           time.Duration  // for a database read before what is cached is shown; 0 = observe.DefaultMaxWait
	DrainTime         time.Duration  // for which Serve takes requests after its context's end
	Peers             PeerOwners     // nil: the kernel's table of sockets
	Version           string
	Commit            string // of the source that this program was built from
	Demo              *Demo  // nil but in the demo
	Metrics           *prometheus.Registry
	Log               *slog.Logger
}

// Server answers HTTP requests.
type Server struct {
	db                *db.Store
	gpus              observe.GPUReader
	chain             observe.ChainReader
	signatures        SignatureVerifier
	actions           ActionSimulator
	index             IndexReader
	network           chain.Network
	validatorAddress  validator.Address
	heartbeatInterval validator.HeartbeatInterval
	localAccess       bool
	publicURL         string
	trustedProxies    []netip.Prefix
	drainTime         time.Duration
	drain             drain
	peers             PeerOwners
	peerNotes         noteOnce
	version           string
	commit            string
	demo              *Demo
	metrics           *prometheus.Registry
	log               *slog.Logger
	assets            *static.Assets
	observer          *observe.Observer
	sessions          sessionManagers
	tokens            *proven[db.Token]
	limits            *limits
	refusalsLeft      uncounted
	running           *running
	exports           *exportsRunning
	now               func() time.Time
	echo              *echo.Echo
	docs              []apiOperation
	stated            map[string]access // by method and path, of every route
}

// New checks the configuration and builds the routes.
func New(c Config) (*Server, error) {
	switch {
	case c.Database == nil, c.GPUs == nil, c.Chain == nil, c.Signatures == nil, c.Actions == nil, c.Metrics == nil, c.Log == nil:
		return nil, errors.New("web: database, GPUs, chain, signatures, actions, metrics and log are required")
	}
	assets, err := static.Load()
	if err != nil {
		return nil, err
	}
	s := &Server{
		db: c.Database, gpus: c.GPUs, chain: c.Chain, signatures: c.Signatures, actions: c.Actions, index: c.Index, network: c.Network,
		validatorAddress: c.ValidatorAddress, heartbeatInterval: c.HeartbeatInterval, localAccess: c.LocalAccess, publicURL: c.PublicURL, trustedProxies: c.TrustedProxies, drainTime: c.DrainTime,
		version: c.Version, commit: c.Commit, demo: c.Demo, metrics: c.Metrics, log: slog.New(requestLog{c.Log.Handler()}), assets: assets, running: newRunning(func() bool { return c.Database.State().Health == validator.HealthOK }), exports: newExportsRunning(),
		stated: map[string]access{},
		now:    c.Database.Now,
	}
	s.observer = observe.New(observe.Config{
		Database: c.Database, GPUs: c.GPUs, Chain: c.Chain, ValidatorAddress: c.ValidatorAddress, HeartbeatInterval: c.HeartbeatInterval,
		Now: func() time.Time { return s.now() }, MaxWait: c.MaxWait, Log: s.log,
	})
	if s.peers = c.Peers; s.peers == nil {
		s.peers = systemPeers()
	}
	if s.sessions, err = s.newSessions(); err != nil {
		return nil, err
	}
	if s.tokens, err = newProven(s.db.UseToken); err != nil {
		return nil, err
	}
	if s.limits, err = newLimits(); err != nil {
		return nil, err
	}
	if s.echo, err = s.newEcho(); err != nil {
		return nil, err
	}
	return s, nil
}

// Handler is the whole site.
func (s *Server) Handler() http.Handler { return s.echo }

// How long a client may take; answers are small and come from memory.
const (
	headerTimeout = 5 * time.Second
	readBody      = 15 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
)

// Serve answers on the listener until ctx ends and the requests that came until then, or for
// the configured DrainTime after it, are answered.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler:           s.echo,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readBody,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       s.withPeer,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve http: %w", err)
	case <-ctx.Done():
		return s.finish(context.WithoutCancel(ctx), srv, failed)
	}
}

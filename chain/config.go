package chain

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Config says what a Client reads and how patiently. Every zero duration, count and
// function means the default that its comment names.
type Config struct {
	RPCURLs []string // JSON-RPC nodes, tried in this order; Network.DefaultRPC if empty
	Network Network

	// SocketURLs are websockets of nodes that tell new heads, the first that does is used. If
	// empty, those are tried that have the URLs of RPCURLs with the scheme ws or wss, and left
	// alone for SocketOfferWait where a node has none. With NoSockets the head is polled only.
	SocketURLs []string
	NoSockets  bool

	Contracts Contracts // exactly these: see Contracts.Or for the network's own

	PollInterval     time.Duration // between two looks at the head; 4 s
	IdlePollInterval time.Duration // the same while nobody looks at anything, or heads are announced; 4 × PollInterval
	SocketSilence    time.Duration // after which a websocket that tells no head is not counted on; 6 × PollInterval
	SocketPing       time.Duration // between two pings of a websocket; 20 s
	SocketRetry      time.Duration // before a websocket that failed is tried again, doubling, with jitter; 2 s
	SocketOfferWait  time.Duration // before a node that has no websocket is asked for one again; 6 h
	CallTimeout      time.Duration // of one HTTP request; 5 s
	FirstReadWait    time.Duration // longest wait of a first WalletSnapshot; 1.5 s
	WatchFor         time.Duration // how long a wallet is read on after its last look; 10 min
	MaxWatched       int           // wallets watched at once, the longest unseen go first; 512
	BatchWallets     int           // wallets that are read together; 16
	BatchCalls       int           // most calls in one HTTP request, fewer where a node takes fewer; 100
	HeadMaxAge       time.Duration // a newest block older than this is stale; 2 min
	Retries          int           // of a failed round over all nodes; 2, negative for none
	RetryBackoff     time.Duration // before the first retry, doubling, with jitter, and between requests to a node that was asked too often; 200 ms
	BreakerFailures  int           // failures in a row that open a node's circuit; 3
	BreakerDelay     time.Duration // before an open circuit lets one request through; 10 s
	CheckInterval    time.Duration // between checks of the contracts' classes; 30 s
	CheckRetry       time.Duration // before a check that could not be done is repeated; 30 s
	HistoryTimeout   time.Duration // of reading one wallet's events, all their pages; 30 s
	HistoryRetry     time.Duration // before events that could not be read are tried again, doubling; 1 min
	MaxResponseBytes int64         // of one answer's body; 16 MiB

	Log       *slog.Logger      // slog.Default()
	Transport http.RoundTripper // http.DefaultTransport
	Now       func() time.Time  // time.Now
}

// ErrConfig says that a Config cannot be used; the wrapping error says why.
var ErrConfig = errors.New("chain configuration")

// complete returns the config with its defaults filled in, or why it cannot be used.
func (c Config) complete() (Config, error) {
	if c.Network.ChainID == "" {
		return c, fmt.Errorf("%w: the network has no chain id", ErrConfig)
	}
	if len(c.Network.ChainID) > 31 {
		return c, fmt.Errorf("%w: the chain id %q is longer than a short string", ErrConfig, c.Network.ChainID)
	}
	if len(c.RPCURLs) == 0 && c.Network.DefaultRPC != "" {
		c.RPCURLs = []string{c.Network.DefaultRPC}
	}
	if len(c.RPCURLs) == 0 {
		return c, fmt.Errorf("%w: STARKNET_RPC names no node", ErrConfig)
	}
	for i, raw := range c.RPCURLs {
		// The parser's error repeats the URL, which may hold a key, so it is not handed on.
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return c, fmt.Errorf("%w: STARKNET_RPC: URL %d must begin with http:// or https:// and a host", ErrConfig, i+1)
		}
	}
	for i, raw := range c.SocketURLs {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" {
			return c, fmt.Errorf("%w: STARKNET_WS: URL %d must begin with ws:// or wss:// and a host", ErrConfig, i+1)
		}
	}
	for _, k := range c.Contracts.all() {
		if k.address == "" {
			continue
		}
		if a, err := validator.ParseAddress(string(k.address)); err != nil || a != k.address {
			return c, fmt.Errorf("%w: %s is no address in normal form", ErrConfig, k.setting)
		}
	}
	for name, d := range map[string]time.Duration{
		"PollInterval": c.PollInterval, "IdlePollInterval": c.IdlePollInterval, "CallTimeout": c.CallTimeout,
		"FirstReadWait": c.FirstReadWait, "WatchFor": c.WatchFor, "HeadMaxAge": c.HeadMaxAge,
		"RetryBackoff": c.RetryBackoff, "BreakerDelay": c.BreakerDelay,
		"CheckInterval": c.CheckInterval, "CheckRetry": c.CheckRetry,
		"HistoryTimeout": c.HistoryTimeout, "HistoryRetry": c.HistoryRetry,
		"SocketSilence": c.SocketSilence, "SocketPing": c.SocketPing,
		"SocketRetry": c.SocketRetry, "SocketOfferWait": c.SocketOfferWait,
	} {
		if d < 0 {
			return c, fmt.Errorf("%w: %s is negative", ErrConfig, name)
		}
	}
	if c.MaxWatched < 0 || c.BatchWallets < 0 || c.BatchCalls < 0 || c.BreakerFailures < 0 || c.MaxResponseBytes < 0 {
		return c, fmt.Errorf("%w: a limit is negative", ErrConfig)
	}
	c.fill()
	return c, nil
}

func (c *Config) fill() {
	orDefault(&c.PollInterval, 4*time.Second)
	orDefault(&c.IdlePollInterval, 4*c.PollInterval)
	orDefault(&c.SocketSilence, 6*c.PollInterval)
	orDefault(&c.SocketPing, 20*time.Second)
	orDefault(&c.SocketRetry, 2*time.Second)
	orDefault(&c.SocketOfferWait, 6*time.Hour)
	orDefault(&c.CallTimeout, 5*time.Second)
	orDefault(&c.FirstReadWait, 1500*time.Millisecond)
	orDefault(&c.WatchFor, 10*time.Minute)
	orDefault(&c.MaxWatched, 512)
	orDefault(&c.BatchWallets, 16)
	orDefault(&c.BatchCalls, 100) // what Pathfinder takes by default
	orDefault(&c.HeadMaxAge, 2*time.Minute)
	orDefault(&c.Retries, 2)
	orDefault(&c.RetryBackoff, 200*time.Millisecond)
	orDefault(&c.BreakerFailures, 3)
	orDefault(&c.BreakerDelay, 10*time.Second)
	orDefault(&c.CheckInterval, 30*time.Second)
	orDefault(&c.CheckRetry, 30*time.Second)
	orDefault(&c.HistoryTimeout, 30*time.Second)
	orDefault(&c.HistoryRetry, time.Minute)
	orDefault(&c.MaxResponseBytes, 16<<20)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// namedContract is a contract with its name, the setting that holds its address, and the
// functions that this program calls or asks wallets to sign.
type namedContract struct {
	name, setting string
	address       validator.Address
	needs         []string
}

// all lists the contracts in the order in which they are shown.
func (c Contracts) all() []namedContract {
	return []namedContract{c.proverStaking(), c.reputationManager(), c.sageToken(), c.jobManager(), c.miningRewards(), c.paymentRouter()}
}

func (c Contracts) proverStaking() namedContract {
	return namedContract{"ProverStaking", "PROVER_STAKING_ADDRESS", c.ProverStaking, []string{
		"get_stake", "is_eligible", "get_config", "total_staked", "total_slashed",
		"stake", "request_unstake", "complete_unstake", "claim_rewards",
	}}
}

func (c Contracts) reputationManager() namedContract {
	return namedContract{"ReputationManager", "REPUTATION_MANAGER_ADDRESS", c.ReputationManager,
		[]string{"get_reputation", "get_worker_rank", "get_network_stats"}}
}

func (c Contracts) sageToken() namedContract {
	return namedContract{"SAGEToken", "SAGE_TOKEN_ADDRESS", c.SAGEToken, []string{"balance_of", "approve"}}
}

func (c Contracts) jobManager() namedContract {
	return namedContract{"JobManager", "JOB_MANAGER_ADDRESS", c.JobManager, []string{"get_worker_id_by_address"}}
}

func (c Contracts) miningRewards() namedContract {
	return namedContract{"MiningRewards", "MINING_REWARDS_ADDRESS", c.MiningRewards,
		[]string{"get_worker_stats", "get_remaining_cap", "get_stake_tier"}}
}

// paymentRouter is read by its events only.
func (c Contracts) paymentRouter() namedContract {
	return namedContract{"PaymentRouter", "PAYMENT_ROUTER_ADDRESS", c.PaymentRouter, nil}
}

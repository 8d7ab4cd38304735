package app

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/joho/godotenv"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/collect"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// Config is the whole configuration, parsed and validated once at start-up.
type Config struct {
	Version, Commit string // of the program

	Listen           string // host:port
	DataDir          string // absolute
	DatabaseURL      string // "" = the private PostgreSQL in DataDir
	DatabaseDirect   string // URL of the same server past a pooler; "" = DatabaseURL
	Network          chain.Network
	StarknetRPC      []string
	StarknetWS       []string // empty = derived from StarknetRPC
	PollHeads        bool     // websockets are not used
	Contracts        chain.Contracts
	IndexFromBlock   *uint64           // nil = each contract's deployment
	ValidatorAddress validator.Address // "" = not set
	NVMLLibrary      string            // "" = the driver's own
	LocalAccess      bool
	PublicURL        string // without a trailing slash
	TrustedProxies   []netip.Prefix
	DrainTime        time.Duration
	LogLevel         slog.Level
	PostgresBinDir   string // "" = searched
	// How long single heartbeats and GPU samples are kept.
	KeepHeartbeats, KeepGPUSamples time.Duration
	IngestQuota                    db.IngestQuota
	HeartbeatInterval              validator.HeartbeatInterval
	SAGEPrice                      collect.PriceSource
	// RealSources names the variables that were set and say where real values come from.
	RealSources []string
}

// setting is one configuration variable: the environment's name, and its flag's after
// lower-casing and dashes.
type setting struct {
	name, def, help string
	secret          bool // its value is never printed
	realSource      bool // it says where real values come from, which the demo does not read
	set             func(c *Config, v string) error
}

func (s setting) flag() string { return strings.ToLower(strings.ReplaceAll(s.name, "_", "-")) }

// settings lists every variable in the order of the README's table.
func settings() []setting {
	return []setting{
		{name: "LISTEN", def: "127.0.0.1:3030", help: "address and port to serve on", set: setListen},
		{name: "DATA_DIR", def: "./data", help: "folder of the private PostgreSQL", set: func(c *Config, v string) (err error) {
			c.DataDir, err = filepath.Abs(v)
			return err
		}},
		{name: "DATABASE_URL", help: "a PostgreSQL 14 or newer to use instead of the private one", secret: true, realSource: true, set: setDatabaseURL},
		{name: "DATABASE_DIRECT_URL", help: "the same database past a pooler that shares connections by transaction, for migrations", secret: true, realSource: true, set: setDatabaseDirect},
		{name: "NETWORK", def: "sepolia", help: "Starknet network: sepolia or mainnet", realSource: true, set: func(c *Config, v string) (err error) {
			c.Network, err = chain.NetworkByName(v)
			return err
		}},
		{name: "STARKNET_RPC", help: "RPC URLs, comma-separated, tried in order; empty: the network's public node", secret: true, realSource: true, set: setRPC},
		{name: "STARKNET_WS", help: "websocket URLs of nodes that tell new blocks as they come, comma-separated, tried in order; empty: tried at the RPC URLs, with ws in the place of http, and left where a node has none; off: new blocks are only asked for", secret: true, realSource: true, set: setSockets},
		contractSetting("PROVER_STAKING_ADDRESS", "ProverStaking", func(c *Config) *validator.Address { return &c.Contracts.ProverStaking }),
		contractSetting("REPUTATION_MANAGER_ADDRESS", "ReputationManager", func(c *Config) *validator.Address { return &c.Contracts.ReputationManager }),
		contractSetting("SAGE_TOKEN_ADDRESS", "SAGEToken", func(c *Config) *validator.Address { return &c.Contracts.SAGEToken }),
		contractSetting("JOB_MANAGER_ADDRESS", "JobManager", func(c *Config) *validator.Address { return &c.Contracts.JobManager }),
		contractSetting("MINING_REWARDS_ADDRESS", "MiningRewards", func(c *Config) *validator.Address { return &c.Contracts.MiningRewards }),
		contractSetting("PAYMENT_ROUTER_ADDRESS", "PaymentRouter", func(c *Config) *validator.Address { return &c.Contracts.PaymentRouter }),
		{name: "INDEX_FROM_BLOCK", help: "number of the block from which on the contracts' events are read; empty: the block in which each was deployed", realSource: true, set: setIndexFrom},
		{name: "VALIDATOR_ADDRESS", help: "the wallet that this host's GPUs work for", realSource: true, set: func(c *Config, v string) (err error) {
			if v != "" {
				c.ValidatorAddress, err = validator.ParseAddress(v)
			}
			return err
		}},
		{name: "NVML_LIBRARY", help: "path of libnvidia-ml.so.1; empty: the driver's own", realSource: true, set: func(c *Config, v string) error {
			c.NVMLLibrary = v
			return nil
		}},
		{name: "PUBLIC_URL", help: "the URL under which people reach the server, which sign-ins are bound to; empty: people sign in on this machine only", set: setPublicURL},
		{name: "TRUSTED_PROXIES", help: "addresses or prefixes, comma-separated, of proxies whose X-Forwarded-For names the client; empty: none", set: setTrustedProxies},
		{name: "LOCAL_ACCESS", help: "true or false: programs of the server's own user on this machine may read any wallet without signing in; empty: true while LISTEN is loopback and PUBLIC_URL names no other host", set: setLocalAccess},
		{name: "DRAIN_TIME", def: "1s", help: "how long requests are still taken after the program is asked to end, while /health/ready already says 503, from 0s to 10m", set: setDrainTime},
		{name: "LOG_LEVEL", def: "info", help: "debug, info, warn or error", set: setLogLevel},
		{name: "PG_BINDIR", help: "folder of initdb and postgres; empty: searched in the usual places", set: func(c *Config, v string) error {
			c.PostgresBinDir = v
			return nil
		}},
		{name: "HEARTBEAT_INTERVAL", def: "1m", help: "how often hosts are expected to be heard, from 1m to 60m: uptime, late and gone are judged by it", set: setHeartbeatInterval},
		{name: "KEEP_HEARTBEATS", def: "90", help: "days for which single heartbeats are kept; the minutes of uptime stay", set: func(c *Config, v string) (err error) {
			c.KeepHeartbeats, err = parseDays(v)
			return err
		}},
		{name: "KEEP_GPU_SAMPLES", def: "30", help: "days for which single samples of GPUs are kept", set: func(c *Config, v string) (err error) {
			c.KeepGPUSamples, err = parseDays(v)
			return err
		}},
		{name: "INGEST_ROWS_PER_DAY", def: "10000000", help: "jobs, heartbeats and samples of cards that one worker's own tokens may send in a UTC day, from 1000", set: func(c *Config, v string) (err error) {
			c.IngestQuota.Rows, err = parseFrom(v, 1000)
			return err
		}},
		{name: "INGEST_MB_PER_DAY", def: "8192", help: "MB (2^20 bytes) that they may send in a UTC day, from 16", set: func(c *Config, v string) error {
			mb, err := parseFrom(v, 16)
			c.IngestQuota.Bytes = mb << 20
			return err
		}},
		{name: "SAGE_PRICE_URL", help: "a URL whose JSON answer holds the price of one SAGE; empty: people enter it by hand", secret: true, realSource: true, set: setPriceURL},
		{name: "SAGE_PRICE_PATH", help: "where in that answer the price stands, as a JSON pointer (RFC 6901) such as /sage/usd; empty: it is the whole answer", realSource: true, set: func(c *Config, v string) (err error) {
			c.SAGEPrice.Path, err = collect.ParseJSONPointer(v)
			return err
		}},
		{name: "SAGE_PRICE_CURRENCY", help: "the currency of that price, such as EUR; needed with SAGE_PRICE_URL", realSource: true, set: setPriceCurrency},
	}
}

// parseFrom reads a whole number of at least a bound, and of at most a million million.
func parseFrom(v string, least int64) (int64, error) {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < least || n > 1_000_000_000_000 {
		return 0, fmt.Errorf("must be a whole number from %d to 1000000000000", least)
	}
	return n, nil
}

func contractSetting(name, contract string, field func(*Config) *validator.Address) setting {
	return setting{name: name, help: "address of " + contract + "; empty: the network's", realSource: true, set: func(c *Config, v string) error {
		if v == "" {
			return nil
		}
		a, err := validator.ParseAddress(v)
		if err == nil {
			*field(c) = a
		}
		return err
	}}
}

// LoadConfig reads flags, then the environment, then the file .env in the current
// folder, then the defaults; the first that names a variable wins. It returns the
// arguments that are left. more adds the flags that a command has beside. The error names
// the variable, its value and what would be right.
func LoadConfig(args []string, getenv func(string) string, usage io.Writer, more ...func(*flag.FlagSet)) (Config, []string, error) {
	fs := flag.NewFlagSet("validator-dashboard", flag.ContinueOnError)
	fs.SetOutput(usage)
	all := settings()
	flags := make(map[string]*string, len(all))
	for _, s := range all {
		flags[s.name] = fs.String(s.flag(), "", s.help)
	}
	for _, add := range more {
		add(fs)
	}
	if err := fs.Parse(args); err != nil {
		return Config{}, nil, err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })

	dotenv, err := godotenv.Read(".env")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Config{}, nil, fmt.Errorf("the file .env cannot be read: %w", err)
	}
	var c Config
	for _, s := range all {
		v, configured := s.def, s.realSource
		switch {
		case given[s.flag()]:
			v = *flags[s.name]
		case getenv(s.name) != "":
			v = getenv(s.name)
		case dotenv[s.name] != "":
			v = dotenv[s.name]
		default:
			configured = false
		}
		if configured {
			c.RealSources = append(c.RealSources, s.name)
		}
		if err := s.set(&c, strings.TrimSpace(v)); err != nil {
			shown := strconv.Quote(v)
			if s.secret {
				shown = "(its value is not shown, since it may hold a password)"
			}
			return Config{}, nil, fmt.Errorf("%s is %s: %w", s.name, shown, err)
		}
	}
	c.Contracts = c.Contracts.Or(c.Network.Contracts)
	return c, fs.Args(), nil
}

func setListen(c *Config, v string) error {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return errors.New("it must be host:port, such as 127.0.0.1:3030 or :3030")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("its port must be a number from 0 to 65535, such as 3030, not %q", port)
	} else if n == 0 && host == "" {
		return errors.New("port 0, a free port, needs a host, such as 127.0.0.1:0")
	}
	c.Listen = v
	return nil
}

func setDatabaseDirect(c *Config, v string) error {
	if v != "" && c.DatabaseURL == "" {
		return errors.New("it needs DATABASE_URL, which leads to the same database through a pooler")
	}
	c.DatabaseDirect = v
	return isPostgresURL(v)
}

func setDatabaseURL(c *Config, v string) error {
	c.DatabaseURL = v
	return isPostgresURL(v)
}

func isPostgresURL(v string) error {
	if v == "" || !strings.Contains(v, "://") { // libpq's keyword form is checked by the driver
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return errors.New("it must look like postgres://user:password@host:5432/database")
	}
	return nil
}

func setRPC(c *Config, v string) error {
	if v == "" {
		c.StarknetRPC = []string{c.Network.DefaultRPC}
		return nil
	}
	for i, s := range strings.Split(v, ",") {
		s = strings.TrimSpace(s)
		u, err := url.Parse(s)
		if err == nil && (u.Scheme == "ws" || u.Scheme == "wss") {
			return fmt.Errorf("entry %d is a websocket's URL: that goes into STARKNET_WS, and here an http or https URL of the same network", i+1)
		}
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return fmt.Errorf("entry %d must be an http or https URL, such as %s", i+1, c.Network.DefaultRPC)
		}
		c.StarknetRPC = append(c.StarknetRPC, s)
	}
	return nil
}

func setSockets(c *Config, v string) error {
	if c.PollHeads = v == "off"; c.PollHeads || v == "" {
		return nil
	}
	for i, s := range strings.Split(v, ",") {
		s = strings.TrimSpace(s)
		u, err := url.Parse(s)
		if err != nil || (u.Scheme != "ws" && u.Scheme != "wss") || u.Host == "" {
			return fmt.Errorf("entry %d must be a ws or wss URL, such as wss://node.example.org/ws, or the whole must be off", i+1)
		}
		c.StarknetWS = append(c.StarknetWS, s)
	}
	return nil
}

func setPriceURL(c *Config, v string) error {
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("it must be an http or https URL, such as https://prices.example.org/sage.json")
	}
	c.SAGEPrice.URL = u
	return nil
}

func setPriceCurrency(c *Config, v string) error {
	const longest = 8
	if v == "" && c.SAGEPrice.URL == nil {
		return nil
	}
	v = strings.ToUpper(v)
	if v == "" || len(v) > longest || strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return errors.New("it must be the short name of the currency of what SAGE_PRICE_URL answers, in letters, such as EUR")
	}
	c.SAGEPrice.Currency = v
	return nil
}

func setIndexFrom(c *Config, v string) error {
	if v == "" {
		return nil
	}
	const most = 1 << 62
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil || n > most {
		return errors.New("it must be a block's number, such as 0 or 650000")
	}
	c.IndexFromBlock = &n
	return nil
}

func setLocalAccess(c *Config, v string) error {
	loopback := listensOnLoopback(c.Listen)
	if v == "" {
		c.LocalAccess = loopback && (c.PublicURL == "" || isLoopbackURL(c.PublicURL))
		return nil
	}
	on, err := strconv.ParseBool(v)
	if err != nil {
		return errors.New("it must be true or false")
	}
	if on && !loopback {
		return fmt.Errorf("it must be false while LISTEN is %s, since it would show every wallet to that network; listen on 127.0.0.1 or [::1] to use it", c.Listen)
	}
	c.LocalAccess = on
	return nil
}

func listensOnLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	return err == nil && isLoopbackName(host)
}

// isLoopbackURL reports whether a URL leads to the machine of whoever opens it.
func isLoopbackURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && isLoopbackName(u.Hostname())
}

func isLoopbackName(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func setPublicURL(c *Config, v string) error {
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return errors.New("it must be an origin such as https://validators.example.org, without path or query")
	}
	c.PublicURL = u.Scheme + "://" + u.Host
	return nil
}

// parseDays reads a number of days. A century is as good as for ever.
func parseDays(v string) (time.Duration, error) {
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil || n < 1 || n > 36500 {
		return 0, errors.New("it must be a whole number of days from 1 to 36500, such as 90")
	}
	return time.Duration(n) * 24 * time.Hour, nil
}

func setHeartbeatInterval(c *Config, v string) error {
	d, err := time.ParseDuration(v)
	most := validator.MaxHeartbeatInterval.Duration()
	if err != nil || d < time.Minute || d > most || d%time.Minute != 0 {
		return errors.New("it must be whole minutes from 1m to 60m, such as 5m")
	}
	c.HeartbeatInterval = validator.HeartbeatInterval(d / time.Minute)
	return nil
}

func setDrainTime(c *Config, v string) error {
	const most = 10 * time.Minute
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 || d > most {
		return errors.New("it must be a time from 0s to 10m, such as 15s")
	}
	c.DrainTime = d
	return nil
}

func setTrustedProxies(c *Config, v string) error {
	if v == "" {
		return nil
	}
	for i, text := range strings.Split(v, ",") {
		text = strings.TrimSpace(text)
		p, err := netip.ParsePrefix(text)
		if a, addrErr := netip.ParseAddr(text); err != nil && addrErr == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		switch {
		case err != nil:
			return fmt.Errorf("entry %d must be an address or a prefix, such as 10.0.0.5 or 10.0.0.0/8", i+1)
		case p.Bits() == 0:
			return fmt.Errorf("entry %d trusts everybody, so that every client could name any address; name the proxies", i+1)
		}
		c.TrustedProxies = append(c.TrustedProxies, p.Masked())
	}
	return nil
}

func setLogLevel(c *Config, v string) error {
	if err := c.LogLevel.UnmarshalText([]byte(v)); err != nil {
		return errors.New("it must be debug, info, warn or error")
	}
	return nil
}

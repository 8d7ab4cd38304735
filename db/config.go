package db

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Config says which database a Store uses and how.
type Config struct {
	URL string // of a PostgreSQL 14 or newer; "" = a private server in DataDir
	// DirectURL leads to the server itself where URL leads through a pooler that shares
	// connections by transaction, which migrations cannot use. "" = URL.
	DirectURL string

	DataDir  string // required without URL; the private server's files lie in DataDir/postgres
	PGBinDir string // folder of initdb and postgres; "" = searched
	// PrivateSettings are further settings of the private server as name=value.
	PrivateSettings []string

	MaxConnections   int32         // default: pool_max_conns of the URL, or 10
	StatementTimeout time.Duration // default 5 s; migrations have none
	ConnectTimeout   time.Duration // default 5 s
	PingInterval     time.Duration // default 3 s: how soon an outage or its end is noticed
	// How long single rows are kept, default 30 days of GPU samples and 90 of heartbeats. What
	// is summed up of them stays.
	SampleRetention, HeartbeatRetention time.Duration
	// IngestQuota bounds what each worker sends in a day; a part that is 0 is the default.
	IngestQuota IngestQuota

	// Now is this machine's clock, time.Now by default. The database's own is asked for.
	Now    func() time.Time
	Tracer pgx.QueryTracer
	Log    *slog.Logger // nil = discarded
}

// ErrBadURL says that Config.URL cannot be read. Its message never holds any of the URL,
// since a misread one may hold the password anywhere.
var ErrBadURL = errors.New("it must look like postgres://user:password@host:5432/database, with characters such as @ : / % in user and password percent-encoded")

func (c Config) withDefaults() Config {
	c.StatementTimeout = cmp.Or(c.StatementTimeout, 5*time.Second)
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 5*time.Second)
	c.PingInterval = cmp.Or(c.PingInterval, 3*time.Second)
	c.SampleRetention = cmp.Or(c.SampleRetention, 30*24*time.Hour)
	c.HeartbeatRetention = cmp.Or(c.HeartbeatRetention, 90*24*time.Hour)
	c.IngestQuota.Rows = cmp.Or(c.IngestQuota.Rows, DefaultIngestRows)
	c.IngestQuota.Bytes = cmp.Or(c.IngestQuota.Bytes, DefaultIngestBytes)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.URL == "" && c.DataDir == "":
		return errors.New("open the database: neither a URL nor a data directory is set")
	case c.StatementTimeout < 0, c.ConnectTimeout < 0, c.PingInterval < 0, c.SampleRetention < 0, c.HeartbeatRetention < 0, c.MaxConnections < 0:
		return errors.New("open the database: times and numbers must not be negative")
	}
	return nil
}

const defaultConnections = 10

// connections is what the configuration says of connections with a server.
type connections struct {
	pool     *pgxpool.Config
	settings map[string]string // of a session, by name
	fromURL  []string          // names of those that the URL asks for, sorted
}

// parse reads the value of a setting of the program; "" is the private server's URL.
func (c Config) parse(setting, url string) (connections, error) {
	if url == "" {
		url = privateURL("", "")
	}
	pool, err := pgxpool.ParseConfig(url)
	if err != nil {
		return connections{}, fmt.Errorf("open the database: %s cannot be read: %w", setting, ErrBadURL)
	}
	conn := pool.ConnConfig
	conn.ConnectTimeout = c.ConnectTimeout
	conn.Tracer = c.Tracer
	out := connections{pool: pool, settings: map[string]string{
		// Filters that are left out and how often a value occurs are known only with the values:
		// a plan that is made once for all of them reads whole tables for some.
		"plan_cache_mode": "force_custom_plan",
		// Every read takes a few rows by an index: compiling its plan, which a wrong guess of many
		// rows brings about, takes a hundred times as long as running it.
		"jit":                                 "off",
		"statement_timeout":                   milliseconds(c.StatementTimeout),
		"idle_in_transaction_session_timeout": milliseconds(2 * c.StatementTimeout),
	}}
	setDefault(conn.RuntimeParams, "application_name", "validator-dashboard")
	setDefault(conn.RuntimeParams, "timezone", "UTC")
	for name, value := range conn.RuntimeParams {
		if name == "options" || slices.Contains(startupSettings, strings.ToLower(name)) {
			continue
		}
		out.settings[name] = value
		out.fromURL = append(out.fromURL, name)
		delete(conn.RuntimeParams, name)
	}
	slices.Sort(out.fromURL)
	switch {
	case c.MaxConnections > 0:
		pool.MaxConns = c.MaxConnections
	case !strings.Contains(url, "pool_max_conns"):
		// PeriodicJobs and the job queue hold some all the time, which leaves requests enough.
		pool.MaxConns = max(pool.MaxConns, defaultConnections)
	}
	pool.PingTimeout = c.ConnectTimeout
	pool.AfterConnect = afterConnect
	return out, nil
}

func setDefault(params map[string]string, name, value string) {
	if _, set := params[name]; !set {
		params[name] = value
	}
}

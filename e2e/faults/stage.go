//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// wallet is the validator whose dashboard is looked at.
const wallet = validator.Address("0x0000000000000000000000000000000000000000000000000000000000000123")

// databaseKind says where a stage's database is.
type databaseKind int

const (
	databaseShared  databaseKind = iota // a database of its own on the server that all stages share
	databaseOwn                         // a server of its own, behind a relay
	databasePrivate                     // the program's own, in its DATA_DIR
)

// setup says what a program runs over.
type setup struct {
	database  databaseKind
	moveClock bool // of a server of its own: the harness moves its clock
	smallDisk bool // of a server of its own: the database lies on a small file system
	standby   bool // of a server of its own: a second one follows it
	driver    gputest.Variant
	more      []string         // values of the cards
	nodes     int              // of the chain; 1 if 0
	tls       bool             // nodes speak TLS
	clock     func() time.Time // of the chain's blocks
	noMining  bool             // blocks come only when a fault makes them
	names     bool             // database and node are named by host names of the stage's own
	replicas  int              // of the program; 1 if 0
	log       logReader        // of the program
	env       []string         // of the program
	smallData bool             // DATA_DIR is a small file system
}

// stage is a running program with everything around it.
type stage struct {
	setup

	h         *harness
	name      string
	dir       string
	dataDir   string
	library   string
	values    *gputest.Values
	chain     *devchain.Chain
	fronts    []*front
	authority *authority
	pg        *postgres // nil with a private database
	moved     movedClock
	second    *postgres // that follows pg
	relay     *relay    // before pg
	databaseN string
	hosts     string // path of the program's own /etc/hosts
	programs  []*program
	writer    *writer
	observer  *observer

	disturbers []*disturber
	jobs       int            // that are on the chain
	undo       []func() error // last first
	stop       context.CancelFunc
	done       chan struct{}
}

// open builds a stage and waits until its program serves.
func (h *harness) open(ctx context.Context, name string, set setup) (s *stage, err error) {
	h.mu.Lock()
	h.stages++
	number := h.stages
	h.mu.Unlock()
	s = &stage{setup: set, h: h, name: fmt.Sprintf("%s%d", name, number), dir: filepath.Join(h.dir, fmt.Sprintf("%s%d", name, number))}
	s.dataDir = filepath.Join(s.dir, "data")
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return s, fmt.Errorf("make a folder: %w", err)
	}
	for _, step := range []func(context.Context) error{s.openGPUs, s.openChain, s.openDatabase, s.openPrograms} {
		if err := step(ctx); err != nil {
			return s, err
		}
	}
	s.watch(ctx)
	return s, nil
}

func (s *stage) later(f func() error) { s.undo = append(s.undo, f) }

func (s *stage) openGPUs(ctx context.Context) error {
	variant := s.driver
	if variant == "" {
		variant = gputest.Current
	}
	built, err := gputest.Build(ctx, variant)
	if err != nil {
		return err
	}
	// A link, so that a fault can take the library away.
	s.library = filepath.Join(s.dir, "libnvidia-ml.so.1")
	if err := os.Symlink(built, s.library); err != nil {
		return fmt.Errorf("place the NVML library: %w", err)
	}
	s.values, err = gputest.NewValues(s.dir, s.healthyGPUs()...)
	return err
}

// healthyGPUs are the values of two good cards, and what the setup adds.
func (s *stage) healthyGPUs() []string {
	lines := []string{
		"count=2", "temp=61", "util=73", "util.mem=40", "power=310000", "mem.used=42949672960", "energy=1000000", "clock.0=1755", "clock.2=1593",
		"fan=40", "temp.max.1=90", "temp.max.0=95",
	}
	return append(lines, s.more...)
}

func (s *stage) openChain(ctx context.Context) error {
	s.chain = devchain.New(devchain.Config{Clock: s.clock, BlockTime: 2 * time.Second, Genesis: s.now().Add(-time.Hour)})
	s.chain.SetBalance(wallet, validator.WeiFromSAGE(20_000))
	s.chain.Stake(wallet, validator.WeiFromSAGE(12_500), validator.TierEnterprise)
	s.chain.MineAt(s.now().Add(-50 * time.Minute))
	s.chain.Mine()
	if s.tls {
		var err error
		if s.authority, err = newAuthority(filepath.Join(s.dir, "authority.pem")); err != nil {
			return err
		}
	}
	for range max(s.nodes, 1) {
		f, err := newFront(devchain.NewNode(s.chain), s.authority)
		if err != nil {
			return err
		}
		s.fronts = append(s.fronts, f)
		s.later(func() error { f.close(); return nil })
	}
	if !s.noMining {
		mining, stop := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})
		go func() { defer close(done); s.chain.Run(mining) }()
		s.later(func() error { stop(); <-done; return nil })
	}
	return nil
}

func (s *stage) now() time.Time {
	if s.clock != nil {
		return s.clock()
	}
	return time.Now()
}

func (s *stage) openDatabase(ctx context.Context) error {
	switch s.database {
	case databasePrivate:
		return nil
	case databaseShared:
		s.pg = s.h.shared
	case databaseOwn:
		if err := s.openServer(ctx); err != nil {
			return err
		}
	}
	s.databaseN = "d_" + s.name
	more := ""
	if s.smallDisk {
		var err error
		if more, err = s.smallTablespace(ctx); err != nil {
			return err
		}
	}
	if err := s.pg.makeDatabase(ctx, s.databaseN, more); err != nil {
		return err
	}
	var err error
	if s.relay, err = newRelay(s.pg.address()); err != nil {
		return err
	}
	s.later(func() error { s.relay.close(); return nil })
	if s.standby {
		return s.openStandby(ctx)
	}
	return nil
}

// openServer makes the stage a PostgreSQL of its own.
func (s *stage) openServer(ctx context.Context) error {
	binDir, dir := s.h.binDir, filepath.Join(s.dir, "server")
	if s.moveClock {
		plain, err := s.h.shared.programs()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
		if s.moved, err = newMovedClock(ctx, dir, plain); err != nil {
			return err
		}
		binDir = s.moved.binDir
	}
	var err error
	if s.pg, err = openPostgres(ctx, dir, binDir); err != nil {
		return err
	}
	s.later(func() error { return s.pg.close() })
	return s.pg.prepare(ctx, s.h.program)
}

func (s *stage) openPrograms(ctx context.Context) error {
	env, err := s.environment()
	if err != nil {
		return err
	}
	if s.smallData {
		if err := s.mountSmall(s.dataDir); err != nil {
			return err
		}
	}
	var urls []string
	for range max(s.replicas, 1) {
		p, err := newProgram(s.h.program, s.dir, env)
		if err != nil {
			return err
		}
		p.log = s.log
		if s.names {
			p.wrap = s.privateHosts()
		}
		s.programs = append(s.programs, p)
		urls = append(urls, p.url)
		s.later(p.end)
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	s.writer = newWriter(s.name, string(wallet), urls...)
	s.observer = newObserver(urls[0], s.writer)
	return nil
}

// nodeURLs are the URLs of the nodes by their numbers, as STARKNET_RPC takes them.
func (s *stage) nodeURLs() string {
	nodes := make([]string, len(s.fronts))
	for i, f := range s.fronts {
		nodes[i] = f.url
	}
	return strings.Join(nodes, ",")
}

// environment is what the program is configured with.
func (s *stage) environment() ([]string, error) {
	at := s.chain.Contracts()
	env := []string{
		"VALIDATOR_ADDRESS=" + string(wallet), "NVML_LIBRARY=" + s.library, gputest.Env + "=" + s.values.Path(), "DATA_DIR=" + s.dataDir,
		"PROVER_STAKING_ADDRESS=" + string(at.ProverStaking), "REPUTATION_MANAGER_ADDRESS=" + string(at.ReputationManager),
		"SAGE_TOKEN_ADDRESS=" + string(at.SAGEToken), "JOB_MANAGER_ADDRESS=" + string(at.JobManager),
	}
	rpc := s.nodeURLs()
	if s.names {
		rpc = hostURL(rpc, nodeName)
		if err := s.writeHosts(databaseName, nodeName); err != nil {
			return nil, err
		}
	}
	env = append(env, "STARKNET_RPC="+rpc)
	if s.authority != nil {
		env = append(env, "SSL_CERT_FILE="+s.authority.path)
	}
	if s.pg != nil {
		address := s.relay.address()
		if s.names {
			address = hostURL(address, databaseName)
		}
		url := s.pg.appURL(s.databaseN, address)
		if s.second != nil { // both are tried, and the one that takes writes is used
			url = s.pg.appURL(s.databaseN, address+","+s.second.address()) + "&target_session_attrs=read-write"
		}
		env = append(env, "DATABASE_URL="+url)
	}
	return append(env, s.env...), nil
}

// watch begins to write and to look.
func (s *stage) watch(ctx context.Context) {
	ctx, s.stop = context.WithCancel(ctx)
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		writing := make(chan struct{})
		go func() { defer close(writing); s.writer.run(ctx) }()
		s.observer.run(ctx)
		<-writing
	}()
}

// program is the replica that is looked at.
func (s *stage) program() *program { return s.programs[0] }

// node is the first node, and front what stands before it.
func (s *stage) node() *devchain.Node { return s.fronts[0].node }
func (s *stage) front() *front        { return s.fronts[0] }

// adminURL is the superuser's way to the stage's database.
func (s *stage) adminURL() (string, error) {
	if s.pg != nil {
		return s.pg.adminURL(s.databaseN), nil
	}
	private, err := findPrivate(s.dataDir)
	return private.adminURL(), err
}

// sql runs a statement in the stage's database as the superuser.
func (s *stage) sql(ctx context.Context, statement string) error {
	at, err := s.adminURL()
	if err != nil {
		return err
	}
	return execAt(ctx, at, statement)
}

// close ends everything in the reverse order of its making.
func (s *stage) close() error {
	if s.stop != nil {
		s.stop()
		<-s.done
	}
	errs := []error{endRepeated(context.Background(), s)}
	for _, undo := range slices.Backward(s.undo) {
		errs = append(errs, undo())
	}
	s.undo = nil
	return errors.Join(errs...)
}

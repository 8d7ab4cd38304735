package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// LiveConfig says how a story goes on.
type LiveConfig struct {
	Story       Story
	Store       *db.Store // takes what hosts report: heartbeats and GPUs
	DatabaseURL string    // of the same database, for what a coordinator writes: jobs

	// SetLoad tells what a card has to do from now on; the zero Load when it is free.
	SetLoad func(gpuUUID string, l Load)
	// Usable says whether a card answers, so that a job can run on it.
	Usable func(gpuUUID string) bool
	// Read returns the reported hosts' cards as they are now. Without such hosts it may be nil.
	Read func() ([]validator.GPU, error)
	// Ended, if not nil, gets each job that was completed or failed, once it is stored.
	Ended func(validator.Job)

	Clock func() time.Time // time.Now if nil
	Log   *slog.Logger     // nil = discarded
}

// Load is what a running job does to its card. The zero Load leaves it idle.
type Load struct {
	Utilization float64 // share of the time in which a kernel runs, 0 to 1
	MemoryBytes uint64
	Process     string
	PID         uint32
}

// Live goes on with a story: jobs are queued, assigned, run and end; hosts send heartbeats
// and report their GPUs; the rest of the network lives too. Chance comes from the story's
// seed, the course of things from real time.
type Live struct {
	cfg   LiveConfig
	pool  *pgxpool.Config
	db    *pgxpool.Pool // while Run runs
	dice  *rand.Rand
	slots []*slot
	queue []*validator.Job // pending, oldest first

	adopted    bool  // the jobs that the story left open are in slots and queue
	newestID   int64 // of the jobs in the database
	unstored   *validator.Job
	nextSubmit time.Time
	due        map[string]time.Time // by the name of a chore
	away       bool                 // the database was, at the last step
	beaten     bool                 // a heartbeat was sent
}

// chore is something that is done every so often.
type chore struct {
	name  string
	every time.Duration
	do    func(context.Context, time.Time) error
}

func (l *Live) chores() []chore {
	return []chore{
		{"send heartbeats", beatEvery, l.beat},
		{"report GPUs", beatEvery, l.report},
		{"let the network live", time.Minute, l.others},
	}
}

const (
	liveTick  = time.Second
	beatEvery = 15 * time.Second
	stepLimit = 10 * time.Second // for a database that does not answer
)

// NewLive checks the configuration. It neither connects nor calls anything yet.
func NewLive(cfg LiveConfig) (*Live, error) {
	reported := slices.ContainsFunc(cfg.Story.Hosts, func(h Host) bool { return h.Reported })
	switch {
	case cfg.Store == nil, cfg.SetLoad == nil, cfg.Usable == nil:
		return nil, errors.New("go on with the demo's story: a Store, SetLoad and Usable are needed")
	case reported && cfg.Read == nil:
		return nil, errors.New("go on with the demo's story: a reported host needs Read")
	}
	pool, err := pgxpool.ParseConfig(cfg.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("go on with the demo's story: %w", db.ErrBadURL) // err may hold the password
	}
	pool.MaxConns = 1
	if cfg.Ended == nil {
		cfg.Ended = func(validator.Job) {}
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	l := &Live{cfg: cfg, pool: pool, dice: cfg.Story.dice(streamLive), due: map[string]time.Time{}}
	for _, h := range cfg.Story.Hosts {
		for _, g := range h.GPUs {
			l.slots = append(l.slots, &slot{hostID: h.ID, gpu: g})
		}
	}
	return l, nil
}

// Run goes on until ctx ends, and then returns nil. What the database does not take is
// tried again a moment later.
func (l *Live) Run(ctx context.Context) error {
	if err := l.open(ctx); err != nil {
		return err
	}
	defer l.db.Close()
	tick := time.NewTicker(liveTick)
	defer tick.Stop()
	for {
		l.tell(ctx, l.step(ctx, l.cfg.Clock().UTC().Truncate(time.Millisecond)))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (l *Live) open(ctx context.Context) error {
	var err error
	if l.db, err = pgxpool.NewWithConfig(ctx, l.pool); err != nil {
		return fmt.Errorf("go on with the demo's story: %w", err)
	}
	return nil
}

// tell logs when the story halts and when it goes on, and not each second between.
func (l *Live) tell(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && !l.away:
		l.cfg.Log.Warn("the demo's story halts until the database takes it", slog.Any("error", err))
	case err == nil && l.away:
		l.cfg.Log.Info("the demo's story goes on")
	}
	l.away = err != nil
}

// step does all that is due at a time. One thing that fails keeps nothing else from being done.
func (l *Live) step(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	if !l.adopted {
		if err := l.adopt(ctx, now); err != nil {
			return err
		}
		l.adopted = true
	}
	failed := []error{l.submit(ctx, now)}
	for _, s := range l.slots {
		failed = append(failed, l.turn(ctx, s, now))
	}
	for _, c := range l.chores() {
		if now.Before(l.due[c.name]) {
			continue
		}
		err := c.do(ctx, now)
		if err == nil {
			l.due[c.name] = now.Add(c.every)
		} else {
			err = fmt.Errorf("%s: %w", c.name, err)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

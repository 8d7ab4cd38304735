package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Duty is work that must be done again and again by one of all the programs that share a
// database. River, the job queue in that database, has one of them ask for a run every so
// often; whichever is free does it.
type Duty struct {
	Name  string // also the name of its queue: lower-case letters, digits and underscores
	Every time.Duration

	// Limit is the longest that one run may take: its context ends then. A run that
	// another's death interrupted is simply done anew the next time.
	Limit time.Duration

	// Do is one run. No two runs of a duty overlap, in whatever programs. Its error is
	// logged; there is no retry before the next time.
	Do func(ctx context.Context) error
}

const (
	dutyJobsKept   = 10 * time.Minute // done runs, for whoever looks into river_job
	failedJobsKept = 24 * time.Hour
	dutyEndWait    = 10 * time.Second
)

// RunDuties takes part in the duties whenever the database takes writes, until ctx ends. Every
// program on the database should name the same ones. It returns an error only for duties
// that cannot be.
func (s *Store) RunDuties(ctx context.Context, duties ...Duty) error {
	if _, err := s.riverClient(duties); err != nil {
		return fmt.Errorf("run duties: %w", err)
	}
	pause := firstPause
	for ctx.Err() == nil && s.waitFor(ctx, takesWrites) == nil {
		began := time.Now()
		if err := s.serveDuties(ctx, duties); err != nil && ctx.Err() == nil {
			s.cfg.Log.Warn("the job queue cannot be served", slog.Any("error", err))
		}
		if time.Since(began) > longestPause {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, longestPause)
	}
	return nil
}

// serveDuties runs a River client for as long as the database takes writes and its clock does
// not go back: a client holds on to the times at which it means to ask for the next runs.
func (s *Store) serveDuties(ctx context.Context, duties []Duty) error {
	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	fell := s.clock.fall()
	client, err := s.riverClient(duties)
	if err != nil {
		return err
	}
	// The client ends by StopAndCancel, which waits for its last writes.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	// A leader that was killed stays elected for some seconds: the first run need not wait.
	for _, d := range duties {
		if _, err := client.Insert(ctx, dutyArgs{d.Name}, &river.InsertOpts{Queue: d.Name}); err != nil && ctx.Err() == nil {
			s.cfg.Log.Warn("a duty cannot be asked for", slog.String("duty", d.Name), slog.Any("error", err))
		}
	}
	go func() {
		select {
		case <-fell:
			cancel()
		case <-serving.Done():
		}
	}()
	_ = s.waitFor(serving, func(st validator.SourceState) bool { return !takesWrites(st) })
	ending, ended := context.WithTimeout(context.WithoutCancel(ctx), dutyEndWait)
	defer ended()
	if err := client.StopAndCancel(ending); err != nil {
		return fmt.Errorf("stop the job queue: %w", err)
	}
	return nil
}

func (s *Store) riverClient(duties []Duty) (*river.Client[pgx.Tx], error) {
	worker := &dutyWorker{s: s, duties: make(map[string]Duty), failed: make(map[string]dutyFailure)}
	config := &river.Config{
		Logger:                      slog.New(warnings{s.cfg.Log.Handler()}),
		Queues:                      make(map[string]river.QueueConfig),
		Workers:                     river.NewWorkers(),
		PollOnly:                    s.pooledByTransaction(),               // LISTEN is a session's
		JobTimeout:                  -1,                                    // each duty has its own
		Test:                        river.TestConfig{Time: queueClock{s}}, // the queue's only way to take a clock
		MaxAttempts:                 1,
		CompletedJobRetentionPeriod: dutyJobsKept,
		CancelledJobRetentionPeriod: dutyJobsKept,
		DiscardedJobRetentionPeriod: failedJobsKept,
	}
	for _, d := range duties {
		if d.Name == "" || d.Every <= 0 || d.Limit <= 0 || d.Do == nil {
			return nil, fmt.Errorf("the duty %q needs a name, a rhythm, a limit and something to do", d.Name)
		}
		if _, twice := worker.duties[d.Name]; twice {
			return nil, fmt.Errorf("there are two duties named %q", d.Name)
		}
		worker.duties[d.Name] = d
		config.RescueStuckJobsAfter = max(config.RescueStuckJobsAfter, 2*d.Limit)
		// Two, so that a run that comes due during a long one ends at once rather than wait.
		config.Queues[d.Name] = river.QueueConfig{MaxWorkers: 2}
		config.PeriodicJobs = append(config.PeriodicJobs, river.NewPeriodicJob(river.PeriodicInterval(d.Every),
			func() (river.JobArgs, *river.InsertOpts) {
				return dutyArgs{d.Name}, &river.InsertOpts{Queue: d.Name}
			}, &river.PeriodicJobOpts{ID: d.Name, RunOnStart: true}))
	}
	river.AddWorker(config.Workers, worker)
	client, err := river.NewClient(riverpgxv5.New(s.pool), config)
	if err != nil {
		return nil, fmt.Errorf("configure the job queue: %w", err)
	}
	return client, nil
}

// dutyArgs is what the queue keeps of a run.
type dutyArgs struct {
	Duty string `json:"duty"`
}

// Kind is the name under which River finds the worker.
func (dutyArgs) Kind() string { return "duty" }

type dutyWorker struct {
	river.WorkerDefaults[dutyArgs]

	s      *Store
	duties map[string]Duty

	mu     sync.Mutex
	failed map[string]dutyFailure // by duty, those whose last run failed
}

// dutyFailure is how often a duty failed in a row, and when it may run again.
type dutyFailure struct {
	times int
	until time.Time
}

// longestRest is the most that a duty rests after failures in a row.
const longestRest = 5 * time.Minute

// Work does a run of a duty, unless one is under way, or earlier ones failed and it rests.
func (w *dutyWorker) Work(ctx context.Context, job *river.Job[dutyArgs]) error {
	d, known := w.duties[job.Args.Duty]
	if !known {
		return fmt.Errorf("there is no duty %q", job.Args.Duty)
	}
	if w.rests(d) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.Limit)
	defer cancel()
	err := w.s.alone(ctx, "duty "+d.Name, d.Do)
	if errors.Is(err, context.Canceled) {
		return err
	}
	if rest := w.note(d, err); err != nil {
		w.s.cfg.Log.Warn("a duty failed", slog.String("duty", d.Name), slog.Duration("rests_for", rest), slog.Any("error", err))
	}
	return err
}

func (w *dutyWorker) rests(d Duty) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Before(w.failed[d.Name].until)
}

// note remembers how a run went and returns how long the duty rests: twice as long after each
// failure in a row.
func (w *dutyWorker) note(d Duty, err error) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		delete(w.failed, d.Name)
		return 0
	}
	f := w.failed[d.Name]
	rest := min(d.Every<<min(f.times, 10), max(d.Every, longestRest))
	w.failed[d.Name] = dutyFailure{f.times + 1, time.Now().Add(rest)}
	return rest
}

// alone runs f unless something else runs under the same name on this database, in
// whatever program. PostgreSQL gives the name free as soon as the connection that holds it
// is gone, so nobody's death keeps it. The lock is a transaction's, since poolers may lend a
// session to another client meanwhile.
func (s *Store) alone(ctx context.Context, name string, f func(context.Context) error) error {
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("take a turn: %w", err)
	}
	defer leaveTurn(ctx, tx)
	if _, err := tx.Exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
		return fmt.Errorf("take a turn: %w", err)
	}
	var first bool
	if err := tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", name).Scan(&first); err != nil || !first {
		return err
	}
	return f(ctx)
}

// leaveTurn gives a name free.
func leaveTurn(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeConnWait)
	defer cancel()
	_ = tx.Rollback(ctx) // on a failure the connection ends, and with it the lock
}

// warnings lets a log's warnings and errors through.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

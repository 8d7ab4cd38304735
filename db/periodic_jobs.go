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

// PeriodicJob is recurring work that one replica runs at a time. River, the job queue in their
// database, has one of the replicas ask for a run at every interval; whichever is free does it.
type PeriodicJob struct {
	Name  string // also the name of its queue: lower-case letters, digits and underscores
	Every time.Duration

	// Limit is the longest that one run may take: its context ends then. A run interrupted by a
	// crash is repeated at the next interval.
	Limit time.Duration

	// Do is one run. No two runs of a periodic job overlap, whichever replicas do them. Its error is
	// logged; there is no retry before the next time.
	Do func(ctx context.Context) error
}

const (
	finishedRunsKept = 10 * time.Minute // done runs, for whoever looks into river_job
	failedRunsKept   = 24 * time.Hour
	runEndWait       = 10 * time.Second
)

// RunPeriodicJobs takes part in the periodic jobs whenever the database takes writes, until ctx
// ends. Every replica should name the same ones. It returns an error only for jobs that cannot run,
// such as two of one name.
func (s *Store) RunPeriodicJobs(ctx context.Context, periodic ...PeriodicJob) error {
	if _, err := s.riverClient(periodic); err != nil {
		return fmt.Errorf("run periodic jobs: %w", err)
	}
	pause := firstPause
	for ctx.Err() == nil && s.waitFor(ctx, takesWrites) == nil {
		began := time.Now()
		if err := s.servePeriodicJobs(ctx, periodic); err != nil && ctx.Err() == nil {
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

// servePeriodicJobs runs a River client for as long as the database takes writes and its clock does
// not go back: a client holds on to the times at which it means to ask for the next runs.
func (s *Store) servePeriodicJobs(ctx context.Context, periodic []PeriodicJob) error {
	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	fell := s.clock.fall()
	client, err := s.riverClient(periodic)
	if err != nil {
		return err
	}
	// The client ends by StopAndCancel, which waits for its last writes.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	// A leader that was killed stays elected for some seconds: the first run need not wait.
	for _, d := range periodic {
		if _, err := client.Insert(ctx, periodicJobArgs{d.Name}, &river.InsertOpts{Queue: d.Name}); err != nil && ctx.Err() == nil {
			s.cfg.Log.Warn("cannot schedule periodic job", slog.String("periodic_job", d.Name), slog.Any("error", err))
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
	ending, ended := context.WithTimeout(context.WithoutCancel(ctx), runEndWait)
	defer ended()
	if err := client.StopAndCancel(ending); err != nil {
		return fmt.Errorf("stop the job queue: %w", err)
	}
	return nil
}

func (s *Store) riverClient(periodic []PeriodicJob) (*river.Client[pgx.Tx], error) {
	worker := &periodicJobWorker{s: s, periodic: make(map[string]PeriodicJob), failed: make(map[string]periodicJobFailure)}
	config := &river.Config{
		Logger:                      slog.New(warnings{s.cfg.Log.Handler()}),
		Queues:                      make(map[string]river.QueueConfig),
		Workers:                     river.NewWorkers(),
		PollOnly:                    s.pooledByTransaction(),               // LISTEN is a session's
		JobTimeout:                  -1,                                    // each periodic job has its own
		Test:                        river.TestConfig{Time: queueClock{s}}, // the queue's only way to take a clock
		MaxAttempts:                 1,
		CompletedJobRetentionPeriod: finishedRunsKept,
		CancelledJobRetentionPeriod: finishedRunsKept,
		DiscardedJobRetentionPeriod: failedRunsKept,
	}
	for _, d := range periodic {
		if d.Name == "" || d.Every <= 0 || d.Limit <= 0 || d.Do == nil {
			return nil, fmt.Errorf("the periodic job %q needs a name, a rhythm, a limit and something to do", d.Name)
		}
		if _, twice := worker.periodic[d.Name]; twice {
			return nil, fmt.Errorf("there are two periodic jobs named %q", d.Name)
		}
		worker.periodic[d.Name] = d
		config.RescueStuckJobsAfter = max(config.RescueStuckJobsAfter, 2*d.Limit)
		// Two, so that a run that comes due during a long one ends at once rather than wait.
		config.Queues[d.Name] = river.QueueConfig{MaxWorkers: 2}
		config.PeriodicJobs = append(config.PeriodicJobs, river.NewPeriodicJob(river.PeriodicInterval(d.Every),
			func() (river.JobArgs, *river.InsertOpts) {
				return periodicJobArgs{d.Name}, &river.InsertOpts{Queue: d.Name}
			}, &river.PeriodicJobOpts{ID: d.Name, RunOnStart: true}))
	}
	river.AddWorker(config.Workers, worker)
	client, err := river.NewClient(riverpgxv5.New(s.pool), config)
	if err != nil {
		return nil, fmt.Errorf("configure the job queue: %w", err)
	}
	return client, nil
}

// periodicJobArgs is what the queue keeps of a run.
type periodicJobArgs struct {
	Name string `json:"duty"`
}

// Kind is the name under which River finds the worker.
func (periodicJobArgs) Kind() string { return "duty" }

type periodicJobWorker struct {
	river.WorkerDefaults[periodicJobArgs]

	s        *Store
	periodic map[string]PeriodicJob

	mu     sync.Mutex
	failed map[string]periodicJobFailure // by periodic job, those whose last run failed
}

// periodicJobFailure is how often a periodic job failed in a row, and when it may run again.
type periodicJobFailure struct {
	times int
	until time.Time
}

// longestRest is the most that a periodic job rests after failures in a row.
const longestRest = 5 * time.Minute

// Work does a run of a periodic job, unless one is under way, or earlier ones failed and it rests.
func (w *periodicJobWorker) Work(ctx context.Context, job *river.Job[periodicJobArgs]) error {
	d, known := w.periodic[job.Args.Name]
	if !known {
		return fmt.Errorf("there is no periodic job %q", job.Args.Name)
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
		w.s.cfg.Log.Warn("periodic job failed", slog.String("periodic_job", d.Name), slog.Duration("rests_for", rest), slog.Any("error", err))
	}
	return err
}

func (w *periodicJobWorker) rests(d PeriodicJob) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Before(w.failed[d.Name].until)
}

// note remembers how a run went and returns how long the periodic job rests: twice as long after each
// failure in a row.
func (w *periodicJobWorker) note(d PeriodicJob, err error) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		delete(w.failed, d.Name)
		return 0
	}
	f := w.failed[d.Name]
	rest := min(d.Every<<min(f.times, 10), max(d.Every, longestRest))
	w.failed[d.Name] = periodicJobFailure{f.times + 1, time.Now().Add(rest)}
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

package history

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// slot is a card with the job that it has.
type slot struct {
	hostID string
	gpu    GPU
	job    *validator.Job // assigned or running; nil while the card is free
	load   Load
	due    time.Time // of the job's next change, or of the next job
	ends   time.Time // of the running job, unless something happens
}

// What somebody who watches for a few minutes sees: jobs that end, cards that rest for a
// moment, and a job that waits for a card.
const (
	pauseShortest  = 4 * time.Second
	pauseSpan      = 14 * time.Second
	startUp        = 2 * time.Second // from assigned to running
	adoptedLeast   = 25 * time.Second
	adoptedSpan    = 5 * time.Minute
	submitEvery    = 7 * time.Second
	queueMost      = 2
	queueAlwaysOne = 1
)

// adopt takes over the jobs that the story left open.
func (l *Live) adopt(ctx context.Context, now time.Time) error {
	if err := l.db.QueryRow(ctx, `SELECT COALESCE(max(job_id::bigint), 0) FROM jobs WHERE job_id ~ '^[0-9]{1,18}$'`).Scan(&l.newestID); err != nil {
		return fmt.Errorf("find the newest job: %w", err)
	}
	open, err := l.openJobs(ctx)
	if err != nil {
		return fmt.Errorf("find open jobs: %w", err)
	}
	l.queue = nil
	for i, j := range open {
		if j.Status == validator.JobPending {
			l.queue = append(l.queue, &open[i])
			continue
		}
		if s := l.slotOf(j.GPUUUID); s != nil && s.job == nil && j.AssignedAt != nil {
			l.give(s, &open[i], now, now.Add(adoptedLeast+l.upTo(adoptedSpan)))
		}
	}
	for _, s := range l.slots {
		if s.job == nil {
			s.due = now.Add(l.upTo(pauseSpan))
		}
	}
	return nil
}

func (l *Live) openJobs(ctx context.Context) ([]validator.Job, error) {
	rows, err := l.db.Query(ctx, `SELECT job_id, COALESCE(client_address, ''), job_type, status, created_at, assigned_at, COALESCE(gpu_uuid, '') FROM jobs
		WHERE worker_address = $1 AND status IN ('pending', 'assigned', 'running') ORDER BY created_at, job_id`, string(l.cfg.Story.Worker))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (validator.Job, error) {
		j := validator.Job{Worker: l.cfg.Story.Worker}
		err := row.Scan(&j.ID, &j.Client, &j.Type, &j.Status, &j.CreatedAt, &j.AssignedAt, &j.GPUUUID)
		return j, err
	})
}

func (l *Live) slotOf(gpuUUID string) *slot {
	for _, s := range l.slots {
		if s.gpu.UUID == gpuUUID {
			return s
		}
	}
	return nil
}

// upTo draws a time below a limit.
func (l *Live) upTo(limit time.Duration) time.Duration {
	return time.Duration(l.dice.Float64() * float64(limit))
}

// submit puts a job into the queue when the queue is short.
func (l *Live) submit(ctx context.Context, now time.Time) error {
	if l.unstored == nil {
		wanted := queueAlwaysOne
		if l.dice.IntN(60) == 0 { // once a minute a rush
			wanted = queueMost
		}
		if now.Before(l.nextSubmit) || len(l.queue) >= wanted {
			return nil
		}
		l.newestID = max(l.newestID+1, l.cfg.Story.JobIDAt(now))
		l.unstored = &validator.Job{
			ID: strconv.FormatInt(l.newestID, 10), Client: client(l.dice), Worker: l.cfg.Story.Worker,
			Type: l.liveKind().name, Status: validator.JobPending, CreatedAt: now,
		}
	}
	// The insert of an earlier step may have been stored although its answer was lost.
	j := l.unstored
	if _, err := l.db.Exec(ctx, `INSERT INTO jobs (job_id, client_address, worker_address, job_type, status, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (job_id) DO NOTHING`,
		j.ID, string(j.Client), string(j.Worker), j.Type, string(j.Status), j.CreatedAt); err != nil {
		return fmt.Errorf("submit a job: %w", err)
	}
	l.queue, l.unstored = append(l.queue, j), nil
	l.nextSubmit = now.Add(submitEvery)
	return nil
}

// liveKind draws a kind of job that ends while somebody watches.
func (l *Live) liveKind() *kind {
	for {
		if k := drawKind(l.dice); k.liveSpan > 0 {
			return k
		}
	}
}

// turn moves a card on: it gets the oldest job of the queue, starts it, and brings it to
// its end. What the database has not taken has not happened.
func (l *Live) turn(ctx context.Context, s *slot, now time.Time) error {
	usable := l.cfg.Usable(s.gpu.UUID)
	switch {
	case s.job == nil && (!usable || now.Before(s.due) || len(l.queue) == 0):
		return nil
	case s.job == nil:
		return l.assign(ctx, s, now)
	case !usable:
		return l.fail(ctx, s, now, validator.JobFailed, fellOffBus(s.gpu.UUID))
	case now.Before(s.due):
		return nil
	case s.job.Status == validator.JobAssigned:
		return l.start(ctx, s, now)
	}
	if l.dice.IntN(100) == 0 {
		return l.fail(ctx, s, now, validator.JobFailed, outOfMemory)
	}
	return l.complete(ctx, s, now)
}

func (l *Live) assign(ctx context.Context, s *slot, now time.Time) error {
	j := *l.queue[0]
	j.Status, j.AssignedAt, j.GPUUUID = validator.JobAssigned, &now, s.gpu.UUID
	if err := l.store(ctx, j); err != nil {
		return err
	}
	k := kindNamed(j.Type)
	l.queue = l.queue[1:]
	l.give(s, &j, now, now.Add(k.liveLeast+l.upTo(k.liveSpan)))
	return nil
}

// give puts a job on a card; what runs loads it.
func (l *Live) give(s *slot, j *validator.Job, now, ends time.Time) {
	s.job, s.ends, s.due = j, ends, now.Add(startUp)
	if j.Status == validator.JobRunning {
		l.loadCard(s)
	}
}

func (l *Live) start(ctx context.Context, s *slot, _ time.Time) error {
	j := *s.job
	j.Status = validator.JobRunning
	if err := l.store(ctx, j); err != nil {
		return err
	}
	s.job = &j
	l.loadCard(s)
	return nil
}

func (l *Live) loadCard(s *slot) {
	const firstPID, pids = 20_000, 40_000
	k := kindNamed(s.job.Type)
	s.due = s.ends
	s.load = Load{
		Utilization: k.utilization, MemoryBytes: uint64(k.memoryShare * float64(s.gpu.MemoryTotalBytes)),
		Process: k.process, PID: firstPID + l.dice.Uint32N(pids),
	}
	l.cfg.SetLoad(s.gpu.UUID, s.load)
}

func (l *Live) complete(ctx context.Context, s *slot, now time.Time) error {
	j := *s.job
	took := now.Sub(*j.AssignedAt).Truncate(time.Millisecond)
	pay := kindNamed(j.Type).payment(l.dice, took)
	j.Status, j.CompletedAt, j.ExecutionTime, j.Payment = validator.JobCompleted, &now, &took, &pay
	j.ResultHash, j.TxHash, j.BlockNumber = string(felt(l.dice)), felt(l.dice), l.cfg.Story.blockAt(now)
	return l.end(ctx, s, j, now)
}

func (l *Live) fail(ctx context.Context, s *slot, now time.Time, status validator.JobStatus, why string) error {
	j := *s.job
	j.Status, j.CompletedAt, j.ErrorMessage = status, &now, why
	return l.end(ctx, s, j, now)
}

// end stores how a job ended and frees its card.
func (l *Live) end(ctx context.Context, s *slot, j validator.Job, now time.Time) error {
	if err := l.store(ctx, j); err != nil {
		return err
	}
	s.job, s.load, s.due = nil, Load{}, now.Add(pauseShortest+l.upTo(pauseSpan))
	l.cfg.SetLoad(s.gpu.UUID, Load{})
	l.cfg.Ended(j)
	return nil
}

// store writes what changes in a job's life.
func (l *Live) store(ctx context.Context, j validator.Job) error {
	_, err := l.db.Exec(ctx, `UPDATE jobs SET status = $2, assigned_at = $3, gpu_uuid = $4, completed_at = $5, execution_time_ms = $6, payment_amount = $7,
		result_hash = $8, error_message = $9, tx_hash = $10, block_number = $11 WHERE job_id = $1`,
		j.ID, string(j.Status), j.AssignedAt, text(j.GPUUUID), j.CompletedAt, milliseconds(j.ExecutionTime), numericOrNull(j.Payment),
		text(j.ResultHash), text(j.ErrorMessage), text(string(j.TxHash)), j.BlockNumber)
	if err != nil {
		return fmt.Errorf("move job %s on: %w", j.ID, err)
	}
	return nil
}

package history

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// stage is a Live with cards that tests break and mend, and a clock that tests move.
type stage struct {
	*testing.T

	url   string
	live  *Live
	now   time.Time
	mu    sync.Mutex
	loads map[string]Load
	gone  map[string]bool
	ended []validator.Job
}

// newStage sets a story that ends at a time on a database of its own, without the year before.
func newStage(t *testing.T, now time.Time) *stage {
	t.Helper()
	return newStageOn(t, storyOf(now), dbtest.NewURL(t))
}

func newStageOn(t *testing.T, s Story, url string) *stage {
	t.Helper()
	st := &stage{T: t, url: url, now: s.Now, loads: map[string]Load{}, gone: map[string]bool{}}
	live, err := NewLive(LiveConfig{
		Story: s, Store: dbtest.Open(t, db.Config{URL: st.url, PingInterval: 20 * time.Millisecond}), DatabaseURL: st.url,
		SetLoad: func(uuid string, l Load) {
			st.mu.Lock()
			defer st.mu.Unlock()
			st.loads[uuid] = l
		},
		Usable: st.usable,
		Read: func() ([]validator.GPU, error) {
			return []validator.GPU{{UUID: "GPU-c", Name: validator.Some("NVIDIA H200")}}, nil
		},
		Ended: func(j validator.Job) { st.ended = append(st.ended, j) },
	})
	if err != nil {
		t.Fatal(err)
	}
	st.live = live
	if err := live.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(live.db.Close)
	return st
}

func (st *stage) usable(uuid string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return !st.gone[uuid]
}

// pass lets time pass, a second a step.
func (st *stage) pass(d time.Duration) {
	st.Helper()
	for end := st.now.Add(d); st.now.Before(end); st.now = st.now.Add(time.Second) {
		if err := st.live.step(st.Context(), st.now); err != nil {
			st.Fatal(err)
		}
	}
}

func (st *stage) count(sql string, args ...any) int {
	st.Helper()
	return value[int](st.T, connect(st.T, st.url), "SELECT count(*) FROM "+sql, args...)
}

func TestALiveStoryRunsJobsOnItsCards(t *testing.T) {
	st := newStage(t, time.Now())
	st.pass(30 * time.Minute)
	if n := st.count(`jobs WHERE worker_address = $1 AND status = 'completed' AND payment_amount > 0 AND gpu_uuid LIKE 'GPU-_' AND tx_hash IS NOT NULL AND block_number > 0
		AND execution_time_ms BETWEEN 20000 AND 320000 AND created_at <= assigned_at`, worker); n < 20 {
		t.Errorf("%d jobs were completed in half an hour", n)
	}
	if n := st.count(`jobs a JOIN jobs b ON a.gpu_uuid = b.gpu_uuid AND a.job_id < b.job_id AND a.assigned_at < COALESCE(b.completed_at, 'infinity') AND b.assigned_at < COALESCE(a.completed_at, 'infinity')`); n > 0 {
		t.Errorf("%d times two jobs shared a card", n)
	}
	if n := st.count(`jobs WHERE completed_at IS NULL AND status NOT IN ('pending', 'assigned', 'running')`); n > 0 {
		t.Errorf("%d jobs ended at no time", n)
	}
	running := st.count(`jobs WHERE status = 'running'`)
	for _, l := range st.loads {
		if l != (Load{}) {
			running--
			if l.Utilization < 0.5 || l.MemoryBytes == 0 || l.Process == "" || l.PID == 0 {
				t.Errorf("a job is %+v to its card", l)
			}
		}
	}
	if running != 0 {
		t.Errorf("%d more jobs run than cards are loaded", running)
	}
	if ended := st.count(`jobs WHERE worker_address = $1 AND completed_at IS NOT NULL`, worker); ended != len(st.ended) {
		t.Errorf("%d jobs ended, %d were announced", ended, len(st.ended))
	}
}

// TestALiveStoryTakesUpTheYear where it ends: its open jobs go on, and no minute is missing.
func TestALiveStoryTakesUpTheYear(t *testing.T) {
	s := storyOf(time.Now().Add(-3 * time.Minute))
	url := write(t, s)
	const running = `SELECT string_agg(job_id, ' ' ORDER BY job_id) FROM jobs WHERE worker_address = $1 AND status = 'running'`
	conn := connect(t, url)
	before := value[string](t, conn, running, worker)
	st := newStageOn(t, s, url)
	st.now = s.Now.Add(130 * time.Second)
	st.pass(time.Second)
	loaded := 0
	for _, l := range st.loads {
		if l.Utilization > 0 {
			loaded++
		}
	}
	if n := len(strings.Fields(before)); n != loaded || n < 2 {
		t.Errorf("%d jobs run, %d cards are loaded", n, loaded)
	}
	heard, err := st.live.cfg.Store.Heartbeats(t.Context(), worker, s.Now.Add(-2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if gaps := validator.UptimeOver(heard, time.Hour, 1, st.now).Gaps; len(gaps) > 0 {
		t.Errorf("there are gaps: %v", gaps)
	}
	st.pass(8 * time.Minute)
	for _, id := range strings.Fields(before) {
		if n := st.count(`jobs WHERE job_id = $1 AND status IN ('completed', 'failed') AND completed_at > $2`, id, s.Now); n != 1 {
			t.Errorf("job %s did not end", id)
		}
	}
	if n := st.count(`(SELECT job_id::bigint - lag(job_id::bigint) OVER (ORDER BY created_at, job_id::bigint) AS step FROM jobs WHERE worker_address = $1) t WHERE step <= 0`, worker); n > 0 {
		t.Errorf("%d ids fall as time goes on", n)
	}
}

func TestALiveStoryIsToldByItsSeed(t *testing.T) {
	now := time.Now()
	tell := func() string {
		st := newStage(t, now)
		st.pass(5 * time.Minute)
		return value[string](t, connect(t, st.url), `SELECT string_agg(j::text, E'\n' ORDER BY job_id) FROM jobs j`)
	}
	if first, second := tell(), tell(); first != second {
		t.Errorf("the same seed gave\n%s\nand\n%s", first, second)
	}
}

func TestACardThatIsGoneFailsItsJobAndGetsNoOther(t *testing.T) {
	st := newStage(t, time.Now())
	for i := 0; st.loads["GPU-b"] == (Load{}); i++ {
		if i > 300 {
			t.Fatal("the card got no job")
		}
		st.pass(time.Second)
	}
	st.gone["GPU-b"] = true
	lost := st.now
	st.pass(10 * time.Minute)
	if n := st.count(`jobs WHERE gpu_uuid = 'GPU-b' AND status = 'failed' AND completed_at = $1 AND payment_amount IS NULL
		AND error_message = 'Xid 79 on GPU-b: GPU has fallen off the bus'`, lost); n != 1 {
		t.Errorf("%d jobs failed when their card was lost", n)
	}
	if st.loads["GPU-b"] != (Load{}) {
		t.Error("the lost card is loaded")
	}
	if n := st.count(`jobs WHERE gpu_uuid = 'GPU-b' AND assigned_at > $1`, lost); n > 0 {
		t.Errorf("the lost card got %d jobs", n)
	}
	if n := st.count(`jobs WHERE gpu_uuid = 'GPU-a' AND status = 'completed' AND completed_at > $1`, lost); n == 0 {
		t.Error("the other cards stopped working")
	}
	if n := st.count(`heartbeats WHERE worker_id = 'rig-1' AND heartbeat_time > $1 AND gpu_count <> 3`, lost); n > 0 {
		t.Errorf("%d heartbeats count the lost card", n)
	}
	delete(st.gone, "GPU-b")
	st.pass(5 * time.Minute)
	if n := st.count(`jobs WHERE gpu_uuid = 'GPU-b' AND assigned_at > $1`, lost); n == 0 {
		t.Error("the card came back and got no job")
	}
}

func TestHostsReportAsAgentsDo(t *testing.T) {
	st := newStage(t, time.Now().Add(-10*time.Minute)) // what lies ahead of the database's clock does not count
	st.pass(10 * time.Minute)
	for _, host := range []string{"rig-1", "rig-2"} {
		if n := st.count(`heartbeats WHERE worker_address = $1 AND worker_id = $2`, worker, host); n != 40 {
			t.Errorf("%s sent %d heartbeats in ten minutes", host, n)
		}
	}
	if n := st.count(`(SELECT worker_address FROM heartbeats WHERE worker_address <> $1 GROUP BY 1 HAVING count(*) = 10) w`, worker); n != otherActive {
		t.Errorf("%d other workers live", n)
	}
	if n := st.count(`worker_gpus WHERE worker_id = 'rig-2' AND gpu_uuid = 'GPU-c' AND sample ->> 'Name' = 'NVIDIA H200'`); n != 1 {
		t.Error("the reported host's card is not reported")
	}
	if n := st.count(`gpu_samples WHERE gpu_uuid = 'GPU-c'`); n != 40 {
		t.Errorf("%d samples of the reported card", n)
	}
}

// TestTheStoryOutlivesADatabaseThatIsAway: nothing is lost but time.
func TestTheStoryOutlivesADatabaseThatIsAway(t *testing.T) {
	st := newStage(t, time.Now())
	st.pass(2 * time.Minute)
	admin, err := url.Parse(st.url)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(admin.Path, "/")
	admin.Path = "/postgres"
	dbtest.Exec(t, admin.String(), fmt.Sprintf("ALTER DATABASE %s ALLOW_CONNECTIONS false", name))
	dbtest.Exec(t, admin.String(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
	for range 3 {
		st.now = st.now.Add(time.Second)
		if err := st.live.step(t.Context(), st.now); err == nil {
			t.Fatal("a database that is away took everything")
		}
	}
	dbtest.Exec(t, admin.String(), fmt.Sprintf("ALTER DATABASE %s ALLOW_CONNECTIONS true", name))
	deadline := time.Now().Add(30 * time.Second)
	for st.live.step(t.Context(), st.now) != nil {
		if time.Now().After(deadline) {
			t.Fatal("the story did not go on")
		}
		time.Sleep(10 * time.Millisecond)
	}
	back := st.now
	st.pass(5 * time.Minute)
	if n := st.count(`jobs WHERE status = 'completed' AND completed_at > $1`, back); n == 0 {
		t.Error("no job was completed after the outage")
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	st := newStage(t, time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- st.live.Run(ctx) }()
	for st.count(`heartbeats`) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

func TestALiveNeedsItsParts(t *testing.T) {
	if _, err := NewLive(LiveConfig{}); err == nil {
		t.Error("a Live without anything was made")
	}
}

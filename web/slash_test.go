package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const slashTx = validator.Felt("0x000000000000000000000000000000000000000000000000000000000051a5e1")

// slashedChain tells alice's stake events.
type slashedChain struct {
	silentChain

	at time.Time
}

func (c slashedChain) WalletSnapshot(_ context.Context, a validator.Address) validator.ChainSnapshot {
	s := c.silentChain.WalletSnapshot(context.Background(), a)
	s.Stake.Maybe = validator.Some(validator.Stake{Amount: validator.WeiFromSAGE(11_400), Tier: validator.TierEnterprise, StakedAt: c.at.Add(-time.Hour), Active: true, TotalSlashed: validator.WeiFromSAGE(600)})
	s.Network.Config.Maybe = validator.Some(validator.StakingConfig{
		MinStake: [validator.TierCount]validator.Wei{validator.TierEnterprise: validator.WeiFromSAGE(10_000)}, MaxConsecutiveFailures: 3,
	})
	s.StakeEvents = validator.None[[]validator.StakeEvent]("not alice's")
	if a == alice {
		s.StakeEvents = validator.Some([]validator.StakeEvent{
			{Kind: validator.StakeEventSlashed, Amount: validator.WeiFromSAGE(600), Reason: validator.SlashTimeout, JobID: "0x1267", TxHash: slashTx, Block: validator.Block{Number: 77, Time: c.at}},
			{Kind: validator.StakeEventStaked, Amount: validator.WeiFromSAGE(12_000), Total: validator.WeiFromSAGE(12_000), Tier: validator.TierEnterprise, Block: validator.Block{Number: 7, Time: c.at.Add(-time.Hour)}},
		})
	}
	return s
}

// slashScene is a wallet that was slashed three hours ago: its card got hot under the job,
// and its host was not heard for ten minutes.
func slashScene(t *testing.T, change ...func(*Config)) (*Server, string, time.Time) {
	t.Helper()
	url := dbtest.NewURL(t)
	store := dbtest.Open(t, db.Config{URL: url})
	at := time.Now().UTC().Add(-3 * time.Hour).Truncate(time.Minute)
	dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, job_type, status, error_message, gpu_uuid, created_at, assigned_at, completed_at)
		VALUES ('4711', $1, 'training', 'timeout', 'deadline exceeded', 'GPU-hot', $2::timestamptz - interval '41 minutes', $2::timestamptz - interval '40 minutes', $2)`, string(alice), at)
	dbtest.Exec(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count)
		SELECT $1, 'rig', m, 1 FROM generate_series($2::timestamptz - interval '2 hours', $2::timestamptz + interval '1 hour', interval '1 minute') m
		WHERE m < $2::timestamptz OR m >= $2::timestamptz + interval '10 minutes'`, string(alice), at)
	for minute := -60; minute <= 30; minute++ {
		g := localGPU()
		g.UUID, g.SampledAt = "GPU-hot", at.Add(time.Duration(minute)*time.Minute)
		g.TemperatureC, g.ThrottleReasons = validator.Some(61), validator.Some(validator.ThrottleReasons(0))
		if minute >= -20 && minute < 0 {
			g.TemperatureC, g.ThrottleReasons = validator.Some(90), validator.Some(validator.ThrottleSWThermal)
		}
		report(t, store, alice, g)
	}
	fell := xidEvent(1, 79, at.Add(-2*time.Minute))
	fell.GPUUUID = "GPU-hot"
	if err := store.StoreGPUJournal(t.Context(), alice, "rig-2", validator.GPUJournal{Watcher: "run", Events: []validator.GPUEvent{fell}}); err != nil {
		t.Fatal(err)
	}
	return newServer(t, store, append(change, func(c *Config) { c.Chain = slashedChain{at: at} })...), url, at
}

func TestASlashHasAPageWithTheEvidenceOfItsTime(t *testing.T) {
	s, _, at := slashScene(t)
	timeline := visit(s, "/stake?wallet="+string(alice)).Body.String()
	path := "/stake/slash/" + slashTx.Short() + "/0?wallet=" + string(alice)
	if !strings.Contains(timeline, `href="`+path+`"`) {
		t.Errorf("the timeline does not lead to %s", path)
	}
	if job := visit(s, "/jobs/4711?wallet="+string(alice)).Body.String(); !strings.Contains(job, `href="`+path+`"`) {
		t.Errorf("the job's page does not lead to %s: %s", path, main(job))
	}
	w := visit(s, path)
	page := w.Body.String()
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, main(page))
	}
	for what, want := range map[string]string{
		"the title":                   "Slashed 600 SAGE: timeout",
		"the reason in a sentence":    "The job gave no result before its deadline.",
		"the share":                   "5<span class=\"unit\">",
		"what was staked before":      "12,000",
		"what it left":                "11,400",
		"what that meant":             "the stake stayed above its tier&#39;s minimum",
		"the job":                     "/jobs/4711?wallet=",
		"its error":                   "deadline exceeded",
		"the card":                    "/gpus/GPU-hot?wallet=" + string(alice) + "&amp;window=24h",
		"how the card was held back":  "slowed from " + fromTo(at.Add(-20*time.Minute), at.Add(-time.Minute)) + " (began between " + fromTo(at.Add(-21*time.Minute), at.Add(-20*time.Minute)) + "; ended between " + fromTo(at.Add(-time.Minute), at) + "): too hot",
		"the peak":                    "Its highest temperature was 90 °C.",
		"the chart":                   `id="chart-temperature"`,
		"the mark of the slash":       "Slashed 600 SAGE: timeout",
		"the mark of the heat":        "Slowed: too hot",
		"the error of the driver":     "XID 79",
		"the minutes without a sign":  fmt.Sprintf("Not heard %s–%s UTC", at.Add(time.Minute).Format("15:04"), at.Add(10*time.Minute).Format("15:04")),
		"the count of minutes":        "Up in 51 of 60 minutes.",
		"what to do about the heat":   "Heat slowed the card meanwhile.",
		"what to do about the host":   "No host was heard for 9 min around it.",
		"what to do about the reason": "Take no more jobs at a time than the cards finish",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing: %q", what, want)
		}
	}
	for _, other := range []string{
		"/stake/slash/" + slashTx.Short() + "/1?wallet=" + string(alice), "/stake/slash/0x123/0?wallet=" + string(alice), "/stake/slash/" + slashTx.Short() + "/0?wallet=" + string(bob),
	} {
		if w := visit(s, other); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "GPU-hot") {
			t.Errorf("%s: %d", other, w.Code)
		}
	}
	for _, bad := range []string{"/stake/slash/zzz/0", "/stake/slash/0x1/first", "/stake/slash/0x1/-1"} {
		if w := visit(s, bad+"?wallet="+string(alice)); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
}

func TestASlashOfAHostThatIsHeardEveryFiveMinutesShowsNoGap(t *testing.T) {
	s, url, at := slashScene(t, func(c *Config) { c.HeartbeatInterval = 5 })
	dbtest.Exec(t, url, `DELETE FROM heartbeats WHERE extract(minute FROM heartbeat_time)::integer % 5 <> 2`)
	dbtest.Exec(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count)
		SELECT $1, 'rig', m, 1 FROM generate_series($2::timestamptz, $2::timestamptz + interval '10 minutes', interval '1 minute') m
		WHERE extract(minute FROM m)::integer % 5 = 2 ON CONFLICT DO NOTHING`, string(alice), at)
	page := visit(s, "/stake/slash/"+slashTx.Short()+"/0?wallet="+string(alice)).Body.String()
	if !strings.Contains(page, "Up in 60 of 60 minutes.") || strings.Contains(page, "Not heard") || strings.Contains(page, "No host was heard") {
		t.Error(main(page))
	}
}

// TestASlashFindsItsJobInEverySpelling of the contract's number, and the job its slash.
func TestASlashFindsItsJobInEverySpelling(t *testing.T) {
	s, url, _ := slashScene(t)
	wallet := "?wallet=" + string(alice)
	for _, id := range []string{"0x1267", "0x" + strings.Repeat("0", 60) + "1267"} {
		dbtest.Exec(t, url, `UPDATE jobs SET job_id = $1`, id)
		s = newServer(t, dbtest.Open(t, db.Config{URL: url}), func(c *Config) { c.Chain = s.chain })
		if page := visit(s, "/stake/slash/"+slashTx.Short()+"/0"+wallet).Body.String(); !strings.Contains(page, "/jobs/"+id+"?wallet=") || !strings.Contains(page, "GPU-hot") {
			t.Errorf("%s: the slash does not show its job: %s", id, main(page))
		}
		for _, path := range []string{"/jobs/" + id, "/jobs/4711"} { // the timeline leads to the number
			if w := visit(s, path+wallet); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "600 SAGE, timeout") {
				t.Errorf("%s: %s does not tell of the slash: %d", id, path, w.Code)
			}
		}
		failed := []validator.Job{{ID: id, GPUUUID: "GPU-hot"}}
		seen := s.chain.WalletSnapshot(t.Context(), alice)
		if here, there := slashesOf(seen, failed, "GPU-hot", time.Time{}), slashesOf(seen, failed, "GPU-cool", time.Time{}); len(here) != 1 || len(there) != 0 {
			t.Errorf("%s: %d slashes on its card, %d on another", id, len(here), len(there))
		}
	}
}

func TestASlashThatOnlyTheIndexKnowsSaysWhatIsMissing(t *testing.T) {
	s, url, at := slashScene(t)
	s.chain = silentChain{}
	add := func(tx, job string, when time.Time) string {
		dbtest.Exec(t, url, `INSERT INTO stake_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, amount, slash_reason, job_id)
			VALUES (9, '0x' || lpad('1', 64, '0'), $1, '0x' || lpad($2, 64, '0'), '0x' || lpad('2', 64, '0'), 0, 0, $3, 'slashed', 7000000000000000000, 0, $4)`, when, tx, string(alice), job)
		w := visit(s, "/stake/slash/0x"+tx+"/0?wallet="+string(alice))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", tx, w.Code, main(w.Body.String()))
		}
		return w.Body.String()
	}
	for _, want := range []string{"Slashed 7 SAGE: invalid proof", "no job of this wallet with that identifier", "Nothing says on which card the job ran", "What it left is not known"} {
		if page := add("aa"+fmt.Sprint(len(want)), "nobody's", at); !strings.Contains(strings.ReplaceAll(page, "&#39;", "'"), want) {
			t.Errorf("%q is missing", want)
		}
	}
	old := add("bb", "4711", at.Add(-20*24*time.Hour))
	for _, want := range []string{"No sample of that time is kept: those of this card begin " + utc(at.Add(-time.Hour)), "No heartbeat had arrived by then"} {
		if !strings.Contains(old, want) {
			t.Errorf("%q is missing in\n%s", want, main(old))
		}
	}
	// An hour's sums are what is left of samples that are past their age.
	dbtest.Exec(t, url, `INSERT INTO gpu_hours (worker_address, gpu_uuid, hour, utilization_samples, utilization_sum, utilization_min, utilization_max, memory_samples, temperature_samples, temperature_sum, temperature_min, temperature_max, power_samples, throttle_reasons)
		SELECT $1, 'GPU-hot', h, 10, 900, 80, 100, 0, 10, 860, 80, 91, 0, 32 FROM generate_series(date_trunc('hour', $2::timestamptz) - interval '12 hours', $2::timestamptz, interval '1 hour') h`, string(alice), at.Add(-40*24*time.Hour))
	sums := add("cc", "4711", at.Add(-40*24*time.Hour))
	for _, want := range []string{"each point is the mean of an hour", "Its highest temperature was 91 °C"} {
		if !strings.Contains(sums, want) {
			t.Errorf("%q is missing in\n%s", want, main(sums))
		}
	}
}

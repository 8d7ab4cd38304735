package program

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
)

// cards are the GPUs that /api/validator/gpus lists for a wallet, with the answer around them.
func (p *program) cards(t *testing.T, wallet string) (cards []map[string]any, whole map[string]any) {
	t.Helper()
	whole = p.Get(t, "/api/validator/gpus", wallet)
	list, _ := whole["gpus"].([]any)
	for _, g := range list {
		cards = append(cards, g.(map[string]any))
	}
	return cards, whole
}

// A driver that answers 905 % takes neither the card's other values along, nor the other
// card's, nor the averages.
func TestADriversImpossibleValues(t *testing.T) {
	t.Parallel()
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=2", "0.util=905", "0.util.mem=12", "1.util=77", "1.power=300000", "0.fan=4294967295")
	url := dbtest.NewURL(t)
	p := start(t, "DATABASE_URL="+url, "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS=0x123")
	harness.Eventually(t, "both cards", func() bool { cards, _ := p.cards(t, "0x123"); return len(cards) == 2 })
	cards, whole := p.cards(t, "0x123")
	unknown, _ := cards[0]["unknown"].(map[string]any)
	if cards[0]["compute_utilization"] != nil || unknown["compute_utilization"] != "the driver said 905 %" || unknown["fan_percent"] != "the driver said 4,294,967,295 %" {
		t.Errorf("the first card's use is %v, unknown %v", cards[0]["compute_utilization"], unknown)
	}
	if cards[0]["memory_activity_percent"] != 12.0 || cards[1]["compute_utilization"] != 77.0 || whole["avg_utilization"] != 77.0 {
		t.Errorf("beside it: %v %v, average %v", cards[0]["memory_activity_percent"], cards[1]["compute_utilization"], whole["avg_utilization"])
	}
	_, page := p.Call(t, http.MethodGet, "/partials/gpus?wallet=0x123", "", "")
	for _, want := range []string{"The driver said 905 %.", "Over the 1 of 2 cards that report it."} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the cards' panel lacks %q", want)
		}
	}
	harness.Eventually(t, "samples of both cards", func() bool {
		return dbtest.Value(t, url, "SELECT count(DISTINCT gpu_uuid) FROM gpu_samples WHERE utilization_percent = 77 OR utilization_percent IS NULL AND memory_activity_percent = 12") == "2"
	})
}

// Of a report, what cannot be is stored as unknown, with the worker's own words; all else
// of it is stored.
func TestAWorkersImpossibleValues(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	p := start(t, "DATABASE_URL="+url, "NVML_LIBRARY=/nonexistent", "VALIDATOR_ADDRESS=0x9")
	code, b := p.Call(t, http.MethodPost, "/api/worker/gpu-metrics", "0x123", `{"worker_id":"rig-1","gpus":[
		{"index":0,"uuid":"GPU-a","name":"NVIDIA H100 80GB HBM3","memory_total_bytes":85899345920,"memory_used_bytes":18446744073709551615,"compute_utilization":905,
		 "temperature_celsius":-1,"power_watts":4294967.295,"power_limit_watts":0,"fan_percent":4294967295,"sm_clock_mhz":1980.4,"ecc_uncorrected_errors":18446744073709551615,
		 "throttle_reasons_mask":1e40,"memory_clock_mhz":null},
		{"index":1,"uuid":"GPU-b","name":"NVIDIA GB10","memory_total_bytes":0,"memory_used_bytes":0,"compute_utilization":77,"power_watts":300.5,"fan_percent":131}]}`)
	if code != http.StatusOK {
		t.Fatalf("gpu-metrics: %d %s", code, b)
	}
	var stored struct {
		Status  string
		Unknown map[string]map[string]string
	}
	if err := json.Unmarshal(b, &stored); err != nil || stored.Status != "ok" {
		t.Fatalf("%s: %v", b, err)
	}
	for member, want := range map[string]string{
		"memory_used_bytes": "the worker said 17,179,869,184 GiB", "compute_utilization": "the worker said 905 %", "temperature_celsius": "the worker said -1 °C",
		"power_watts": "the worker said 4,294,967.295 W", "power_limit_watts": "the worker said 0 W", "fan_percent": "the worker said 4,294,967,295 %",
		"ecc_uncorrected_errors": "the worker said 18,446,744,073,709,551,615", "throttle_reasons_mask": "the worker said 1e+40",
	} {
		if got := stored.Unknown["GPU-a"][member]; got != want {
			t.Errorf("%s: %q, want %q", member, got, want)
		}
	}
	if n := len(stored.Unknown["GPU-a"]); n != 8 {
		t.Errorf("%d members are unknown: %v", n, stored.Unknown["GPU-a"])
	}
	harness.Eventually(t, "the reported cards", func() bool { cards, _ := p.cards(t, "0x123"); return len(cards) == 2 })
	cards, whole := p.cards(t, "0x123")
	a, gb10 := cards[0]["unknown"].(map[string]any), cards[1]["unknown"].(map[string]any)
	if a["compute_utilization"] != "the worker said 905 %" || cards[0]["sm_clock_mhz"] != 1980.0 || cards[0]["vram_total_gb"] != 80.0 || whole["avg_utilization"] != 77.0 {
		t.Errorf("the first card: %v", cards[0])
	}
	if cards[1]["vram_total_gb"] != nil || gb10["vram_total_gb"] != "the worker said 0 GiB" || gb10["vram_used_gb"] != "the worker said 0 GiB in all" || cards[1]["power_watts"] != 300.5 || cards[1]["fan_percent"] != 131.0 {
		t.Errorf("the second card: %v", cards[1])
	}
	if n := dbtest.Value(t, url, "SELECT count(*) FROM gpu_samples"); n != "2" {
		t.Errorf("%v samples are stored, want both", n)
	}
	if code, b := p.Call(t, http.MethodPost, "/api/worker/gpu-metrics", "0x123", `{"worker_id":"rig-1","gpus":[{"index":0,"uuid":"GPU-a","compute_utilization":"40"}]}`); code != http.StatusBadRequest || !strings.Contains(string(b), "body.gpus[0].compute_utilization") {
		t.Errorf("a text for a number: %d %s", code, b)
	}
}

// Of 600 programs on a card the page lists the largest few and counts the others, and the API
// is bounded alike.
func TestHundredsOfProcessesOnACard(t *testing.T) {
	t.Parallel()
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "procs=1000+600:104857600", "procs.graphics=1000:104857600", "pid.1003=/usr/bin/python3")
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t), "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS=0x123")
	harness.Eventually(t, "the card", func() bool { cards, _ := p.cards(t, "0x123"); return len(cards) == 1 })
	cards, _ := p.cards(t, "0x123")
	list, _ := cards[0]["processes"].([]any)
	if cards[0]["process_count"] != 600.0 || len(list) != 8 {
		t.Fatalf("%v programs, %d listed", cards[0]["process_count"], len(list))
	}
	if first := list[0].(map[string]any); first["pid"] != 1000.0 || first["compute"] != true || first["graphics"] != true || first["memory_bytes"] != 104857600.0 || first["name"] != nil {
		t.Errorf("the first is %v", first)
	}
	for path, what := range map[string]string{"/partials/gpus?wallet=0x123": "the dashboard", "/gpus/GPU-00000000-0000-0000-0000-000000000000": "the card's page"} {
		_, b := p.Call(t, http.MethodGet, path, "", "")
		page := string(b)
		if rows := strings.Count(page, "PID "); rows != 8 || !strings.Contains(page, "and 592 more") || !strings.Contains(page, "100 MiB") || !strings.Contains(page, "/usr/bin/python3") {
			t.Errorf("%s lists %d programs", what, rows)
		}
	}
}

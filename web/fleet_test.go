package web

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestACardOfASilentHostIsShownAsStaleAndNeverAsActive(t *testing.T) {
	store := dbtest.New(t)
	s := newServer(t, store)
	card := func(uuid string) validator.GPU {
		return validator.GPU{UUID: uuid, UtilizationPercent: validator.Some(uint32(70))}
	}
	for uuid, age := range map[string]time.Duration{"GPU-live": time.Second, "GPU-silent": time.Hour} {
		if err := store.UpsertWorkerGPUs(t.Context(), alice, "rig-"+uuid, time.Now().Add(-age), []validator.GPU{card(uuid)}); err != nil {
			t.Fatal(err)
		}
	}
	page := visit(s, "/partials/gpus?wallet="+string(alice)).Body.String()
	for _, want := range []string{"1 of 2", "Stale", "GPU-silent", "Last reported"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in the panel:\n%s", want, page)
		}
	}
	var api struct {
		GPUs []struct{ UUID, Status string }
		Avg  *float64 `json:"avg_utilization"`
	}
	body := visit(s, "/api/validator/gpus", "X-Wallet-Address", string(alice)).Body.Bytes()
	if err := json.Unmarshal(body, &api); err != nil {
		t.Fatal(err)
	}
	status := map[string]string{}
	for _, g := range api.GPUs {
		status[g.UUID] = g.Status
	}
	if status["GPU-live"] != "active" || status["GPU-silent"] != "unknown" || api.Avg == nil || *api.Avg != 70 {
		t.Errorf("the API answers %s", body)
	}
}

package program

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
)

// TestThisHostsGPUsHaveADayAndAreShownOnce runs the program on the stand-in of NVML.
func TestThisHostsGPUsHaveADayAndAreShownOnce(t *testing.T) {
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=2", "temp=61", "power=412000")
	database := dbtest.NewURL(t)
	p := start(t, "DATABASE_URL="+database, "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS="+string(wallet))
	harness.Eventually(t, "a stored sample of each card", func() bool {
		return dbtest.Value(t, database, `SELECT count(DISTINCT gpu_uuid) FROM gpu_samples WHERE worker_address = $1 AND temperature_c = 61 AND power_milliwatts = 412000`, string(wallet)) == "2"
	})
	gpus, _ := p.Get(t, "/api/validator/gpus", "")["gpus"].([]any)
	if len(gpus) != 2 {
		t.Errorf("%d cards of two", len(gpus))
	}
	uuid, _ := gpus[0].(map[string]any)["uuid"].(string)
	for _, window := range []string{"24h", "7d"} {
		harness.Eventually(t, "the window "+window, func() bool {
			_, b := p.Call(t, http.MethodGet, "/gpus/"+uuid+"?window="+window, "", "")
			return strings.Contains(text(b), "From the samples that this server stored") && strings.Contains(string(b), `id="chart-temperature"`)
		})
	}
}

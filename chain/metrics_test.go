package chain_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// metric returns the sum of a metric over its labels.
func (r *rig) metric(t *testing.T, name string) float64 {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	if err := reg.Register(r.client.Collector()); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

func TestMetricsCountWhatNodesAreAsked(t *testing.T) {
	r := running(t, 2)
	r.snapshot(alice)
	b := r.chain.Mine()
	r.seenAt(t, alice, b)
	if got := r.metric(t, "validator_chain_head_block"); got != float64(b.Number) {
		t.Errorf("head %v, want %d", got, b.Number)
	}
	if got := r.metric(t, "validator_chain_watched_wallets"); got != 1 {
		t.Errorf("%v wallets are watched, want 1", got)
	}
	for _, name := range []string{"rpc_requests_total", "rpc_calls_total", "reads_total", "wallet_reads_total"} {
		if r.metric(t, "validator_chain_"+name) == 0 {
			t.Errorf("%s is 0", name)
		}
	}
}

package program

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
)

// TestAServerWithAPriceURLShowsThePrice takes the price all the way from the URL to the page.
func TestAServerWithAPriceURLShowsThePrice(t *testing.T) {
	prices := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `[{"last": "0.4242"}]`) }))
	t.Cleanup(prices.Close)
	database := dbtest.NewURL(t)
	dbtest.Exec(t, database, "INSERT INTO jobs (job_id, worker_address, status, payment_amount) VALUES ('1', '0x123', 'completed', 1000000000000000000)")
	p := start(t, "DATABASE_URL="+database, "SAGE_PRICE_URL="+prices.URL+"/ticker?key=hunter2", "SAGE_PRICE_PATH=/0/last", "SAGE_PRICE_CURRENCY=usd")
	harness.Eventually(t, "the price on the page", func() bool {
		_, page := p.Call(t, http.MethodGet, "/earnings?wallet=0x123", "", "")
		return strings.Contains(string(page), "0.4242") && strings.Contains(string(page), "from "+strings.TrimPrefix(prices.URL, "http://")) && !strings.Contains(string(page), "hunter2")
	})
}

package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestAClaimTooManyIsRefusedInWords, and what expired is shown as such.
func TestAClaimTooManyIsRefusedInWords(t *testing.T) {
	s := newServer(t, dbtest.Open(t, db.Config{URL: dbtest.NewURL(t)}))
	claim := func(n int) (int, string) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/api/worker/claim-reward", strings.NewReader(fmt.Sprintf(`{"tx_hash": "0x%x"}`, n+1)))
		r.RemoteAddr, r.Host = "127.0.0.1:50000", "127.0.0.1:3030"
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Wallet-Address", string(alice))
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	for n := range db.MostOpenClaims {
		if code, body := claim(n); code != http.StatusAccepted {
			t.Fatal(code, body)
		}
	}
	if code, body := claim(1000); code != http.StatusConflict || !strings.Contains(body, "20 claims of this wallet are open") {
		t.Error(code, body)
	}
	tx := validator.Felt(fmt.Sprintf("0x%064x", 1))
	if err := s.db.SettleClaim(t.Context(), validator.Claim{Address: alice, TxHash: tx}, validator.ClaimOutcome{Status: validator.ClaimExpired, Failure: "No node knew it."}); err != nil {
		t.Fatal(err)
	}
	if page := open(t, s, "/partials/track?kind=claim&tx=0x1&wallet="+string(alice)); !strings.Contains(page, "Your claim has expired") || !strings.Contains(page, "No node knew it.") {
		t.Error(page)
	}
	if code, body := claim(1000); code != http.StatusAccepted {
		t.Error(code, body)
	}
}

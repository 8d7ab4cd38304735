package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// postForm sends a form as a browser on this machine would.
func postForm(s *Server, path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "127.0.0.1:3030"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "text/html")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func observePrice(t *testing.T, s *Server, price, currency string, at time.Time) {
	t.Helper()
	amount, err := validator.ParsePrice(price)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.StoreSAGEPrice(t.Context(), validator.SAGEPrice{Amount: amount, Currency: currency, Source: "prices.example", At: at}); err != nil {
		t.Fatal(err)
	}
	s.observer.ForgetAll()
}

func TestAnExportHoldsEveryEarningOfTheRangeExactly(t *testing.T) {
	s, database := earningsServer(t)
	observePrice(t, s, "0.123456789012345678", "USD", earningsNow.AddDate(0, 0, -9))
	dbtest.Exec(t, database, `INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, block_number, status)
		VALUES ($1, 2500000000000000000, 'bonus', $2, '0xc2', 78, 'confirmed'), ($1, 1, 'mining', $2, NULL, NULL, 'confirmed')`, alice, earningsNow.AddDate(0, 0, -9).Add(59*time.Minute))
	dbtest.Exec(t, database, `UPDATE jobs SET job_id = '=1+1', tx_hash = '0xab', block_number = 5, payment_amount = 115792089237316195423570985008687907853269984665640564039457584007913129639935,
		completed_at = '2026-11-17 01:02:03.456789+02' WHERE job_id = 'job-9'`)
	path := "/earnings/export?wallet=" + string(alice) + "&from=2026-11-15&to=2026-11-16&format="
	long := func(tail string) string { return "0x" + strings.Repeat("0", 64-len(tail)) + tail }
	w := visit(s, path+"csv")
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Disposition"), `attachment; filename="earnings-0xa11-`) {
		t.Fatalf("%d %v %v", w.Code, err, w.Header())
	}
	const most = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
	want := [][]string{
		earningsHeader,
		{"2026-11-16T23:02:03.456789Z", "job", most, most[:60] + "." + most[60:], "'=1+1", long("ab"), "5", "", "", "", "", "", "false"},
		{"2026-11-16T12:59:00Z", "mining", "1", "0.000000000000000001", "", "", "", "", "", "", "", "", "false"},
		{"2026-11-16T12:59:00Z", "bonus", "2500000000000000000", "2.500000000000000000", "", long("c2"), "78", "0.123456789012345678", "USD", "prices.example", "2026-11-16T12:00:00Z", "0.308641972530864195", "false"},
		{"2026-11-15T11:00:00Z", "job", "1000000000000000000", "1.000000000000000000", "job-10", "", "", "", "", "", "", "", "false"},
	}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("got\n%q\nwant\n%q", rows, want)
	}
	lines := strings.Split(strings.TrimSpace(visit(s, path+"ndjson").Body.String()), "\n")
	if len(lines) != len(want)-1 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		for c, name := range earningsHeader {
			got, has := e[name]
			if text := fmt.Sprint(got); !has || got == nil != (want[i+1][c] == "") || got != nil && text != strings.TrimPrefix(want[i+1][c], "'") {
				t.Errorf("line %d has %s %v, CSV %q", i, name, got, want[i+1][c])
			}
		}
	}
	// The page's links lead to the same days, and all of them is all.
	page := open(t, s, earningsPath("&from=2026-11-15&to=2026-11-16"))
	if !strings.Contains(page, html.EscapeString("/earnings/export?format=csv&from=2026-11-15&to=2026-11-16&wallet=")) {
		t.Error("the page does not lead to the export of its days")
	}
	for query, lines := range map[string]int{"last=all": 404, "last=7d": 9, "": 34, "to=2025-10-23": 3, "from=2026-11-25": 2} {
		if n := strings.Count(visit(s, "/earnings/export?format=csv&wallet="+string(alice)+"&"+query).Body.String(), "\n"); n != lines {
			t.Errorf("%q: %d lines, want %d", query, n, lines)
		}
	}
	for query, field := range map[string]string{"format=xls": "query.format", "": "query.format", "format=csv&from=x": "query.from", "format=csv&last=2d": "query.last"} {
		if w := visit(s, "/earnings/export?wallet="+string(alice)+"&"+query); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), field) {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

func TestAnOwnerEntersThePriceOfAClaim(t *testing.T) {
	s, database := earningsServer(t)
	observePrice(t, s, "0.5", "USD", earningsNow.AddDate(0, 0, -1))
	dbtest.Exec(t, database, `INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, status)
		VALUES ($1, 2000000000000000000, 'staking', $2, '0xc2', 'confirmed'), ($1, NULL, 'staking', $2, '0xc3', 'submitted')`, alice, earningsNow.AddDate(0, 0, -1).Add(time.Minute))
	page := open(t, s, earningsPath("&last=7d"))
	_, claims, _ := strings.Cut(page, `id="earning-claims"`)
	if n := strings.Count(claims, "Enter the price"); n != 1 || !strings.Contains(claims, "from prices.example") || !strings.Contains(claims, `>1.00<`) {
		t.Fatalf("%d prices to enter:\n%s", n, claims)
	}
	action := html.UnescapeString(regexp.MustCompile(`action="(/earnings/claim-price[^"]*)"`).FindStringSubmatch(claims)[1])
	hidden := regexp.MustCompile(`name="(tx|back)" value="([^"]*)"`).FindAllStringSubmatch(claims, -1)
	form := url.Values{"price": {"0,75"}, "currency": {"eur"}}
	for _, h := range hidden {
		form.Set(h[1], html.UnescapeString(h[2]))
	}
	if w := postForm(s, action, form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/earnings?last=7d&wallet="+string(alice) {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	page = open(t, s, earningsPath("&last=7d"))
	_, claims, _ = strings.Cut(page, `id="earning-claims"`)
	if !strings.Contains(claims, priceByHand) || !strings.Contains(claims, `>75.00<`) || !strings.Contains(claims, "Correct it") {
		t.Errorf("the page lacks the price:\n%s", claims)
	}
	if export := visit(s, "/earnings/export?format=csv&last=7d&wallet="+string(alice)).Body.String(); !strings.Contains(export, ",0.75,EUR,entered by hand,2026-11-25T12:00:00Z,75.00000000000000000075,false\n") {
		t.Errorf("the export lacks it:\n%s", export)
	}
	events, err := s.db.AuditEvents(t.Context(), alice, 5)
	if err != nil || len(events) != 1 || events[0].Kind != db.AuditClaimPriced || events[0].Detail != "0.75 EUR at 0xc1" || events[0].Actor != db.ActorLocal {
		t.Errorf("%+v %v", events, err)
	}
	for what, c := range map[string]struct {
		tx, price, currency string
		code                int
		word                string
	}{
		"observed":    {"0xc2", "1", "EUR", http.StatusConflict, "was observed"},
		"unconfirmed": {"0xc3", "1", "EUR", http.StatusNotFound, "no confirmed claim"},
		"nobody's":    {"0xc9", "1", "EUR", http.StatusNotFound, "no confirmed claim"},
		"no price":    {"0xc1", "0", "EUR", http.StatusBadRequest, "body.price"},
		"no number":   {"0xc1", "much", "EUR", http.StatusBadRequest, "body.price"},
		"no currency": {"0xc1", "1", "", http.StatusBadRequest, "body.currency"},
		"no felt":     {"c1", "1", "EUR", http.StatusBadRequest, "body.tx"},
	} {
		w := postForm(s, action, url.Values{"tx": {c.tx}, "price": {c.price}, "currency": {c.currency}})
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.word) {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
	}
	if w := postForm(s, action, form, "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", w.Code)
	}
}

// powerOf returns the rows of what is net of power, as texts.
func powerOf(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, "<h3>Net of power</h3>")
	block, _, _ := strings.Cut(rest, "</dl>")
	if !found {
		t.Fatalf("nothing is said of power: %s", page)
	}
	text := regexp.MustCompile(`<span class="visually-hidden">: where[^<]*</span>|<svg.*?</svg>`).ReplaceAllString(block, "")
	text = regexp.MustCompile(`<div[^>]*>`).ReplaceAllString(text, "|")
	text = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, " ")
	return strings.Join(strings.Fields(html.UnescapeString(text)), " ")
}

// TestEarningsNetOfPower goes through all that can be known of power, and all that can not.
func TestEarningsNetOfPower(t *testing.T) {
	s, database := earningsServer(t)
	has := func(what, cookie string, words ...string) {
		t.Helper()
		got := powerOf(t, visit(s, earningsPath("&from=2026-11-01&to=2026-11-10"), "Cookie", cookie).Body.String())
		for _, w := range words {
			if !strings.Contains(got, w) {
				t.Errorf("%s lacks %q:\n%s", what, w, got)
			}
		}
	}
	const old, new, unpriced = "prices=0.25~0.4~EUR", "prices=0.25~0.4~EUR~1000", "prices=0.25~~EUR~1000"
	has("nothing at all", "", "Measured energy of the GPUs — unknown: No sample", "Price of SAGE — unknown: None is entered", "Net of power — unknown: Set your price of power")
	has("a cookie of before", old, "Price of SAGE, entered by hand 0.4 EUR", "Earned, at that price 4.00 EUR", "Net of power — unknown: No GPU's power was measured in this time: enter the watts")
	// 1 kW for ten days is 240 kWh.
	has("watts", new, "Assumed for the rest, at your 1000 W 240.0 kWh", "Cost of power, at 0.25 EUR a kWh 60.00 EUR", "Net of power -56.00 EUR", "Breaks even at 6.0000 EUR a SAGE")
	has("no price", unpriced, "Cost of power, at 0.25 EUR a kWh 60.00 EUR", "Net of power — unknown: No price of SAGE is entered, and none was observed", "Breaks even at 6.0000")
	observePrice(t, s, "0.5", "EUR", earningsNow.Add(-time.Minute))
	has("an observed price", unpriced, "Price of SAGE, from prices.example, 1 min ago 0.5 EUR", "Earned, at that price 5.00 EUR", "Net of power -55.00 EUR")
	has("both", new, "entered by hand 0.4 EUR", "Net of power -56.00 EUR")
	has("in another currency", "prices=0.25~~USD~1000", "in EUR, yours of power in USD")
	for age, words := range map[time.Duration][]string{
		validator.SAGEPriceStale:                {"Price of SAGE, from prices.example, 20 min ago 0.5 EUR", "Net of power -55.00 EUR"},
		validator.SAGEPriceStale + time.Second:  {"Price of SAGE, not live: from prices.example, 20 min ago 0.5 EUR", "Net of power -55.00 EUR"},
		validator.SAGEPriceCounts:               {"Price of SAGE, not live: from prices.example, 1 d ago 0.5 EUR", "Net of power -55.00 EUR"},
		validator.SAGEPriceCounts + time.Second: {"Price of SAGE — unknown: The newest price of SAGE of prices.example is from 1 d ago", "Earned, at that price — unknown: The newest", "Net of power — unknown: The newest", "Breaks even at 6.0000"},
	} {
		s.now = func() time.Time { return earningsNow.Add(age - time.Minute) }
		has("a price that is "+age.String()+" old", unpriced, words...)
	}
	s.now = func() time.Time { return earningsNow }

	// Two GPUs, of which one was measured for half of the time: three quarters in all.
	energy := func(uuid string, days, watts int) {
		dbtest.Exec(t, database, `INSERT INTO gpu_energy_days (worker_address, day, gpu_uuid, joules, covered_seconds)
			SELECT $1, date '2026-11-01' + n, $2, 86400.0 * $3, 86400 FROM generate_series(0, $4::integer - 1) n`, alice, uuid, watts, days)
	}
	energy("GPU-1", 10, 500)
	energy("GPU-2", 5, 500)
	s.observer.ForgetAll()
	has("partly measured", old, "covers 75.00 % of the time of 2 GPUs 180.0 kWh", "Net of power — unknown: Not all of this time is measured")
	has("the rest assumed", new, "180.0 kWh", "at your 1000 W 60.0 kWh", "Cost of power, at 0.25 EUR a kWh 60.00 EUR")
	dbtest.Exec(t, database, "DELETE FROM gpu_energy_days WHERE gpu_uuid = 'GPU-2'")
	s.observer.ForgetAll()
	has("all measured", old, "covers 100.00 % of the time of 1 GPU 120.0 kWh", "Cost of power, at 0.25 EUR a kWh 30.00 EUR", "Net of power -26.00 EUR")
	// A card that never tells its power costs something too.
	silent := validator.GPU{UUID: "GPU-3", SampledAt: earningsNow.AddDate(0, 0, -20), PowerMilliwatts: validator.None[uint32]("not supported")}
	if err := s.db.UpsertWorkerGPUs(t.Context(), alice, "rig", silent.SampledAt, []validator.GPU{silent}); err != nil {
		t.Fatal(err)
	}
	s.observer.ForgetAll()
	has("a silent card", old, "covers 50.00 % of the time of 2 GPUs 120.0 kWh", "Net of power — unknown: Not all of this time is measured")

	observed := open(t, s, "/partials/provenance?wallet="+string(alice)+"&of=period.energy@2026-11-01..2026-11-10")
	if !strings.Contains(observed, "gpu_energy_days") || !strings.Contains(observed, "240.0") || !strings.Contains(observed, "5 minutes") {
		t.Error(observed)
	}
}

func TestPricesAreKeptAndTheFormReturnsToItsPage(t *testing.T) {
	s, _ := earningsServer(t)
	page := open(t, s, earningsPath("&last=7d"))
	back := html.UnescapeString(regexp.MustCompile(`name="back" value="(earnings[^"]*)"`).FindStringSubmatch(page)[1])
	for want, form := range map[string]url.Values{
		"/earnings?last=7d&wallet=" + string(alice): {"wallet": {string(alice)}, "back": {back}},
		"/earnings?wallet=" + string(alice):         {"wallet": {string(alice)}, "back": {"earnings?from=nonsense"}},
		"/?wallet=" + string(alice):                 {"wallet": {string(alice)}, "back": {"https://elsewhere.example"}},
		"/":                                         {},
	} {
		form.Set("per_kwh", "0,3")
		form.Set("currency", "eur")
		form.Set("watts", "1500")
		w := postForm(s, "/prices", form)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != want || !strings.HasPrefix(w.Header().Get("Set-Cookie"), "prices=0.3~~EUR~1500;") {
			t.Errorf("%v: %d %v", form, w.Code, w.Header())
		}
	}
	if v := validator.PriceText(big.NewRat(1, 8)); v != "0.125" {
		t.Error(v)
	}
}

package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// payingChain has contracts that pay.
type payingChain struct{ silentChain }

func payer(n int) validator.Address { return validator.Address(fmt.Sprintf("0x%064x", 0xd0+n)) }

func (payingChain) Contracts() []validator.ContractCheck {
	return []validator.ContractCheck{{Name: "JobManager", Address: payer(1)}, {Name: "PaymentRouter", Address: payer(2)}, {Name: "ProverStaking", Address: payer(3)}}
}

// paidServer is a server with payments of each kind on either side, of which the index has
// read all blocks of the last 30 days up to 100.
func paidServer(t *testing.T) (*Server, string) {
	t.Helper()
	database := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: database}), func(c *Config) { c.Chain = payingChain{} })
	dbtest.Exec(t, database, "INSERT INTO chain_index (chain_id, head_number, head_hash, head_time) VALUES ('c', 103, '0x' || lpad('67', 64, '0'), now())")
	dbtest.Exec(t, database, `INSERT INTO chain_index_contracts (contract_address, name, first_block, start, block_number, block_hash, block_time, first_time)
		SELECT '0x' || lpad('d' || n, 64, '0'), 'contract', 7, 'deployment', 100, '0x' || lpad('64', 64, '0'), now() - interval '10 seconds', now() - interval '30 days' FROM generate_series(1, 3) n`)
	sage := "000000000000000000"
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, completed_at)
		SELECT id, $1, 'completed', (amount || '`+sage+`')::numeric, now() - age::interval, now() - age::interval
		FROM (VALUES ('1', '8', '1 day'), ('0x2', '8', '2 days'), ('3', '8', '3 days'), ('4', '8', '4 days'), ('5', '8', '1 second'), ('6', '8', '40 days'), ('job-7', '8', '5 days'), ('8', '8', '6 days')) j (id, amount, age)`, alice)
	dbtest.Exec(t, database, "INSERT INTO jobs (job_id, worker_address, status, error_message, created_at, completed_at) VALUES ('9', $1, 'failed', 'out of memory', now() - interval '7 days', now() - interval '7 days')", alice)
	dbtest.Exec(t, database, "INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, completed_at) VALUES ('77', $1, 'completed', 1, now() - interval '7 days', now() - interval '7 days')", bob)
	dbtest.Exec(t, database, `INSERT INTO chain_payments (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, job_id, amount, private)
		SELECT block, '0x' || lpad(block::text, 64, '0'), now() - age::interval, '0x' || lpad('abc' || job, 64, '0'), '0x' || lpad(CASE kind WHEN 'paid' THEN 'd2' ELSE 'd1' END, 64, '0'), 0, place, $1, kind, job,
		       (amount || CASE amount WHEN '0' THEN '' ELSE '`+sage+`' END)::numeric, amount = '0'
		FROM (VALUES (91, '1 day', 'released', '1', '10', 0), (91, '1 day', 'paid', '1', '8', 0), (92, '2 days', 'paid', '2', '5', 0), (94, '4 days', 'released', '4', '10', 0), (94, '4 days', 'paid', '4', '0', 0),
			(95, '6 days', 'released', '8', '8', 0), (96, '7 days', 'paid', '9', '3', 0), (97, '8 days', 'paid', '99', '4', 0)) e (block, age, kind, job, amount, place)`, alice)
	dbtest.Exec(t, database, `INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, block_number, status) VALUES
		($1, 5, 'staking', now() - interval '1 day', '0xc1', 91, 'confirmed'), ($1, 6, 'staking', now() - interval '2 days', '0xc2', 92, 'confirmed')`, alice)
	dbtest.Exec(t, database, `INSERT INTO stake_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, amount)
		VALUES (91, '0x' || lpad('91', 64, '0'), now() - interval '1 day', '0x' || lpad('c1', 64, '0'), '0x' || lpad('d3', 64, '0'), 0, 0, $1, 'rewards_claimed', 5)`, alice)
	compare(t, s, database)
	return s, database
}

// compare does what maintenance does every few seconds.
func compare(t *testing.T, s *Server, database string) {
	t.Helper()
	dbtest.Exec(t, database, "SELECT fold_payments()")
	s.observer.ForgetAll()
}

func paymentsPath(query string) string { return reconcilePath + "?wallet=" + string(alice) + query }

var (
	spaces    = regexp.MustCompile(`\s+`)
	markup    = regexp.MustCompile(`<[^>]*>`)
	tableBody = regexp.MustCompile(`(?s)<table class="list reconciled">.*?<tbody>(.*?)</tbody>`)
	tableRow  = regexp.MustCompile(`(?s)<tr>(.*?)</tr>`)
)

func words(markedUp string) string {
	return strings.TrimSpace(spaces.ReplaceAllString(strings.ReplaceAll(markup.ReplaceAllString(markedUp, " "), "\u00a0", ""), " "))
}

// listed are the rows of the list of payments, without their markup.
func listed(page string) (rows []string) {
	if m := tableBody.FindStringSubmatch(page); m != nil {
		for _, r := range tableRow.FindAllStringSubmatch(m[1], -1) {
			rows = append(rows, words(r[1]))
		}
	}
	return rows
}

func TestThePageOfPaymentsListsWhatDiffers(t *testing.T) {
	s, _ := paidServer(t)
	page := open(t, s, paymentsPath(""))
	text := words(page)
	for _, want := range []string{
		"5 differences Each is listed below", "can say why. Of 1 more job it is not known yet.",
		"Events known from block 7", "up to block 100", "Newer blocks 3",
		"different amount : where it comes from Both have a payment, and not of the same amount. 1 jobs: different amount 8 SAGE 5 SAGE −3 SAGE",
		"no event has it. 1 jobs: missing on chain 8 SAGE 0 SAGE −8 SAGE",
		"as paid. 2 jobs: missing in the database 0 SAGE 7 SAGE +7 SAGE",
		"Both have the same amount. 2 jobs: matched 16 SAGE 16 SAGE",
		"may still come. 1 jobs: awaited 8 SAGE 0 SAGE",
		"a contract could know. 2 jobs: not comparable 16 SAGE — unknown: What the chain has of these is not known.",
		"not known. 1 jobs: not known yet 8 SAGE — unknown: What the chain has of these is not known.",
		"All 10 64 SAGE — unknown: Not known of all of them.",
		"Missing on chain 1 Matched 1", "Database: 0.000000000000000006 SAGE · chain: — unknown: No event has it.", "No RewardsClaimed event of its transaction is on the chain as it is now.",
		"All that differ 4", "Different amount 1", "Missing on chain 1", "Missing in the database 2",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	rows := listed(page)
	for i, want := range []string{
		"2 d ago 0x2 different amount The chain has less than the database. 8 SAGE 5 SAGE paid 5 SAGE · 0x000000…abc2 (opens the block explorer) · block 92 (opens the block explorer)",
		"3 d ago 3 missing on chain No event in the blocks up to 100 tells of a payment for it to this wallet. 8 SAGE — unknown: No event tells of a payment for it. no event",
		"7 d ago 9 missing in the database The database has this job as failed. — unknown: The database has no payment for it. 3 SAGE paid 3 SAGE · ",
		"8 d ago 99 missing in the database The database has no completed job of this number with a payment to this wallet. — unknown: The database has no payment for it. 4 SAGE paid",
	} {
		if i >= len(rows) || !strings.HasPrefix(rows[i], want) {
			t.Fatalf("row %d of %q is not %q", i, rows, want)
		}
	}
	for _, want := range []string{
		`href="/jobs/0x2?wallet=` + string(alice) + `"`, `href="/jobs/9?wallet=`, `https://explorer.example/block/92`, `https://explorer.example/tx/0x` + strings.Repeat("0", 60) + "abc2",
		`hx-get="/partials/reconciliation?wallet=`, `hx-get="/partials/reconciled?wallet=`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(page, `href="/jobs/99`) {
		t.Error("a job that the database does not have has a link")
	}
	if strings.Contains(page, string(bob)) || strings.Contains(text, " 77 ") {
		t.Error("Bob's job is on Alice's page")
	}
}

func TestEachResultHasItsList(t *testing.T) {
	s, _ := paidServer(t)
	for class, want := range map[string][]string{
		"matched":             {"1 d ago 1 matched 8 SAGE 8 SAGE released 10 SAGE", "6 d ago 8 matched Compared with what JobManager released"},
		"different_amount":    {"2 d ago 0x2"},
		"missing_on_chain":    {"3 d ago 3 "},
		"missing_in_database": {"7 d ago 9 ", "8 d ago 99 "},
		"awaited":             {""}, // its words are seconds old
		"not_comparable":      {"4 d ago 4 not comparable It was paid privately: the amount is hidden. 8 SAGE — unknown: The amount is private. released 10 SAGE", "5 d ago job-7 not comparable Its identifier is no number"},
		"not_known_yet":       {"40 d ago 6 not known yet The job was completed before block 7"},
	} {
		page := open(t, s, paymentsPath("&class="+class))
		rows := listed(page)
		if len(rows) != len(want) {
			t.Errorf("%s lists %q", class, rows)
			continue
		}
		for i := range want {
			if !strings.HasPrefix(rows[i], want[i]) {
				t.Errorf("%s, row %d: %q, want %q", class, i, rows[i], want[i])
			}
		}
		if part := open(t, s, "/partials/reconciled?wallet="+string(alice)+"&class="+class); len(listed(part)) != len(want) {
			t.Errorf("the poll of %s lists %q", class, listed(part))
		}
	}
	for query, want := range map[string]string{"&class=nonsense": "query.class must be one of different_amount, missing_on_chain", "&before=nonsense": "query.before is no place in a list of payments"} {
		for _, path := range []string{paymentsPath(query), "/partials/reconciled?wallet=" + string(alice) + query, reconcilePath + "/export?format=csv&wallet=" + string(alice) + query} {
			if strings.Contains(path, "/export") && strings.HasPrefix(query, "&before") {
				want = "query.before is not known here" // it has all payments
			}
			if w := visit(s, path); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s answers %d %.200s", path, w.Code, w.Body)
			}
		}
	}
}

func TestOlderLeadsThroughAllPayments(t *testing.T) {
	s, database := paidServer(t)
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, completed_at)
		SELECT 1000 + n, $1, 'completed', 1, now() - interval '10 days', date_trunc('hour', now()) - interval '10 days' - n / 40 * interval '1 second' FROM generate_series(1, 130) n`, alice)
	compare(t, s, database)
	seen := map[string]bool{}
	pages := 0
	for next := paymentsPath("&class=missing_on_chain"); next != ""; pages++ {
		page := open(t, s, next)
		for _, row := range listed(page) {
			job := strings.Fields(row)[3]
			if seen[job] {
				t.Fatalf("job %s comes twice", job)
			}
			seen[job] = true
		}
		if polls := strings.Contains(page, "/partials/reconciled?"); polls != (pages == 0) {
			t.Errorf("page %d polls: %v", pages, polls)
		}
		next = follow(older, page)
	}
	if len(seen) != 131 || pages != 3 {
		t.Errorf("%d payments on %d pages", len(seen), pages)
	}
}

func TestPaymentsAreExported(t *testing.T) {
	s, _ := paidServer(t)
	export := func(query string) string {
		w := visit(s, reconcilePath+"/export?wallet="+string(alice)+query)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Disposition"), `attachment; filename="payments-0xa11-`) {
			t.Fatalf("%s: %d %v %.300s", query, w.Code, w.Header(), w.Body)
		}
		return w.Body.String()
	}
	page := open(t, s, paymentsPath(""))
	if m := regexp.MustCompile(`href="([^"]*)" download>CSV`).FindStringSubmatch(page); m == nil || !strings.Contains(m[1], "class=differing") {
		t.Errorf("the page leads to %v", m)
	}
	rows, err := csv.NewReader(strings.NewReader(export("&format=csv&class=differing"))).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatal(rows, err)
	}
	long := func(tail string) string { return "0x" + strings.Repeat("0", 64-len(tail)) + tail }
	for i, want := range []string{
		strings.Join(paymentHeader, "|"),
		"different_amount|0x2|2|*|8000000000000000000|8.000000000000000000|5000000000000000000|5.000000000000000000||5000000000000000000|" + long("abc2") + "|92|The chain has less than the database.|false",
		"missing_on_chain|3|3|*|8000000000000000000|8.000000000000000000|||||||No event in the blocks up to 100 tells of a payment for it to this wallet.|false",
		"missing_in_database|9|9|*|||3000000000000000000|3.000000000000000000||3000000000000000000|" + long("abc9") + "|96|The database has this job as failed.|false",
		"missing_in_database||99|*|||4000000000000000000|4.000000000000000000||4000000000000000000|" + long("abc99") + "|97|The database has no completed job of this number with a payment to this wallet.|false",
	} {
		if i > 0 {
			rows[i][3] = "*"
		}
		if got := strings.Join(rows[i], "|"); got != want {
			t.Errorf("row %d:\n got %s\nwant %s", i, got, want)
		}
	}
	var hidden exportedPayment
	if err := json.Unmarshal([]byte(strings.Split(export("&format=ndjson&class=not_comparable"), "\n")[0]), &hidden); err != nil {
		t.Fatal(err)
	}
	if hidden.Class != "not_comparable" || *hidden.JobID != "4" || hidden.OnChainWei != nil || hidden.PaidWei != nil || *hidden.ReleasedWei != "10000000000000000000" || len(hidden.Events) != 2 || hidden.Events[1].AmountWei != nil && hidden.Events[0].AmountWei != nil {
		t.Errorf("a private payment is exported as %+v", hidden)
	}
	if w := visit(s, reconcilePath+"/export?format=pdf&wallet="+string(alice)); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "must be csv or ndjson") {
		t.Errorf("another format answers %d %s", w.Code, w.Body)
	}
}

func TestTheAPITellsTheSameOfPayments(t *testing.T) {
	s, _ := paidServer(t)
	w := visit(s, "/api/validator/reconciliation?class=missing_in_database&limit=1", "X-Wallet-Address", string(alice), "Accept", "application/json")
	var out reconciliationJSON
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body, err)
	}
	got := ""
	for _, c := range out.Classes {
		chain := "?"
		if c.OnChainFormatted != nil {
			chain = *c.OnChainFormatted
		}
		got += fmt.Sprintf("%s %d %.1s/%.1s ", c.Class, *c.Jobs, *c.RecordedFormatted, chain)
	}
	if want := "different_amount 1 8/5 missing_on_chain 1 8/0 missing_in_database 2 0/7 matched 2 1/1 awaited 1 8/0 not_comparable 2 1/? not_known_yet 1 8/? "; got != want {
		t.Errorf("got %s want %s", got, want)
	}
	if *out.Differing != 5 || *out.Coverage.FromBlock != 7 || *out.Coverage.ToBlock != 100 || *out.Coverage.HeadBlock != 103 || out.Coverage.Error != nil || out.Coverage.WaitingSince != nil {
		t.Errorf("%d differ, known is %+v", *out.Differing, out.Coverage)
	}
	if len(out.Payments) != 1 || *out.Payments[0].JobID != "9" || len(out.Claims) != 2 || out.Claims[0].Class != "matched" || out.Claims[1].Class != "missing_on_chain" {
		t.Errorf("payments %+v, claims %+v", out.Payments, out.Claims)
	}
}

func TestAJobsPageTellsItsPaymentOnChain(t *testing.T) {
	s, _ := paidServer(t)
	for id, want := range map[string]string{
		"1":     "Payment on chain matched 8 SAGE released 10 SAGE · 0x000000…abc1",
		"0x2":   "Payment on chain different amount 5 SAGE The chain has less than the database. paid 5 SAGE",
		"3":     "Payment on chain missing on chain — unknown: No event tells of a payment for it. No event in the blocks up to 100",
		"5":     "Payment on chain awaited",
		"6":     "Payment on chain not known yet",
		"job-7": "Payment on chain not comparable",
		"9":     "Payment on chain missing in the database 3 SAGE The database has this job as failed.",
	} {
		page := open(t, s, "/jobs/"+url.PathEscape(id)+"?wallet="+string(alice))
		if text := words(page); !strings.Contains(text, want) {
			t.Errorf("job %s does not say %q: %s", id, want, text)
		}
		if !strings.Contains(page, reconcilePath) {
			t.Errorf("job %s does not lead to all payments", id)
		}
	}
}

func TestWhatIsKnownOfPaymentsIsSaid(t *testing.T) {
	s, database := paidServer(t)
	dbtest.Exec(t, database, "UPDATE chain_index_contracts SET block_number = NULL, block_hash = NULL, block_time = NULL WHERE contract_address = $1", string(payer(2)))
	compare(t, s, database)
	text := words(open(t, s, paymentsPath("&class=not_known_yet")))
	if !strings.Contains(text, "The events of PaymentRouter have not been read yet.") || strings.Contains(text, "Newer blocks") {
		t.Errorf("without events the page says %s", text)
	}
	if rows := listed(open(t, s, paymentsPath("&class=missing_on_chain"))); len(rows) != 0 {
		t.Errorf("without events there is missing %q", rows)
	}
	dbtest.Exec(t, database, "INSERT INTO payment_changes (worker_address, job_key, jobs, changed_at) VALUES ($1, 'x', 0, now() - interval '1 hour')", string(bob))
	dbtest.Exec(t, database, "UPDATE chain_index_contracts SET block_number = 100, block_hash = '0x' || lpad('64', 64, '0'), block_time = now() - interval '2 hours' WHERE contract_address = $1", string(payer(2)))
	s.observer.ForgetAll()
	if text := words(open(t, s, paymentsPath(""))); !strings.Contains(text, "Changes wait to be compared since 1 h ago") {
		t.Errorf("that nothing is compared is not said: %s", text)
	}
	bare := newServer(t, s.db)
	if text := words(open(t, bare, paymentsPath("&class=not_known_yet"))); !strings.Contains(text, "No address of JobManager or PaymentRouter is configured") {
		t.Errorf("without contracts the page says %s", text)
	}
	away := newServer(t, dbtest.Run(t, db.Config{URL: "postgres://nobody@127.0.0.1:1/none"}))
	if page := open(t, away, paymentsPath("")); strings.Count(page, "Payments unknown") != 2 || strings.Contains(page, "tab-count") {
		t.Errorf("without a database the page says %s", words(page))
	}
}

// TestAPaymentThatIsNotComparedYetIsNotMissing, though the index has stored its event.
func TestAPaymentThatIsNotComparedYetIsNotMissing(t *testing.T) {
	s, database := paidServer(t)
	pay := func(worker validator.Address, block, job, age string) {
		dbtest.Exec(t, database, `INSERT INTO chain_payments (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, job_id, amount, private)
			VALUES ($1::text::bigint, '0x' || lpad($1::text, 64, '0'), now() - $2::text::interval, '0x' || lpad('f', 64, '0'), $3, 0, 0, $4, 'paid', $5, 8000000000000000000, false)`, block, age, string(payer(2)), string(worker), job)
		s.observer.ForgetAll()
	}
	missing := func() int { return len(listed(open(t, s, paymentsPath("&class=missing_on_chain")))) }
	pay(bob, "93", "77", "3 days")
	pay(alice, "99", "5", "1 second")
	if n := missing(); n != 1 {
		t.Errorf("while later payments and others' wait, %d payments are missing", n)
	}
	pay(alice, "98", "3", "3 days")
	if n := missing(); n != 0 {
		t.Errorf("a payment that waits to be compared is missing")
	}
	rows := strings.Join(listed(open(t, s, paymentsPath("&class=not_known_yet"))), "\n")
	if !strings.Contains(rows, "3 d ago 3 not known yet Payments are still being compared.") {
		t.Errorf("not known yet are %q", rows)
	}
	compare(t, s, database)
	if rows := strings.Join(listed(open(t, s, paymentsPath("&class=matched"))), "\n"); missing() != 0 || !strings.Contains(rows, "3 d ago 3 matched") {
		t.Errorf("compared, there match %q", rows)
	}
}

func TestProvenanceOfWhatWasCompared(t *testing.T) {
	s, _ := paidServer(t)
	for _, class := range validator.ReconcileClasses {
		page := open(t, s, "/partials/provenance?wallet="+string(alice)+"&of=reconciled."+string(class))
		for _, want := range []string{"reconciled_jobs", "State in reconciled_jobs", "FROM reconciled_jobs", "WorkerPaid", string(alice)} {
			if !strings.Contains(page, want) {
				t.Errorf("the provenance of %s does not name %s", class, want)
			}
		}
	}
	if w := visit(s, "/partials/provenance?wallet="+string(alice)+"&of=reconciled.nonsense"); w.Code != http.StatusNotFound {
		t.Errorf("an unknown class answers %d", w.Code)
	}
}

package program

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// manyJobs are jobs as a year leaves them, the newest of them now.
const manyJobs = `INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, error_message, gpu_uuid, tx_hash, created_at, assigned_at, completed_at)
	SELECT (1048231 - n)::text, '0x123', (ARRAY['inference', 'zk-proof', 'rendering'])[1 + n % 3], CASE n % 9 WHEN 5 THEN 'failed' ELSE 'completed' END,
	       CASE n % 9 WHEN 5 THEN NULL ELSE 1234567890123456789 + n * 97531246801357 END, CASE n % 9 WHEN 5 THEN 'CUDA error: out of memory' END,
	       'GPU-' || n % 4, '0x' || md5(n::text), now() - n * interval '7 minutes', now() - n * interval '7 minutes' + interval '3 s', now() - n * interval '6 minutes'
	FROM generate_series(1, 180) n`

func TestTheJobsPageFollowsOnlyTheNewest(t *testing.T) {
	t.Parallel()
	db := dbtest.NewURL(t)
	database(t, db, manyJobs)
	p := start(t, "DATABASE_URL="+db, "VALIDATOR_ADDRESS="+string(wallet))
	ctx, console := browser(t, 1200, 800)
	visit(t, ctx, p.URL+"/")
	until(t, ctx, `document.querySelector('#jobs a[href="/jobs/1048230"]') !== null && document.querySelector('#jobs .more[href="/jobs"]') !== null`)

	// What the reader types and opens stays while rows arrive.
	press(t, ctx, "/")
	arrives(t, ctx, `location.pathname === "/jobs" && document.activeElement.matches("[data-search]")`)
	press(t, ctx, "out o")
	database(t, db, runningJob("seen-live"))
	until(t, ctx, `document.querySelector("#joblist tbody tr").innerText.includes("seen-live")`)
	if typed := evaluate[string](t, ctx, "document.activeElement.value"); typed != "out o" {
		t.Errorf("after a poll the field holds %q", typed)
	}

	// The row that is read stays where it is, by whatever it is read and however far up.
	first := `document.querySelector("#joblist tbody tr").innerText.includes`
	row := `document.getElementById("job-1048220")`
	for i, reads := range []string{row + `.querySelector("a").focus({preventScroll: true})`, `document.activeElement.blur(); getSelection().selectAllChildren(` + row + `)`, `getSelection().empty(); scrollTo(0, document.querySelector("#joblist tbody").getBoundingClientRect().top + scrollY + 70)`} {
		evaluate[chromedp.Void](t, ctx, reads)
		top := evaluate[float64](t, ctx, row+".getBoundingClientRect().top")
		database(t, db, runningJob(fmt.Sprint("while-read-", i)))
		until(t, ctx, first+fmt.Sprintf(`("while-read-%d")`, i))
		if now := evaluate[float64](t, ctx, row+".getBoundingClientRect().top"); now < top-1 || now > top+1 {
			t.Errorf("a row that came moved the one that is read from %v to %v px (%s)", top, now, reads)
		}
	}
	evaluate[chromedp.Void](t, ctx, `scrollTo(0, 0)`)
	database(t, db, runningJob("not-read"))
	until(t, ctx, first+`("not-read")`)
	if y := evaluate[float64](t, ctx, "scrollY"); y != 0 {
		t.Errorf("nobody reads a row, and the page was moved to %v", y)
	}
	evaluate[chromedp.Void](t, ctx, `document.querySelector("[data-search]").focus(); document.querySelector("[data-search]").setSelectionRange(5, 5)`)

	// Older pages and searches stand still: they do not ask at all.
	press(t, ctx, "f\r")
	arrives(t, ctx, `location.search.includes("q=out+of") && document.querySelectorAll("#joblist tbody tr").length === 20`)
	if evaluate[bool](t, ctx, `document.querySelector("#joblist").hasAttribute("hx-get")`) {
		t.Error("a search is polled")
	}
	do(t, ctx, chromedp.Click(chromedp.CSS(".job-search a.quiet")))
	arrives(t, ctx, `location.href.endsWith("/jobs")`)
	do(t, ctx, chromedp.Click(chromedp.CSS("a[rel=next]")))
	arrives(t, ctx, `location.search.startsWith("?before=")`)
	if evaluate[bool](t, ctx, `document.querySelector("#joblist").hasAttribute("hx-get")`) {
		t.Error("an older page is polled")
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("a[rel=prev]")))
	arrives(t, ctx, `location.href.endsWith("/jobs") && document.querySelector("#joblist tbody tr").innerText.includes("not-read")`)

	// A job's page follows it to its end.
	do(t, ctx, chromedp.Click(chromedp.CSS(`a[href="/jobs/seen-live"]`)))
	arrives(t, ctx, `location.pathname === "/jobs/seen-live" && document.querySelector(".timeline").innerText.includes("Running")`)
	database(t, db, `UPDATE jobs SET status = 'completed', completed_at = now(), payment_amount = 98765432109876543210 WHERE job_id = 'seen-live'`)
	until(t, ctx, `document.querySelector(".timeline").innerText.includes("Completed") && document.querySelector(".job-payment").innerText.includes("98.76543210987654321")`)
	do(t, ctx, chromedp.KeyEvent(kb.Escape))
	noErrors(t, console())
}

func TestJobsWithoutScripts(t *testing.T) {
	t.Parallel()
	db := dbtest.NewURL(t)
	database(t, db, manyJobs)
	p := start(t, "DATABASE_URL="+db)
	ctx, _ := browser(t, 500, 800)
	do(t, ctx, withoutScripts(), chromedp.Navigate(p.URL+"/jobs?wallet=0x123&state=failed"), chromedp.WaitReady(chromedp.CSS("main")))
	do(t, ctx, chromedp.SetValue(chromedp.CSS("[data-search]"), "memory"), chromedp.Submit(chromedp.CSS(".job-search")))
	arrives(t, ctx, `location.search.includes("q=memory") && location.search.includes("state=failed") && location.search.includes("wallet=0x") && document.querySelectorAll("#joblist tbody tr").length === 20`)
	do(t, ctx, chromedp.Click(chromedp.CSS("#joblist tbody a")))
	arrives(t, ctx, `document.querySelector(".job-message")?.innerText === "CUDA error: out of memory"`)
	if evaluate[bool](t, ctx, `[...document.querySelectorAll("[data-copy-text]")].some(b => b.checkVisibility())`) {
		t.Error("a button that needs scripts is shown")
	}
	for _, path := range []string{"/jobs?wallet=0x123", "/jobs?wallet=0x123&q=nothing+like+this", "/jobs/1048230?wallet=0x123", "/jobs/1048226?wallet=0x123"} {
		do(t, ctx, chromedp.Navigate(p.URL+path), chromedp.WaitReady(chromedp.CSS("main")))
		if wide := evaluate[float64](t, ctx, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
			t.Errorf("%s is %v px too wide", path, wide)
		}
	}
}

func TestPollsOfJobsStayInTheirBudget(t *testing.T) {
	db := dbtest.NewURL(t)
	database(t, db, manyJobs)
	p := start(t, "DATABASE_URL="+db, "VALIDATOR_ADDRESS="+string(wallet))
	for _, path := range []string{"/partials/joblist?wallet=" + url.QueryEscape(string(wallet)), "/partials/job?id=1048226&wallet=" + url.QueryEscape(string(wallet))} {
		whole := p.wire(t, path, "HX-Request", "true")
		again := p.wire(t, path, "HX-Request", "true", "If-None-Match", whole.header.Get("ETag"))
		t.Logf("%d bytes: %s", len(whole.body), path)
		if whole.status != http.StatusOK || len(whole.body) > partialBudget || again.status != http.StatusNotModified {
			t.Errorf("%s: %d with %d bytes, at most %d are meant; asked again: %d", path, whole.status, len(whole.body), partialBudget, again.status)
		}
	}
}

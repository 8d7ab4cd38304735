package program

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
)

// post submits a page's form by its button and waits for a page that fits.
func (g *gate) post(button, then string) {
	g.Helper()
	g.click(button)
	arrives(g.T, g.tab, then)
}

func TestSettingsInABrowser(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	w := g.newWallet(true)
	g.open("/settings")
	g.clickWallet()
	g.landed("/settings", w)

	g.Run("sessions and tokens on screens of every width", func(t *testing.T) {
		for _, width := range []int64{360, 820, 1440} {
			for _, scheme := range []string{"light", "dark"} {
				see(t, g.tab, width, 900, scheme)
				g.in(t).open("/settings")
				for _, v := range violations(t, g.tab) {
					t.Errorf("%d %s: %s", width, scheme, v)
				}
				if over := evaluate[int](t, g.tab, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%d pixels wide, the page is %d too wide", width, over)
				}
			}
		}
		see(t, g.tab, 1280, 900, "light")
	})

	g.Run("a token is made, shown once, used and revoked", func(t *testing.T) {
		g := g.in(t)
		g.open("/settings")
		do(t, g.tab, chromedp.SendKeys(chromedp.CSS("#token-name"), "nightly"))
		g.post("#new-token button", `document.querySelector("#token-secret")?.value.startsWith("bsg_")`)
		secret := g.evaluate(`document.querySelector("#token-secret").value`)
		if got := g.p.StatusWithToken(t, secret, http.MethodGet, "/api/validator/status", ""); got != http.StatusOK {
			t.Errorf("the token is answered %d", got)
		}
		for _, v := range violations(t, g.tab) {
			t.Error(v)
		}
		g.open("/settings")
		if page := g.evaluate(`document.querySelector("main").innerHTML`); strings.Contains(page, secret) || !strings.Contains(page, "nightly") {
			t.Error("the token's row is not there, or shows its secret")
		}
		g.post(`form[action="/settings/tokens/revoke"] button`, `location.pathname === "/settings" && !document.querySelector('form[action="/settings/tokens/revoke"]')`)
		if got := g.p.StatusWithToken(t, secret, http.MethodGet, "/api/validator/status", ""); got != http.StatusUnauthorized {
			t.Errorf("the revoked token is answered %d", got)
		}
	})

	g.Run("a session that ends while the page polls", func(t *testing.T) {
		g := g.in(t)
		g.open("/jobs")
		until(t, g.tab, `document.querySelector("[data-poll]") !== null`)
		before := g.evaluate(`document.querySelector("main").innerText`)
		dbtest.Exec(t, g.data, "DELETE FROM sessions")
		until(t, g.tab, `document.querySelector('[data-banner="refused"]').checkVisibility()`)
		if location := g.evaluate(`location.pathname`); location != "/jobs" {
			t.Errorf("the page went to %s", location)
		}
		if heading := strings.SplitN(before, "\n", 2)[0]; !strings.Contains(g.evaluate(`document.querySelector("main").innerText`), heading) {
			t.Error("the page lost what it showed")
		}
		g.click(`[data-banner="refused"] a`)
		arrives(t, g.tab, `location.pathname === "/signin"`)
		g.wallet.becomes(w) // counts its signatures anew
		g.clickWallet()
		g.landed("/jobs", w)
	})

	g.Run("signing out", func(t *testing.T) {
		g := g.in(t)
		g.post(`form[action="/signout"] button`, `location.pathname === "/signin"`)
		g.open("/jobs")
		if location := g.evaluate(`location.pathname + location.search`); location != "/signin?next=%2Fjobs" {
			t.Errorf("signed out, the jobs lead to %s", location)
		}
	})

	for _, line := range g.said() {
		if !strings.Contains(line, "the server responded with a status of") && (strings.HasPrefix(strings.ToLower(line), "error") || strings.Contains(line, "Content Security Policy")) {
			t.Error("console:", line)
		}
	}
}

// TestASignInThatCannotBeCheckedLeavesThePage as it was, greyed, and it goes on by itself.
func TestASignInThatCannotBeCheckedLeavesThePage(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	w := g.newWallet(true)
	g.open("/signin?next=/jobs")
	g.clickWallet()
	g.landed("/jobs", w)
	until(t, g.tab, `document.querySelector("[data-poll]") !== null`)
	heading := g.evaluate(`document.querySelector("main h1, main h2").innerText`)
	conn, err := pgx.Connect(t.Context(), g.data)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	harness.Within(t, 90*time.Second, "the page says that the sign-in cannot be checked", func() bool {
		return evaluate[bool](t, g.tab, shown("unchecked")+` && document.documentElement.classList.contains("lost-contact") && !`+shown("lost")+" && !"+shown("refused"))
	})
	if kept := g.evaluate(`document.querySelector("main").innerText`); !strings.Contains(kept, heading) || g.evaluate(`location.pathname`) != "/jobs" {
		t.Errorf("the page lost what it showed: %s", kept)
	}
	if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	until(t, g.tab, "!"+shown("unchecked")+` && !document.documentElement.classList.contains("lost-contact")`)
	if who := g.evaluate(`document.documentElement.dataset.signedIn`); who != string(w.Address()) {
		t.Errorf("%q is signed in", who)
	}
}

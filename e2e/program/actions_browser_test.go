package program

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// newWorker gives the tab a wallet that has staked for a month and signs it in.
func (g *gate) newWorker(stake int64) *devchain.Wallet {
	g.Helper()
	w := g.newWallet(true)
	g.chain.SetBalance(w.Address(), validator.WeiFromSAGE(stake+2_000))
	g.chain.Stake(w.Address(), validator.WeiFromSAGE(stake), validator.TierEnterprise)
	g.chain.MineAt(g.chain.Head().Time.Add(time.Second))
	g.chain.Mine()
	g.open("/signin?next=/stake")
	g.clickWallet()
	g.landed("/stake", w)
	g.says("Claimable now")
	g.staked("2,000")
	return w
}

// staked waits until an amount stands among the figures of the stake's page.
func (g *gate) staked(amount string) {
	g.Helper()
	until(g.T, g.tab, fmt.Sprintf(`[...document.querySelectorAll("#stake-state data")].some((e) => e.textContent.startsWith(%q))`, amount))
}

// says waits until the page says something that a reader sees.
func (g *gate) says(words ...string) {
	g.Helper()
	for _, w := range words {
		until(g.T, g.tab, fmt.Sprintf(`document.querySelector("main").innerText.replace(/\s+/g, " ").includes(%q)`, w))
	}
}

// confirms clicks on the wallet once the preview has something to sign.
func (g *gate) confirms() {
	g.Helper()
	until(g.T, g.tab, `document.querySelector("[data-calls]") !== null`)
	g.clickWallet()
}

// asks checks how many transactions the wallet was asked to send.
func (g *gate) asks(want int) {
	g.Helper()
	if n := g.wallet.transactions(); n != want {
		g.Errorf("the wallet was asked for %d transactions, want %d", n, want)
	}
}

func TestClaimingInABrowser(t *testing.T) {
	g := newGate(t)

	g.Run("from the click to the confirmed amount", func(t *testing.T) {
		g := g.in(t)
		g.newWorker(12_000)
		g.click("#stake-state [data-claim]")
		arrives(t, g.tab, `location.pathname === "/stake/claim"`)
		g.says("You receive", "Fee, estimated", "STRK", "Tried out on block")
		if n := g.wallet.transactions(); n != 0 {
			t.Errorf("the preview asked the wallet for %d transactions", n)
		}
		g.confirms()
		arrives(t, g.tab, `location.search.includes("tx=0x")`)
		g.says("Your claim is on its way", "Waiting for a block that holds it")
		g.asks(1)

		// Elsewhere the button is locked, and a reload, here too, changes nothing.
		g.open("/stake")
		until(t, g.tab, `document.querySelector("#stake-state .act button")?.disabled === true && document.querySelector("#stake-state [data-claim]") === null`)
		g.open("/stake/claim")
		arrives(t, g.tab, `location.search.includes("tx=0x")`)
		g.says("Your claim is on its way")
		if evaluate[bool](t, g.tab, `document.querySelector("#wallets") !== null`) {
			t.Error("a second claim can be signed while the first is on its way")
		}

		tx := validator.Felt(g.evaluate(`new URLSearchParams(location.search).get("tx")`))
		b := g.chain.Mine()
		g.says("Your claim has arrived", "by the RewardsClaimed event", fmt.Sprintf("Block %d", b.Number))
		paid := ""
		for _, e := range g.chain.Emitted() {
			if e.From == g.chain.Contracts().ProverStaking && e.TxHash.Short() == tx.Short() {
				paid = validator.WeiFromBig(e.Data[0].Big()).Format()
			}
		}
		if paid == "" {
			t.Fatal("the chain has no event of the claim")
		}
		g.says(paid)
		g.open("/stake")
		until(t, g.tab, `document.querySelector("#stake-state [data-claim]") !== null`)
	})

	g.Run("a claim that would revert asks no wallet", func(t *testing.T) {
		g := g.in(t)
		g.newWorker(12_000)
		g.chain.SetAllowance(devchain.Treasury, g.chain.Contracts().ProverStaking, validator.Wei{})
		g.chain.Mine()
		g.open("/stake/claim")
		g.says("Nothing to sign: it would fail", "The treasury allows ProverStaking to pay out less SAGE", "rewards go on accruing", "ERC20: insufficient allowance")
		if evaluate[bool](t, g.tab, `document.querySelector("[data-calls]") !== null || document.querySelector("#wallets").checkVisibility()`) {
			t.Error("it can be signed all the same")
		}
		g.asks(0)
		g.chain.SetAllowance(devchain.Treasury, g.chain.Contracts().ProverStaking, validator.WeiFromSAGE(1_000_000))
		g.chain.Mine()
		g.click("[data-try-again]")
		g.says("You receive")
	})

	g.Run("what keeps the wallet from it", func(t *testing.T) {
		g := g.in(t)
		w := g.newWorker(12_000)
		g.open("/stake/claim")
		w.Refuse(true)
		g.confirms()
		g.problem("refused")
		w.Refuse(false)
		g.wallet.tells("0x534e5f4d41494e", true)
		g.again("refused")
		g.problem("network")
		g.click("#network [data-switch]")
		g.problem("no-switch")
		asked := g.wallet.transactions()
		other, err := devchain.NewWallet(g.chain, devchain.WalletConfig{Seed: "another account"})
		if err != nil {
			t.Fatal(err)
		}
		g.wallet.becomes(other)
		g.again("no-switch")
		g.problem("account")
		if n := g.wallet.transactions(); n != 0 || asked > 1 {
			t.Errorf("asked %d times before and %d times with another account", asked, n)
		}
		g.wallet.becomes(w)
		g.again("account")
		arrives(t, g.tab, `location.search.includes("tx=0x")`)
		g.asks(1)
		g.chain.Mine()
		g.says("Your claim has arrived")
	})

	g.Run("one that reverts after all says why", func(t *testing.T) {
		g := g.in(t)
		g.newWorker(12_000)
		g.open("/stake/claim")
		g.confirms()
		arrives(t, g.tab, `location.search.includes("tx=0x")`)
		g.chain.SetAllowance(devchain.Treasury, g.chain.Contracts().ProverStaking, validator.Wei{})
		g.chain.Mine()
		g.says("Your claim failed", "Nothing was paid", "insufficient allowance", "The treasury allows ProverStaking to pay out less SAGE")
		g.chain.SetAllowance(devchain.Treasury, g.chain.Contracts().ProverStaking, validator.WeiFromSAGE(1_000_000))
		g.chain.Mine()
	})

	g.Run("what was sent is not lost", func(t *testing.T) {
		g := g.in(t)
		w := g.newWorker(12_000)
		g.open("/stake/claim")
		evaluate[chromedp.Void](t, g.tab, `window.fetch = ((f) => (url, ...more) => String(url).includes("claim-reward") ? Promise.reject(new Error("lost")) : f(url, ...more))(window.fetch)`)
		g.confirms()
		g.problem("lost")
		if !evaluate[bool](t, g.tab, `document.querySelector("#wallets button").disabled`) {
			t.Error("it can be sent a second time")
		}
		g.again("lost")
		g.problem("lost")
		g.open("/stake/claim") // where the server learns of it
		arrives(t, g.tab, `location.search.includes("tx=0x")`)
		g.asks(1)
		g.chain.Mine()
		g.says("Your claim has arrived")

		// Signed out in the middle, one signs in and comes back to it.
		g.chain.Mine()
		g.open("/stake/claim")
		until(t, g.tab, `document.querySelector("[data-calls]") !== null`)
		dbtest.Exec(t, g.data, "DELETE FROM sessions")
		g.clickWallet()
		g.problem("signed-out")
		g.asks(2)
		g.click("#signed-out a")
		arrives(t, g.tab, `location.pathname === "/signin"`)
		g.wallet.becomes(w) // its signatures are counted anew
		g.clickWallet()
		arrives(t, g.tab, `location.pathname === "/stake/claim" && location.search.includes("tx=0x")`)
		g.chain.Mine()
		g.says("Your claim has arrived")
		g.asks(0)
	})

	g.Run("no node simulates", func(t *testing.T) {
		g := g.in(t)
		g.newWorker(12_000)
		missing := devchain.RPCError{Code: -32601, Message: "Method not found"}
		g.node.SetFaults(devchain.Faults{Methods: map[string]devchain.RPCError{"starknet_simulateTransactions": missing, "starknet_estimateFee": missing}})
		defer g.node.Heal()
		g.open("/stake/claim")
		g.says("This could not be tried out first", "You receive")
	})

	g.quiet()
}

func TestChangingTheStakeInABrowser(t *testing.T) {
	g := newGate(t)
	g.newWorker(12_000)

	g.Run("stake more", func(t *testing.T) {
		g := g.in(t)
		g.open("/stake")
		do(t, g.tab, chromedp.SendKeys(chromedp.CSS("#more-amount"), "5,000"), chromedp.Click(chromedp.CSS(`#stake-actions form[action="/stake/more"] button`)))
		arrives(t, g.tab, `location.pathname === "/stake/more"`)
		g.says("Amount must be a number of SAGE")
		for entered, says := range map[string]string{
			"5000":                   "Amount must be at most what the wallet holds, 2,000 SAGE",
			"0":                      "Amount must be more than 0",
			"100&tier=4":             "Amount must be at least 13,000 SAGE, with which the stake reaches the Frontier tier's minimum of 25,000 SAGE",
			"100&tier=7":             "Tier must be a number from 0 (Consumer) to 4 (Frontier)",
			"1.0000000000000000001":  "at most 18 decimals",
			"-5":                     "Amount must be a number of SAGE",
			"1000000000000000000000": "at most what the wallet holds",
		} {
			g.open("/stake/more?amount=" + entered)
			g.says(says)
			if evaluate[bool](t, g.tab, `document.querySelector("#preview") !== null`) {
				t.Errorf("%q is previewed", entered)
			}
		}
		g.asks(0)
		g.open("/stake")
		do(t, g.tab, chromedp.SendKeys(chromedp.CSS("#more-amount"), "750.5"), chromedp.Click(chromedp.CSS(`#stake-actions form[action="/stake/more"] button`)))
		arrives(t, g.tab, `location.pathname === "/stake/more"`)
		g.says("Leaves the wallet 750.5 SAGE", "Staked afterwards 12,750.5 SAGE", "comes out in parts only")
		if calls := g.evaluate(`[...document.querySelectorAll(".calls code")].map((e) => e.textContent).join()`); calls != "approve,stake" {
			t.Errorf("it is to sign %s", calls)
		}
		g.confirms()
		arrives(t, g.tab, `location.search.includes("tx=0x")`)
		g.says("On its way: stake more")
		do(t, g.tab, chromedp.Reload(), chromedp.WaitReady(chromedp.CSS("#track")))
		g.chain.Mine()
		g.says("Done: stake more")
		g.asks(1)
		g.open("/stake")
		g.says("12,750.5 SAGE in all")
		g.staked("12,750.5")
	})

	g.Run("request an unstake and try to complete it", func(t *testing.T) {
		g := g.in(t)
		g.open("/stake/unstake?amount=10000")
		g.says("Amount must be less than 10,000 SAGE", "cannot be taken back")
		g.open("/stake/unstake?amount=13000")
		g.says("Amount must be at most what is staked, 12,750.5 SAGE")
		g.open("/stake/unstake?amount=4000")
		g.says("On its way out 4,000 SAGE", "It is locked for 7 d and can be slashed all that time", "1,249.5 SAGE below the Enterprise tier's minimum", "Only stake() makes it active again")
		before := g.wallet.transactions()
		g.confirms()
		arrives(t, g.tab, `location.search.includes("tx=0x")`)
		g.chain.Mine()
		g.says("Done: request an unstake")
		g.asks(before + 1)
		g.open("/stake")
		g.staked("4,000")
		g.open("/stake/unstake?amount=1")
		g.says("Nothing to sign: it would fail", "there can be only one at a time")
		g.open("/stake/complete")
		g.says("Nothing to sign: it would fail", "The unstake is still locked")
		g.asks(before + 1)
		g.chain.MineAt(g.chain.Head().Time.Add(8 * 24 * time.Hour))
		g.click("[data-try-again]")
		g.says("You receive 4,000 SAGE", "the worker is inactive")
		g.confirms()
		arrives(t, g.tab, `location.search.includes("tx=0x")`)
		g.chain.MineAt(g.chain.Head().Time.Add(time.Second))
		g.says("Done: complete an unstake")
	})

	g.Run("for everybody, on a phone", func(t *testing.T) {
		g := g.in(t)
		for _, width := range []int64{1280, 360} {
			for _, scheme := range []string{"dark", "light"} {
				see(t, g.tab, width, 900, scheme)
				for _, path := range []string{"/stake", "/stake/claim", "/stake/more?amount=1e3", "/stake/more?amount=100&tier=1", "/stake/complete"} {
					g.open(path)
					until(t, g.tab, `document.querySelector("#preview") === null || document.querySelector("#preview .skeleton") === null`)
					evaluate[chromedp.Void](t, g.tab, `document.querySelectorAll("[data-problem], [data-step]").forEach((e) => { e.hidden = false; }); document.querySelectorAll("#action details").forEach((e) => { e.open = true; })`)
					for _, v := range violations(t, g.tab) {
						t.Errorf("%s at %d px, %s: %s", path, width, scheme, v)
					}
					for _, e := range evaluate[[]string](t, g.tab, tooWide) {
						t.Errorf("%s at %d px, too wide: %s", path, width, e)
					}
				}
			}
		}
	})

	g.quiet()
}

func TestClaimingNeedsASignIn(t *testing.T) {
	g := newGate(t)
	w := g.newWallet(true)
	g.open("/stake/claim")
	arrives(t, g.tab, `location.pathname + location.search === "/signin?next=%2Fstake%2Fclaim"`)
	g.clickWallet()
	g.landed("/stake/claim", w)
	g.says("There is nothing to claim")
	g.asks(0)
}

func TestTheDemosWalletClaims(t *testing.T) {
	t.Parallel()
	p := startDemo(t, dbtest.Dir(t))
	tab, said := browser(t, 1280, 900)
	do(t, tab, chromedp.Navigate(p.URL+"/"), chromedp.WaitReady(chromedp.CSS("#rewards [data-claim]")))
	do(t, tab, chromedp.Click(chromedp.CSS("#rewards [data-claim]")))
	arrives(t, tab, `location.pathname === "/stake/claim"`)
	until(t, tab, `document.querySelector("[data-calls]") !== null && document.querySelector("#wallets .wallet")?.checkVisibility()`)
	do(t, tab, chromedp.Click(chromedp.CSS("#wallets .wallet")))
	arrives(t, tab, `location.search.includes("tx=0x")`)
	until(t, tab, `document.querySelector("main").innerText.includes("Your claim has arrived")`)
	complain(t, said())
}

// quiet fails for what the console has complained of.
func (g *gate) quiet() {
	g.Helper()
	complain(g.T, g.said())
}

func complain(t *testing.T, said []string) {
	t.Helper()
	for _, line := range said {
		if strings.Contains(line, "the server responded with a status of") {
			continue // a form that was entered wrongly, and had its words
		}
		if strings.HasPrefix(strings.ToLower(line), "error") || strings.Contains(line, "Content Security Policy") {
			t.Error("console:", line)
		}
	}
}

// A claim is in the database: whichever server is asked goes on with it.
func TestAClaimOutlivesTheServer(t *testing.T) {
	c, env := devnet(t)
	w, err := devchain.NewWallet(c, devchain.WalletConfig{Seed: "outlives"})
	if err != nil {
		t.Fatal(err)
	}
	w.Deploy()
	c.SetBalance(w.Address(), validator.WeiFromSAGE(12_000))
	c.Mine()
	c.Stake(w.Address(), validator.WeiFromSAGE(12_000), validator.TierEnterprise)
	c.Mine()
	env = append(env, "DATABASE_URL="+dbtest.NewURL(t))
	p := start(t, env...)
	tx := c.ClaimRewards(w.Address())
	if code, b := p.Call(t, http.MethodPost, "/api/worker/claim-reward", string(w.Address()), `{"tx_hash":"`+tx.Short()+`"}`); code != http.StatusAccepted {
		t.Fatalf("%d %s", code, b)
	}
	if err := p.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = p.Cmd.Process.Wait()
	p = start(t, env...)
	says := func(words string) func() bool {
		return func() bool {
			_, b := p.Call(t, http.MethodGet, "/stake/claim?wallet="+string(w.Address())+"&tx="+tx.Short(), "", "")
			return strings.Contains(text(b), words)
		}
	}
	harness.Eventually(t, "the claim on its way", says("Your claim is on its way"))
	if _, b := p.Call(t, http.MethodGet, "/stake/claim?wallet="+string(w.Address()), "", ""); !strings.Contains(text(b), "Your claim is on its way") {
		t.Error("a second claim is offered while the first is on its way")
	}
	c.Mine()
	harness.Eventually(t, "the claim's arrival", says("Your claim has arrived"))
}

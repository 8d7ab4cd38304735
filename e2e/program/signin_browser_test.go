package program

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// gate is a server that shows nothing without a sign-in, and a tab with a wallet before it.
type gate struct {
	*testing.T
	chain  *devchain.Chain
	node   *devchain.Node
	p      *program
	data   string // the database's URL
	tab    context.Context
	said   func() []string
	wallet *pageWallet
	made   int
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{T: t, chain: devchain.New(devchain.Config{}), wallet: &pageWallet{}, data: dbtest.NewURL(t)}
	g.node = devchain.NewNode(g.chain)
	srv := httptest.NewServer(g.node)
	t.Cleanup(srv.Close)
	at := g.chain.Contracts()
	g.p = start(t, "STARKNET_RPC="+srv.URL, "DATABASE_URL="+g.data, "LOCAL_ACCESS=false",
		"PROVER_STAKING_ADDRESS="+string(at.ProverStaking), "SAGE_TOKEN_ADDRESS="+string(at.SAGEToken))
	g.tab, g.said = browser(t, 1280, 900)
	g.wallet.inject(t, g.tab)
	return g
}

// newWallet gives the tab a wallet of its own, whose account is deployed or not.
func (g *gate) newWallet(deployed bool) *devchain.Wallet {
	g.Helper()
	g.made++
	w, err := devchain.NewWallet(g.chain, devchain.WalletConfig{Seed: fmt.Sprint("browser ", g.made), LongSignatures: g.made%2 == 0})
	if err != nil {
		g.Fatal(err)
	}
	if deployed {
		w.Deploy()
		g.chain.Mine()
	}
	g.wallet.becomes(w)
	return w
}

func (g *gate) open(path string) {
	g.Helper()
	do(g.T, g.tab, chromedp.Navigate("about:blank"), chromedp.Navigate(g.p.URL+path), chromedp.WaitReady(chromedp.CSS("main")))
}

const offered = `document.querySelectorAll("#wallets .wallet").length === 1 && document.querySelector("#wallets").checkVisibility()`

func (g *gate) clickWallet() {
	g.Helper()
	until(g.T, g.tab, offered)
	g.click("#wallets .wallet")
}

func (g *gate) click(css string) {
	g.Helper()
	do(g.T, g.tab, chromedp.Click(chromedp.CSS(css)))
}

// problem waits until one problem's words are shown, and no others.
func (g *gate) problem(name string) {
	g.Helper()
	until(g.T, g.tab, fmt.Sprintf(`[...document.querySelectorAll("[data-problem]")].filter((e) => e.checkVisibility()).map((e) => e.id).join() === %q`, name))
}

// again clicks on the shown problem's next step.
func (g *gate) again(name string) {
	g.Helper()
	g.click("#" + name + " [data-again]")
}

// landed waits until the tab shows a page to the wallet that signed in.
func (g *gate) landed(path string, w *devchain.Wallet) {
	g.Helper()
	arrives(g.T, g.tab, fmt.Sprintf(`location.pathname + location.search === %q && document.documentElement.dataset.signedIn === %q`, path, w.Address()))
	if n := g.wallet.signatures(); n != 1 {
		g.Errorf("it took %d signatures", n)
	}
}

func TestSigningInInABrowser(t *testing.T) {
	t.Parallel()
	g := newGate(t)

	g.Run("one click, one signature, the page that was asked for", func(t *testing.T) {
		g := g.in(t)
		w := g.newWallet(true)
		g.open("/jobs?state=failed")
		until(t, g.tab, offered)
		if picture := g.evaluate(`(() => { const i = document.querySelector("#wallets img"); return i.checkVisibility() && i.complete && i.naturalWidth > 0 ? i.src.slice(0, 10) : ""; })()`); picture != "data:image" {
			t.Errorf("the wallet's picture is %q", picture)
		}
		g.clickWallet()
		g.landed("/jobs?state=failed", w)
		if back := g.evaluate(`document.referrer`); !strings.Contains(back, "/signin") {
			t.Errorf("landed from %q", back)
		}
	})

	g.Run("the wallet goes to another account, and to another network", func(t *testing.T) {
		g := g.in(t)
		until(t, g.tab, `typeof walletSays === "function" && document.documentElement.dataset.signedIn !== undefined`)
		mine := g.evaluate(`document.documentElement.dataset.signedIn`)
		shown := func(name string, visible bool) {
			t.Helper()
			until(t, g.tab, fmt.Sprintf(`document.querySelector('[data-banner=%q]').checkVisibility() === %v`, name, visible))
		}
		until(t, g.tab, `(walletSays("accountsChanged", ["0xb0b"]), document.querySelector('[data-banner="account"]').checkVisibility())`)
		g.evaluate(`String(walletSays("accountsChanged", ["0x0` + strings.ToUpper(mine[2:]) + `".replace("0x00", "0x0")]))`)
		shown("account", false)
		g.evaluate(`String(walletSays("accountsChanged", []))`)
		shown("account", false)
		g.evaluate(`String(walletSays("networkChanged", "0x534e5f4d41494e", []))`)
		shown("network", true)
		g.evaluate(`String(walletSays("networkChanged", "0x534e5f5345504f4c4941", []))`)
		shown("network", false)

		other := g.newWallet(true)
		g.open("/jobs?wallet=" + mine)
		shown("account", true)
		g.click(`[data-banner="account"] a`)
		arrives(t, g.tab, `location.pathname === "/signin"`)
		g.clickWallet()
		g.landed("/jobs", other)
	})

	g.Run("the owner declines", func(t *testing.T) {
		g := g.in(t)
		w := g.newWallet(true)
		w.Refuse(true)
		g.open("/signin")
		g.clickWallet()
		g.problem("refused")
		w.Refuse(false)
		g.again("refused")
		g.landed("/", w)
	})

	g.Run("another network", func(t *testing.T) {
		g := g.in(t)
		w := g.newWallet(true)
		g.wallet.tells("0x534e5f4d41494e", true)
		g.open("/signin")
		g.clickWallet()
		g.problem("network")
		g.click("#network [data-switch]")
		g.problem("no-switch")
		g.again("no-switch")
		g.problem("network")
		g.wallet.tells("0x534e5f4d41494e", false)
		g.click("#network [data-switch]")
		g.landed("/", w)
	})

	g.Run("an account that is not deployed", func(t *testing.T) {
		g := g.in(t)
		w := g.newWallet(false)
		g.open("/signin")
		g.clickWallet()
		g.problem("not-deployed")
		g.newWallet(false) // its signatures are counted anew
		g.wallet.becomes(w)
		w.Deploy()
		g.chain.Mine()
		g.again("not-deployed")
		g.landed("/", w)
	})

	g.Run("a wallet that signs for another account", func(t *testing.T) {
		g := g.in(t)
		w := g.newWallet(true)
		impostor, err := devchain.NewWallet(g.chain, devchain.WalletConfig{Seed: "impostor", Address: w.Address()})
		if err != nil {
			t.Fatal(err)
		}
		g.wallet.becomes(impostor)
		g.open("/signin")
		g.clickWallet()
		g.problem("invalid")
	})

	g.Run("no wallet, then one that comes late", func(t *testing.T) {
		g := g.in(t)
		w := g.newWallet(true)
		g.open("/signin#none")
		g.problem("no-wallet")
		if links := g.evaluate(`[...document.querySelectorAll("#no-wallet a")].map((a) => a.host + a.rel).join()`); links != "www.ready.conoreferrer noopener,braavos.appnoreferrer noopener" {
			t.Errorf("links %q", links)
		}
		g.evaluate(`String(inject())`)
		g.clickWallet()
		g.landed("/", w)
	})

	g.Run("no node answers", func(t *testing.T) {
		g := g.in(t)
		w := g.newWallet(true)
		g.open("/signin")
		g.node.SetFaults(devchain.Faults{Mode: devchain.RateLimits})
		g.clickWallet()
		g.problem("unreachable")
		g.node.Heal()
		arrives(t, g.tab, `location.pathname === "/" || ((again) => again.checkVisibility() && again.click())(document.querySelector("#unreachable [data-again]"))`)
		g.landed("/", w)
	})

	g.Run("by keyboard on a phone, for everybody", func(t *testing.T) {
		g := g.in(t)
		w := g.newWallet(true)
		for _, width := range []int64{1280, 360} {
			for _, scheme := range []string{"dark", "light"} {
				see(t, g.tab, width, 900, scheme)
				g.open("/signin")
				until(t, g.tab, offered)
				for _, state := range []string{"as it is", "with every problem"} {
					for _, v := range violations(t, g.tab) {
						t.Errorf("%s at %d px, %s: %s", state, width, scheme, v)
					}
					for _, e := range evaluate[[]string](t, g.tab, tooWide) {
						t.Errorf("%s at %d px, too wide: %s", state, width, e)
					}
					evaluate[chromedp.Void](t, g.tab, `document.querySelectorAll("[data-problem], [data-step]").forEach((e) => { e.hidden = false; })`)
				}
			}
		}
		g.open("/signin")
		until(t, g.tab, offered)
		evaluate[chromedp.Void](t, g.tab, `document.querySelector("main").focus()`)
		do(t, g.tab, chromedp.KeyEvent("\t"))
		if focused := g.evaluate(`document.activeElement.innerText`); focused != "Sign in with Test Wallet" {
			t.Errorf("the first stop in the page is %q", focused)
		}
		do(t, g.tab, chromedp.KeyEvent("\r"))
		g.landed("/", w)
	})

	for _, line := range g.said() {
		if strings.Contains(line, "the server responded with a status of") {
			continue // what was refused, and had its words
		}
		if strings.HasPrefix(strings.ToLower(line), "error") || strings.Contains(line, "Content Security Policy") {
			t.Error("console:", line)
		}
	}
}

// in is the gate for a part of a test.
func (g *gate) in(t *testing.T) *gate {
	part := *g
	part.T = t
	t.Cleanup(func() { g.made = part.made })
	return &part
}

func (g *gate) evaluate(js string) string {
	g.Helper()
	return evaluate[string](g.T, g.tab, js)
}

func TestAPageElsewhereLeadsToWhereTheServerSignsIn(t *testing.T) {
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	start(t, "LISTEN="+listen, "DATABASE_URL="+dbtest.NewURL(t), "PUBLIC_URL=https://validators.example")
	tab, _ := browser(t, 900, 700)
	do(t, tab, chromedp.Navigate("http://"+listen+"/signin?next=/jobs"), chromedp.WaitReady(chromedp.CSS("main")))
	until(t, tab, `document.querySelector("#origin").checkVisibility()`)
	if link := evaluate[string](t, tab, `document.querySelector("[data-elsewhere]").href`); link != "https://validators.example/signin?next=%2Fjobs" {
		t.Errorf("it leads to %s", link)
	}
}

func TestTheDemosWalletSignsIn(t *testing.T) {
	t.Parallel()
	p := startDemo(t, dbtest.Dir(t))
	tab, said := browser(t, 1280, 900)
	do(t, tab, chromedp.Navigate(p.URL+"/signin?next=/gpus"), chromedp.WaitReady(chromedp.CSS("#wallets .wallet")))
	do(t, tab, chromedp.Click(chromedp.CSS("#wallets .wallet")))
	account := walletAnswer[[]string](t, p, `{"type":"wallet_requestAccounts"}`)[0]
	arrives(t, tab, fmt.Sprintf(`location.pathname === "/gpus" && document.documentElement.dataset.signedIn === %q`, account))
	for _, line := range said() {
		if strings.HasPrefix(strings.ToLower(line), "error") || strings.Contains(line, "Content Security Policy") {
			t.Error("console:", line)
		}
	}
}

package program

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// oddWallet makes the page's wallet answer or throw otherwise than the wallet API has it. The
// case stands in the page's address; each gets the real answer.
const oddWallet = `(() => {
	const [type, name] = decodeURIComponent(location.hash.slice(1)).split("/");
	const odd = CASES[type]?.[name];
	const wallet = window.starknet_testwallet;
	if (!odd || !wallet) return;
	const real = wallet.request;
	const later = window.setTimeout;
	let fixed = false; // the answer needs no real wallet, which a busy machine keeps waiting
	window.setTimeout = (f, ms, ...rest) => later(f, fixed && ms > 100000 ? 100 : ms, ...rest);
	wallet.request = (question) => {
		if (question.type !== type) return real(question);
		fixed = odd.length === 0;
		if (fixed) return odd();
		return real(question).then(odd);
	};
})()`

// walletCase is an answer of a wallet, as a JavaScript function, and what the page says of it:
// a problem's name and words, or "" if it signs in.
type walletCase struct{ answer, problem, words string }

// refusalsSeen are the ways in which wallets and their libraries tell that their owner said no.
var refusalsSeen = refusalsOf(map[string]string{
	"the wallet API's": `() => Promise.reject({ code: 113, message: "An error occurred (USER_REFUSED_OP)" })`,
	"its code alone":   `() => Promise.reject({ code: 113 })`,
	"its code as text": `() => Promise.reject({ code: "113" })`,
	"Argent's":         `() => Promise.reject(new Error("User abort"))`,
	"EIP-1193's":       `() => Promise.reject(Object.assign(new Error("MetaMask Message Signature: Denied."), { code: 4001 }))`,
	"ethers'":          `() => Promise.reject({ code: "ACTION_REJECTED", message: "x" })`,
	"a text":           `() => Promise.reject("User rejected request")`,
	"starknetkit's":    `() => { throw Object.assign(new Error("x"), { name: "UserRejectedRequestError" }); }`,
	"in data":          `() => Promise.reject({ code: 163, message: "An error occurred (UNKNOWN_ERROR)", data: { code: 113 } })`,
	"in a cause":       `() => Promise.reject(new Error("Request failed", { cause: new Error("The user declined.") }))`,
	"in an error":      `() => Promise.reject({ error: { message: "USER_REFUSED_OP" } })`,
	"Keplr's":          `() => Promise.reject(new Error("Request rejected"))`,
	"one word":         `() => Promise.reject(new Error("Canceled"))`,
	"by the user":      `() => Promise.reject(new Error("Signing was cancelled by the user"))`,
})

func refusalsOf(thrown map[string]string) map[string]walletCase {
	cases := make(map[string]walletCase)
	for name, answer := range thrown {
		cases[name] = walletCase{answer, "refused", "You declined in the wallet"}
	}
	return cases
}

// answersSeen are other answers of wallets that are asked to sign.
var answersSeen = map[string]walletCase{
	"nothing":                  {`() => Promise.resolve()`, "no-signature", "sent no signature"},
	"null":                     {`() => Promise.resolve(null)`, "no-signature", "sent no signature"},
	"no felts":                 {`() => Promise.resolve([])`, "no-signature", "sent no signature"},
	"an empty text":            {`() => Promise.resolve("")`, "no-signature", "sent no signature"},
	"false":                    {`() => Promise.resolve(false)`, "no-signature", "sent no signature"},
	"silence":                  {`() => new Promise(() => {})`, "wallet-silent", "does not answer"},
	"a time that is over":      {`() => Promise.reject(new Error("Request timed out"))`, "wallet-silent", "does not answer"},
	"a text":                   {`() => Promise.resolve("0x1,0x2")`, "wallet-answer", "a text instead of a list of felts"},
	"an object":                {`() => Promise.resolve({ v: 1 })`, "wallet-answer", "an object instead of a list of felts"},
	"a list in a list":         {`(s) => [s]`, "wallet-answer", "felt 1 is a list that is no felt"},
	"a number that is rounded": {`(s) => [Number(s[0]), s[1]]`, "wallet-answer", "felt 1 is a number that is no felt"},
	"a felt above the prime":   {`(s) => [s[0], "0x" + "f".repeat(64)]`, "wallet-answer", "felt 2 is outside the field of Starknet"},
	"a negative felt":          {`(s) => [s[0], -1]`, "wallet-answer", "felt 2 is outside the field of Starknet"},
	"a felt that is null":      {`(s) => [null, s[1]]`, "wallet-answer", "felt 1 is nothing that is no felt"},
	"a word":                   {`(s) => [s[0], "felt"]`, "wallet-answer", "felt 2 is a text that is no felt"},
	"too many felts":           {`(s) => Array(1025).fill("0x1")`, "wallet-answer", "1025 felts, of which at most 1024 are taken"},
	"an error of its own":      {`() => Promise.reject({ code: 163, message: "An error occurred (UNKNOWN_ERROR)" })`, "wallet-error", "UNKNOWN_ERROR"},
	"a node that refuses":      {`() => Promise.reject(new Error("connection refused by the node"))`, "wallet-error", "connection refused by the node"},
	"an error without words":   {`() => Promise.reject({})`, "wallet-error", "(nothing)"},
	"felts of zero":            {`(s) => ["0x0", "0x0"]`, "invalid", "does not accept this signature"},
	"r and s":                  {`(s) => ({ r: BigInt(s[0]), s: BigInt(s[1]), recovery: 0 })`, "", ""},
	"a signature in an object": {`(s) => ({ signature: s })`, "", ""},
	"decimal digits":           {`(s) => s.map((f) => BigInt(f).toString())`, "", ""},
	"hex digits without 0x":    {`(s) => s.map((f) => f.slice(2).padStart(64, "0"))`, "", ""},
	"capitals":                 {`(s) => s.map((f) => "0X" + f.slice(2).toUpperCase())`, "", ""},
}

// accountsSeen are answers of wallets that are asked for accounts.
var accountsSeen = map[string]walletCase{
	"none, after a refusal": {`() => Promise.resolve([])`, "no-account", "shows no account"},
	"nothing":               {`() => Promise.resolve()`, "no-account", "shows no account"},
	"an object":             {`() => Promise.resolve({ accounts: [] })`, "wallet-answer", "an object instead of a list of accounts"},
	"an object in a list":   {`(a) => [{ address: a[0] }]`, "wallet-answer", "a list of accounts with an object in it"},
	"no address":            {`() => Promise.resolve(["vitalik.stark"])`, "wallet-answer", "body.address is"},
	"silence":               {`() => new Promise(() => {})`, "wallet-silent", "does not answer"},
	"a throw":               {`() => { throw new TypeError("x is undefined"); }`, "wallet-error", "x is undefined"},
}

func TestEveryRefusalOfAWalletIsKnown(t *testing.T) {
	t.Parallel()
	hasWords(t, "wallet_signTypedData", refusalsSeen)
}

func TestEverySignatureOfAWalletHasItsWords(t *testing.T) {
	t.Parallel()
	hasWords(t, "wallet_signTypedData", answersSeen)
}

func TestEveryAccountOfAWalletHasItsWords(t *testing.T) {
	t.Parallel()
	hasWords(t, "wallet_requestAccounts", accountsSeen)
}

// hasWords asks a page's wallet a question that it answers in each of many ways.
func hasWords(t *testing.T, question string, answers map[string]walletCase) {
	t.Helper()
	g := newGate(t)
	g.injectOdd(map[string]map[string]walletCase{question: answers})
	for name, c := range answers {
		g.Run(name, func(t *testing.T) {
			g := g.in(t)
			g.made++
			w, err := devchain.NewWallet(g.chain, devchain.WalletConfig{Seed: fmt.Sprint("odd ", g.made)})
			if err != nil {
				t.Fatal(err)
			}
			w.Deploy()
			g.chain.Mine()
			g.wallet.becomes(w)
			dbtest.Exec(t, g.data, "DELETE FROM signin_messages") // a network may have some open only
			g.open("/signin#" + question + "/" + strings.ReplaceAll(name, " ", "%20"))
			g.clickWallet()
			if c.problem == "" {
				arrives(t, g.tab, fmt.Sprintf(`document.documentElement.dataset.signedIn === %q`, w.Address()))
				return
			}
			g.problem(c.problem)
			if words := g.evaluate(`document.getElementById("` + c.problem + `").innerText`); !strings.Contains(words, c.words) || strings.Contains(words, "our side") {
				t.Errorf("the page says %q, want %q", words, c.words)
			}
		})
	}
}

// injectOdd brings the answers to every page of the gate's tab from now on.
func (g *gate) injectOdd(cases map[string]map[string]walletCase) {
	g.Helper()
	var table strings.Builder
	table.WriteString("{")
	for question, answers := range cases {
		fmt.Fprintf(&table, "%q: {", question)
		for name, c := range answers {
			quoted, err := json.Marshal(name)
			if err != nil {
				g.Fatal(err)
			}
			fmt.Fprintf(&table, "%s: %s,", quoted, c.answer)
		}
		table.WriteString("},")
	}
	table.WriteString("}")
	do(g.T, g.tab, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: strings.Replace(oddWallet, "CASES", table.String(), 1)})
		return err
	}))
}

// A passkey's signature, of the most felts that are taken, passes from the wallet through the
// page and the server to the account's contract.
func TestAPasskeySignsInInABrowser(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	for _, felts := range []int{90, 200, chain.MaxSignatureFelts} {
		w, err := devchain.NewWallet(g.chain, devchain.WalletConfig{Seed: fmt.Sprint("passkey ", felts), SignatureFelts: felts})
		if err != nil {
			t.Fatal(err)
		}
		w.Deploy()
		g.chain.Mine()
		g.wallet.becomes(w)
		g.open("/signin")
		g.clickWallet()
		g.landed("/", w)
	}
}

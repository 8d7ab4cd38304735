package program

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
)

// pageWallet is a wallet as an extension puts it into a page: what the page asks of it
// goes to a devchain wallet, which signs with a real key.
type pageWallet struct {
	mu           sync.Mutex
	wallet       *devchain.Wallet
	claimedChain string // the chain id that it tells; "" = its chain's own
	stuck        bool   // it cannot switch to another network
	signed       int    // signatures made
	asked        int    // transactions that it was asked to send
}

// injectedWallet puts the wallet on window, after a while if the page's address says so.
const injectedWallet = `(() => {
	const handlers = { accountsChanged: new Set(), networkChanged: new Set() };
	const wallet = {
		id: "testwallet", name: "Test Wallet", version: "1.0.0",
		icon: "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' fill='%23c60'/%3E%3C/svg%3E",
		request: async (question) => {
			const { result, error } = JSON.parse(await window.askWallet(JSON.stringify(question)));
			if (error) throw error;
			return result;
		},
		on: (event, handler) => handlers[event].add(handler),
		off: (event, handler) => handlers[event].delete(handler),
	};
	window.walletSays = (event, ...values) => { for (const h of handlers[event]) h(...values); };
	window.inject = () => { window.starknet_testwallet = wallet; window.starknet = wallet; };
	if (location.hash === "#none") return;
	window.starknet_broken = { id: "broken" };
	window.starknetHelper = null;
	window.inject();
})()`

// inject brings the wallet to every page of a tab from now on.
func (w *pageWallet) inject(t *testing.T, ctx context.Context) {
	t.Helper()
	do(t, ctx, chromedp.ExposeFunc("askWallet", func(_ context.Context, question string) (string, error) { return w.answer(question), nil }))
	do(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: injectedWallet})
		return err
	}))
}

// answer is what the wallet's request returns, in JSON.
func (w *pageWallet) answer(question string) string {
	var q struct{ Type string }
	_ = json.Unmarshal([]byte(question), &q)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case q.Type == "wallet_requestChainId" && w.claimedChain != "":
		return `{"result":"` + w.claimedChain + `"}`
	case q.Type == "wallet_addInvokeTransaction":
		w.asked++
	case q.Type == "wallet_switchStarknetChain" && w.stuck:
		return `{"error":{"code":117,"message":"An error occurred (CHAIN_ID_NOT_SUPPORTED)"}}`
	}
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte(question)))
	rec := httptest.NewRecorder()
	w.wallet.ServeHTTP(rec, r)
	var a struct{ Error any }
	_ = json.Unmarshal(rec.Body.Bytes(), &a)
	switch {
	case a.Error != nil:
	case q.Type == "wallet_switchStarknetChain":
		w.claimedChain = ""
	case q.Type == "wallet_signTypedData":
		w.signed++
	}
	return rec.Body.String()
}

// becomes gives the page another wallet behind the same extension.
func (w *pageWallet) becomes(wallet *devchain.Wallet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wallet, w.claimedChain, w.stuck, w.signed, w.asked = wallet, "", false, 0, 0
}

// tells sets what the wallet says of its network.
func (w *pageWallet) tells(chainID string, stuck bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claimedChain, w.stuck = chainID, stuck
}

func (w *pageWallet) signatures() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.signed
}

// transactions is how many it was asked to send.
func (w *pageWallet) transactions() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}

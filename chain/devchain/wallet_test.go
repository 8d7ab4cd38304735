package devchain_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/NethermindEth/juno/core/felt"
	"github.com/NethermindEth/starknet.go/rpc"
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// signIn is a message whose hash and signature Go and starknet.js agree on.
//
//go:embed testdata/signin.json
var signIn []byte

type vector struct {
	TypedData  json.RawMessage   `json:"typed_data"`
	Account    validator.Address `json:"account"`
	Hash       string            `json:"message_hash"`
	PrivateKey validator.Felt    `json:"test_private_key"`
	PublicKey  string            `json:"public_key_x"`
	Signature  []string          `json:"signature"`
}

func readVector(t *testing.T) vector {
	t.Helper()
	var v vector
	if err := json.Unmarshal(signIn, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// answers of is_valid_signature: what the contract says, or the code of the error.
const (
	saysValid   = "0x56414c4944"
	saysInvalid = "0x0"
)

func validity(t *testing.T, p *rpc.Provider, account validator.Address, function, hash string, signature ...string) (string, int) {
	t.Helper()
	felts := func(hex ...string) []*felt.Felt {
		out, err := utils.HexArrToFelt(hex)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	args := append(felts(hash), num(int64(len(signature))))
	got, err := p.Call(t.Context(), rpc.FunctionCall{ContractAddress: wire(account.Felt()),
		EntryPointSelector: sel(function), Calldata: append(args, felts(signature...)...)}, rpc.WithBlockTag(rpc.BlockTagLatest))
	var rpcErr *rpc.RPCError
	switch {
	case errors.As(err, &rpcErr):
		return "", rpcErr.Code
	case err != nil || len(got) != 1:
		t.Fatalf("%v, %v", got, err)
	}
	return got[0].String(), 0
}

func TestAnAccountJudgesSignatures(t *testing.T) {
	v := readVector(t)
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	check := func(name, want string, code int, function, hash string, signature ...string) {
		t.Helper()
		if got, gotCode := validity(t, p, v.Account, function, hash, signature...); got != want || gotCode != code {
			t.Errorf("%s: %q, code %d, want %q, code %d", name, got, gotCode, want, code)
		}
	}
	check("not deployed", "", 20, "is_valid_signature", v.Hash, v.Signature...)
	key, err := validator.ParseFelt(v.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	c.DeployAccountAt(v.Account, key)
	c.Mine()
	r, s := v.Signature[0], v.Signature[1]
	check("the vector", saysValid, 0, "is_valid_signature", v.Hash, r, s)
	check("the older name", saysValid, 0, "isValidSignature", v.Hash, r, s)
	check("five felts", saysValid, 0, "is_valid_signature", v.Hash, "0x1", "0x0", v.PublicKey, r, s)
	check("five felts of another key", saysInvalid, 0, "is_valid_signature", v.Hash, "0x1", "0x0", "0x2", r, s)
	check("another hash", saysInvalid, 0, "is_valid_signature", "0x1", r, s)
	check("r and s exchanged", saysInvalid, 0, "is_valid_signature", v.Hash, s, r)
	check("zeros", saysInvalid, 0, "is_valid_signature", v.Hash, "0x0", "0x0")
	check("one felt", "", 40, "is_valid_signature", v.Hash, r)
	check("no felts", "", 40, "is_valid_signature", v.Hash)
	c.DropFunction(v.Account, "is_valid_signature")
	c.Mine()
	check("an account with the older name only", "", 21, "is_valid_signature", v.Hash, r, s)
	check("the older name of that account", saysValid, 0, "isValidSignature", v.Hash, r, s)
}

// page is a wallet in a page: the JSON that goes to wallet.request and what comes back.
type page struct {
	t   *testing.T
	url string
}

func pageOf(t *testing.T, w *devchain.Wallet) page {
	t.Helper()
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	return page{t, s.URL}
}

// request returns the answer, or the code of the error.
func (p page) request(kind string, params any, into any) int {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"type": kind, "params": params})
	if err != nil {
		p.t.Fatal(err)
	}
	return p.post(body, into)
}

func (p page) post(body []byte, into any) int {
	p.t.Helper()
	resp, err := http.Post(p.url, "application/json", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var a struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	if a.Error != nil {
		if a.Error.Message == "" {
			p.t.Errorf("an error %d without a message", a.Error.Code)
		}
		return a.Error.Code
	}
	if into != nil {
		if err := json.Unmarshal(a.Result, into); err != nil {
			p.t.Fatalf("%s: %v", a.Result, err)
		}
	}
	return 0
}

func wallet(t *testing.T, c *devchain.Chain, cfg devchain.WalletConfig) *devchain.Wallet {
	t.Helper()
	w, err := devchain.NewWallet(c, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAWalletSignsAsTheVectorSays(t *testing.T) {
	v := readVector(t)
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	for _, long := range []bool{false, true} {
		w := wallet(t, c, devchain.WalletConfig{PrivateKey: v.PrivateKey, Address: v.Account, LongSignatures: long})
		if w.PublicKey().Short() != v.PublicKey {
			t.Errorf("public key %s, want %s", w.PublicKey().Short(), v.PublicKey)
		}
		hash, err := w.MessageHash(v.TypedData)
		if err != nil || hash.Short() != v.Hash {
			t.Errorf("message hash %s, %v, want %s", hash.Short(), err, v.Hash)
		}
		w.Deploy()
		c.Mine()
		var signature []string
		if code := pageOf(t, w).request("wallet_signTypedData", v.TypedData, &signature); code != 0 {
			t.Fatalf("error %d", code)
		}
		if got, code := validity(t, p, v.Account, "is_valid_signature", v.Hash, signature...); got != saysValid {
			t.Errorf("signature %v: %s, code %d", signature, got, code)
		}
		changed := bytes.Replace(v.TypedData, []byte("Sign in to"), []byte("Sign it to"), 1)
		if err := json.Unmarshal(mustRequest(t, w, changed), &signature); err != nil {
			t.Fatal(err)
		}
		if got, _ := validity(t, p, v.Account, "is_valid_signature", v.Hash, signature...); got != saysInvalid {
			t.Errorf("a signature of another text: %s", got)
		}
	}
}

func mustRequest(t *testing.T, w *devchain.Wallet, typedData json.RawMessage) []byte {
	t.Helper()
	var out json.RawMessage
	if code := pageOf(t, w).request("wallet_signTypedData", typedData, &out); code != 0 {
		t.Fatalf("error %d", code)
	}
	return out
}

func TestAWalletsKeyComesFromItsSeed(t *testing.T) {
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	one, again, other := wallet(t, c, devchain.WalletConfig{Seed: "one"}), wallet(t, c, devchain.WalletConfig{Seed: "one"}), wallet(t, c, devchain.WalletConfig{Seed: "other"})
	if one.Address() != again.Address() || one.PublicKey() != again.PublicKey() || one.Address() == other.Address() {
		t.Errorf("accounts %s, %s, %s", one.Address(), again.Address(), other.Address())
	}
	if a, err := validator.ParseAddress(string(one.Address())); err != nil || a != one.Address() || devchain.AccountAddress(one.PublicKey()) != a {
		t.Errorf("address %s: %v", one.Address(), err)
	}
	if got := c.DeployAccount(one.PublicKey()); got != one.Address() {
		t.Errorf("the account was deployed at %s", got)
	}
	c.Mine()
	for _, hash := range []string{"0x1", "0x" + strings.Repeat("f", 61), "0x7ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"} {
		f, err := validator.ParseFelt(hash)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := one.Sign(f)
		if err != nil {
			t.Fatal(err)
		}
		if got, code := validity(t, p, one.Address(), "is_valid_signature", hash, string(signature[0]), string(signature[1])); got != saysValid {
			t.Errorf("hash %s: %q, code %d", hash, got, code)
		}
	}
	for _, cfg := range []devchain.WalletConfig{{}, {Seed: "one", PrivateKey: job}, {PrivateKey: "0x0"}} {
		if _, err := devchain.NewWallet(c, cfg); err == nil {
			t.Errorf("a wallet was made of %+v", cfg)
		}
	}
}

func TestAWalletTellsAccountAndChain(t *testing.T) {
	c := devchain.New(devchain.Config{})
	w := wallet(t, c, devchain.WalletConfig{Seed: "demo"})
	p := pageOf(t, w)
	var accounts, permissions []string
	var chainID string
	var switched bool
	for kind, ask := range map[string]struct {
		params, into any
	}{
		"wallet_requestAccounts":     {map[string]bool{"silent_mode": true}, &accounts},
		"wallet_getPermissions":      {nil, &permissions},
		"wallet_requestChainId":      {nil, &chainID},
		"wallet_switchStarknetChain": {map[string]string{"chainId": "0x534e5f5345504f4c4941"}, &switched},
	} {
		if code := p.request(kind, ask.params, ask.into); code != 0 {
			t.Errorf("%s: error %d", kind, code)
		}
	}
	if !slices.Equal(accounts, []string{string(w.Address())}) || !slices.Equal(permissions, []string{"accounts"}) || chainID != "0x534e5f5345504f4c4941" || !switched {
		t.Errorf("accounts %v, permissions %v, chain %s, switched %v", accounts, permissions, chainID, switched)
	}
}

func TestWhatAWalletRefuses(t *testing.T) {
	v := readVector(t)
	c := devchain.New(devchain.Config{})
	w := wallet(t, c, devchain.WalletConfig{Seed: "demo"})
	p := pageOf(t, w)
	type object = map[string]any
	otherChain := bytes.ReplaceAll(v.TypedData, []byte("SN_SEPOLIA"), []byte("SN_MAIN"))
	oneCall := func(change func(object)) object {
		q := object{"contract_address": "0x1", "entry_point": "approve", "calldata": []string{"1"}}
		change(q)
		return object{"calls": []object{q}}
	}
	for name, ask := range map[string]struct {
		kind   string
		params any
		code   int
	}{
		"an unknown request":          {"wallet_fly", nil, 163},
		"another version of the API":  {"wallet_requestAccounts", object{"api_version": "9.9"}, 162},
		"another chain":               {"wallet_switchStarknetChain", object{"chainId": "0x534e5f4d41494e"}, 117},
		"a message for another chain": {"wallet_signTypedData", json.RawMessage(otherChain), 114},
		"a message of nothing":        {"wallet_signTypedData", object{}, 114},
		"a message of text":           {"wallet_signTypedData", "sign this", 114},
		"a type that holds itself":    {"wallet_signTypedData", json.RawMessage(selfHolding), 114},
		"a Merkle tree":               {"wallet_signTypedData", json.RawMessage(merkleTree), 114},
		"no calls":                    {"wallet_addInvokeTransaction", object{}, 114},
		"calls of text":               {"wallet_addInvokeTransaction", object{"calls": "all"}, 114},
		"a call of no contract":       {"wallet_addInvokeTransaction", oneCall(func(q object) { q["contract_address"] = "here" }), 114},
		"calldata of text":            {"wallet_addInvokeTransaction", oneCall(func(q object) { q["calldata"] = []string{"ten"} }), 114},
		"calldata above the prime":    {"wallet_addInvokeTransaction", oneCall(func(q object) { q["calldata"] = []string{"0x" + strings.Repeat("f", 64)} }), 114},
		"a decimal above the prime":   {"wallet_addInvokeTransaction", oneCall(func(q object) { q["calldata"] = []string{strings.Repeat("9", 77)} }), 114},
		"calldata of the wrong felt":  {"wallet_addInvokeTransaction", oneCall(func(q object) { q["calldata"] = []int{1} }), 114},
	} {
		if code := p.request(ask.kind, ask.params, nil); code != ask.code {
			t.Errorf("%s: code %d, want %d", name, code, ask.code)
		}
	}
	if code := p.post([]byte("sign"), nil); code != 114 {
		t.Errorf("no JSON: code %d", code)
	}
	w.Refuse(true)
	for kind, params := range map[string]any{
		"wallet_requestAccounts": nil, "wallet_switchStarknetChain": object{"chainId": "SN_SEPOLIA"},
		"wallet_signTypedData": v.TypedData, "wallet_addInvokeTransaction": oneCall(func(object) {}),
	} {
		if code := p.request(kind, params, nil); code != 113 {
			t.Errorf("%s of an owner who says no: code %d", kind, code)
		}
	}
	var accounts []string
	if code := p.request("wallet_requestAccounts", object{"silent_mode": true}, &accounts); code != 0 || len(accounts) != 0 {
		t.Errorf("asked silently, an owner who says no tells %v, code %d", accounts, code)
	}
	w.Refuse(false)
	if code := p.request("wallet_requestAccounts", nil, nil); code != 0 {
		t.Errorf("an owner who says yes again: code %d", code)
	}
	resp, err := http.Get(p.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: status %d", resp.StatusCode)
	}
}

func TestAWalletSendsCallsAsOneTransaction(t *testing.T) {
	c := devchain.New(devchain.Config{})
	node := provider(t, start(t, c))
	w := wallet(t, c, devchain.WalletConfig{Seed: "demo"})
	p := pageOf(t, w)
	k := c.Contracts()
	c.SetBalance(w.Address(), validator.WeiFromSAGE(5_000))
	type object = map[string]any
	send := func(amount string) *rpc.TransactionReceiptWithBlockInfo {
		t.Helper()
		var sent struct {
			Hash string `json:"transaction_hash"`
		}
		if code := p.request("wallet_addInvokeTransaction", object{"calls": []object{
			{"contract_address": k.SAGEToken, "entry_point": "approve", "calldata": []string{string(k.ProverStaking), amount, "0x0"}},
			{"contract_address": k.ProverStaking, "entry_point": "stake", "calldata": []string{amount, "0", "0x1"}},
		}}, &sent); code != 0 {
			t.Fatalf("error %d", code)
		}
		c.Mine()
		hash, err := validator.ParseFelt(sent.Hash)
		if err != nil {
			t.Fatal(err)
		}
		r, err := node.TransactionReceipt(t.Context(), wire(hash))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	allowance := func() *felt.Felt {
		return call(t, node, k.SAGEToken, "allowance", wire(w.Address().Felt()), wire(k.ProverStaking.Felt()))[0]
	}
	if r := send("6"); r.ExecutionStatus != rpc.TxnExecutionStatusREVERTED || !allowance().IsZero() {
		t.Errorf("6 wei: %s, allowance %s", r.ExecutionStatus, allowance())
	}
	if got := call(t, node, w.Address(), "get_public_key"); got[0].String() != w.PublicKey().Short() {
		t.Errorf("the first transaction deployed no account: %v", got)
	}
	if r := send("3000000000000000000000"); r.ExecutionStatus != rpc.TxnExecutionStatusSUCCEEDED {
		t.Errorf("3,000 SAGE: %+v", r)
	}
	if got := call(t, node, k.ProverStaking, "get_stake", wire(w.Address().Felt())); got[0].Cmp(sage(3_000)) != 0 {
		t.Errorf("stake %v", got)
	}
}

// What starknet.go would not come back from.
const (
	selfHolding = `{"types":{"StarknetDomain":[],"A":[{"name":"b","type":"B*"}],"B":[{"name":"a","type":"enum","contains":"C"}],"C":[{"name":"x","type":"(felt,A)"}]},
		"primaryType":"A","domain":{"name":"x","version":"1","chainId":"SN_SEPOLIA","revision":"1"},"message":{}}`
	merkleTree = `{"types":{"StarknetDomain":[],"A":[{"name":"a","type":"merkletree","contains":"B"}],"B":[]},
		"primaryType":"A","domain":{"name":"x","version":"1","chainId":"SN_SEPOLIA","revision":"1"},"message":{"a":[]}}`
)

// Whatever a page sends, the wallet answers.
func FuzzWallet(f *testing.F) {
	var v vector
	if err := json.Unmarshal(signIn, &v); err != nil {
		f.Fatal(err)
	}
	f.Add("wallet_signTypedData", []byte(v.TypedData))
	f.Add("wallet_signTypedData", []byte(`{"types":{"StarknetDomain":[]},"primaryType":"x","domain":{"chainId":"SN_SEPOLIA","revision":"1"},"message":{}}`))
	f.Add("wallet_signTypedData", []byte(selfHolding))
	f.Add("wallet_signTypedData", []byte(merkleTree))
	f.Add("wallet_addInvokeTransaction", []byte(`{"calls":[{}]}`))
	w, err := devchain.NewWallet(devchain.New(devchain.Config{}), devchain.WalletConfig{Seed: "fuzz"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind string, params []byte) {
		if !json.Valid(params) {
			return
		}
		body, err := json.Marshal(map[string]any{"type": kind, "params": json.RawMessage(params)})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRecorder()
		w.ServeHTTP(r, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)))
		if r.Code != http.StatusOK || !json.Valid(r.Body.Bytes()) {
			t.Errorf("status %d: %s", r.Code, r.Body)
		}
	})
}

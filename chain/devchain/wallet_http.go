package devchain

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// The wallet API's codes of errors (starknet-specs, wallet_rpc.json).
const (
	walletRefused     = 113
	walletBadPayload  = 114
	walletOtherChain  = 117
	walletOtherAPI    = 162
	walletUnknown     = 163
	walletAPIVersion  = "0.7"
	maxWalletRequests = 1 << 20 // bytes
)

// walletError is an error of the wallet API as wallets throw it.
type walletError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    string `json:"data,omitempty"`
}

func (e *walletError) Error() string { return e.Message }

func refusedByUser() error {
	return &walletError{Code: walletRefused, Message: "User refused the operation"}
}

func badPayload(err error) error {
	return &walletError{Code: walletBadPayload, Message: "Invalid request payload", Data: err.Error()}
}

// ServeHTTP answers one request of the wallet API. The body is what a page hands to
// wallet.request, {"type", "params"}; the answer is {"result"} or {"error": {"code", "message"}},
// both with status 200.
func (w *Wallet) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		rw.Header().Set("Allow", http.MethodPost)
		http.Error(rw, "the wallet API is spoken with POST", http.StatusMethodNotAllowed)
		return
	}
	var q struct {
		Type   string          `json:"type"`
		Params json.RawMessage `json:"params"`
	}
	var result any
	err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxWalletRequests)).Decode(&q)
	if err != nil {
		err = badPayload(err)
	} else {
		result, err = w.request(q.Type, q.Params)
	}
	answer := map[string]any{"result": result}
	if err != nil {
		var known *walletError
		if !errors.As(err, &known) {
			known = &walletError{Code: walletUnknown, Message: "An error occurred", Data: err.Error()}
		}
		answer = map[string]any{"error": known}
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(rw).Encode(answer) // the client may be gone; nobody is left to tell
}

// request is wallet.request({type, params}).
func (w *Wallet) request(kind string, params json.RawMessage) (any, error) {
	if err := checkAPIVersion(params); err != nil {
		return nil, err
	}
	switch kind {
	case "wallet_requestAccounts":
		return w.requestAccounts(params)
	case "wallet_getPermissions":
		if w.refused() {
			return []string{}, nil
		}
		return []string{"accounts"}, nil
	case "wallet_requestChainId":
		return feltOfText(w.chain.ChainID()).Short(), nil
	case "wallet_switchStarknetChain":
		return w.switchChain(params)
	case "wallet_signTypedData":
		return w.signTypedData(params)
	case "wallet_addInvokeTransaction":
		return w.addInvoke(params)
	case "wallet_supportedSpecs":
		return []string{strings.TrimSuffix(specVersion, ".0")}, nil
	case "wallet_supportedWalletApi":
		return []string{walletAPIVersion}, nil
	}
	return nil, &walletError{Code: walletUnknown, Message: "An error occurred", Data: fmt.Sprintf("this wallet has no %q", kind)}
}

// checkAPIVersion refuses a version of the wallet API that this is not; none asked is fine.
func checkAPIVersion(params json.RawMessage) error {
	var p struct {
		Version string `json:"api_version"`
	}
	if json.Unmarshal(params, &p) == nil && p.Version != "" && !strings.HasPrefix(p.Version, walletAPIVersion) {
		return &walletError{Code: walletOtherAPI, Message: "An error occurred (API_VERSION_NOT_SUPPORTED)"}
	}
	return nil
}

// requestAccounts tells the account. In silent mode a wallet whose owner says no shows
// nothing and tells none.
func (w *Wallet) requestAccounts(params json.RawMessage) (any, error) {
	var p struct {
		Silent bool `json:"silent_mode"`
	}
	if len(params) > 0 {
		if err := json.Unmarshal(params, &p); err != nil {
			return nil, badPayload(err)
		}
	}
	switch {
	case !w.refused():
		return []string{string(w.address)}, nil
	case p.Silent:
		return []string{}, nil
	}
	return nil, refusedByUser()
}

func (w *Wallet) switchChain(params json.RawMessage) (any, error) {
	var p struct {
		ChainID string `json:"chainId"`
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return nil, badPayload(err)
	}
	if !w.onChain(p.ChainID) {
		return nil, &walletError{Code: walletOtherChain, Message: "An error occurred (CHAIN_ID_NOT_SUPPORTED)"}
	}
	if w.refused() {
		return nil, refusedByUser()
	}
	return true, nil
}

// onChain says whether a chain id, as text or as a felt, is the wallet's.
func (w *Wallet) onChain(id string) bool {
	f, err := validator.ParseFelt(id)
	return id == w.chain.ChainID() || err == nil && f == feltOfText(w.chain.ChainID())
}

func (w *Wallet) signTypedData(params json.RawMessage) (any, error) {
	var p struct {
		Domain struct {
			ChainID string `json:"chainId"`
		} `json:"domain"`
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return nil, badPayload(err)
	}
	if !w.onChain(p.Domain.ChainID) {
		return nil, badPayload(fmt.Errorf("the message is for the chain %q", p.Domain.ChainID))
	}
	hash, err := w.MessageHash(params)
	if err != nil {
		return nil, badPayload(err)
	}
	if w.refused() {
		return nil, refusedByUser()
	}
	signature, err := w.Sign(hash)
	if err != nil {
		return nil, err
	}
	return short(signature), nil
}

// addInvoke queues the calls as one transaction.
func (w *Wallet) addInvoke(params json.RawMessage) (any, error) {
	var p struct {
		Calls []struct {
			Contract   string   `json:"contract_address"`
			EntryPoint string   `json:"entry_point"`
			Calldata   []string `json:"calldata"`
		} `json:"calls"`
	}
	if err := json.Unmarshal(params, &p); err != nil {
		return nil, badPayload(err)
	}
	if len(p.Calls) == 0 {
		return nil, badPayload(errors.New("there are no calls"))
	}
	calls := make([]Call, len(p.Calls))
	for i, q := range p.Calls {
		to, err := validator.ParseAddress(q.Contract)
		if err != nil {
			return nil, badPayload(err)
		}
		calls[i] = Call{To: to, Function: q.EntryPoint}
		for _, s := range q.Calldata {
			v, err := number(s)
			if err != nil {
				return nil, badPayload(err)
			}
			calls[i].Calldata = append(calls[i].Calldata, v)
		}
	}
	if w.refused() {
		return nil, refusedByUser()
	}
	return map[string]string{"transaction_hash": w.Invoke(calls...).Short()}, nil
}

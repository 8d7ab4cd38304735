package chain

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/NethermindEth/starknet.go/typeddata"
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// SignIn is what a wallet signs to prove that it is asked at this server, now, for this
// account: a message of SNIP-12, revision 1. Only what stands here is ever hashed; nothing
// of a message comes from whoever presents its signature.
type SignIn struct {
	ChainID   string // as a short string: "SN_SEPOLIA"
	Address   validator.Address
	URI       string // the origin of the server that asks: "https://validators.example.org"
	Nonce     string // random, at least minNonce characters
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// ErrSignIn says that a SignIn cannot be made a message; the wrapping error says why.
var ErrSignIn = errors.New("not a sign-in message")

// The constants of the message, as wallets show them.
const (
	signInName      = "BitSage Validators"
	signInVersion   = "1.0.0"
	signInStatement = "Sign in to the BitSage validator dashboard. This does not send a transaction."
)

// minNonce keeps nonces longer than what a felt's short string can hold as a number, since
// short texts that look like numbers hash differently in Go and in JavaScript.
const minNonce = 22

// maxSignInText bounds each text of the message, in bytes.
const maxSignInText = 255

// typedField is a member of a SNIP-12 type.
type typedField struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type typedTypes struct {
	Domain  []typedField `json:"StarknetDomain"`
	Message []typedField `json:"Message"`
}

type typedDomain struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	ChainID  string `json:"chainId"`
	Revision string `json:"revision"`
}

type typedMessage struct {
	Version    string            `json:"version"`
	Address    validator.Address `json:"address"`
	Statement  string            `json:"statement"`
	URI        string            `json:"uri"`
	Nonce      string            `json:"nonce"`
	IssuedAt   string            `json:"issuedAt"`
	Expiration string            `json:"expirationTime"`
}

// signInTypes are the types of the message. The domain's are those that SNIP-12 demands.
// Nonce and times are strings, which all wallets hash alike.
var signInTypes = typedTypes{
	Domain:  []typedField{{"name", "shortstring"}, {"version", "shortstring"}, {"chainId", "shortstring"}, {"revision", "shortstring"}},
	Message: []typedField{{"version", "string"}, {"address", "ContractAddress"}, {"statement", "string"}, {"uri", "string"}, {"nonce", "string"}, {"issuedAt", "string"}, {"expirationTime", "string"}},
}

// TypedData returns the message as JSON in the form that wallets take
// (wallet_signTypedData). The error matches ErrSignIn.
func (m SignIn) TypedData() (json.RawMessage, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Types       typedTypes   `json:"types"`
		PrimaryType string       `json:"primaryType"`
		Domain      typedDomain  `json:"domain"`
		Message     typedMessage `json:"message"`
	}{
		Types: signInTypes, PrimaryType: "Message",
		Domain: typedDomain{Name: signInName, Version: signInVersion, ChainID: m.ChainID, Revision: "1"},
		Message: typedMessage{
			Version: signInVersion, Address: m.Address, Statement: signInStatement, URI: m.URI, Nonce: m.Nonce,
			IssuedAt: m.IssuedAt.UTC().Format(time.RFC3339), Expiration: m.ExpiresAt.UTC().Format(time.RFC3339),
		},
	})
}

// Hash returns the message's SNIP-12 hash for its account: what the account's contract is
// asked about. The error matches ErrSignIn, or is starknet.go's.
func (m SignIn) Hash() (validator.Felt, error) {
	body, err := m.TypedData()
	if err != nil {
		return "", err
	}
	var td typeddata.TypedData
	if err := json.Unmarshal(body, &td); err != nil {
		return "", fmt.Errorf("read the sign-in message: %w", err)
	}
	hash, err := td.GetMessageHash(string(m.Address))
	if err != nil {
		return "", fmt.Errorf("hash the sign-in message: %w", err)
	}
	return validator.FeltFromBig(utils.FeltToBigInt(hash))
}

// check says what keeps it from being a message that every wallet hashes alike.
func (m SignIn) check() error {
	if a, err := validator.ParseAddress(string(m.Address)); err != nil || a != m.Address {
		return fmt.Errorf("%w: its address must be in normal form", ErrSignIn)
	}
	for _, text := range []struct {
		name, value   string
		least, atMost int
	}{{"chain id", m.ChainID, 1, 31}, {"URI", m.URI, 1, maxSignInText}, {"nonce", m.Nonce, minNonce, maxSignInText}} {
		if n := len(text.value); n < text.least || n > text.atMost || !printable(text.value) {
			return fmt.Errorf("%w: its %s must be %d to %d characters of printable ASCII", ErrSignIn, text.name, text.least, text.atMost)
		}
	}
	for _, at := range []time.Time{m.IssuedAt, m.ExpiresAt} {
		if at.Unix() <= 0 || at.UTC().Year() > 9999 || at.Nanosecond() != 0 {
			return fmt.Errorf("%w: its times must be whole seconds after 1970 and before the year 10000", ErrSignIn)
		}
	}
	if !m.ExpiresAt.After(m.IssuedAt) {
		return fmt.Errorf("%w: it must expire after it is issued", ErrSignIn)
	}
	return nil
}

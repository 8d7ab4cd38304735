package chain_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// signInVector is a message whose hash and signature Go and starknet.js agree on.
type signInVector struct {
	TypedData  json.RawMessage   `json:"typed_data"`
	Account    validator.Address `json:"account"`
	Hash       string            `json:"message_hash"`
	PrivateKey validator.Felt    `json:"test_private_key"`
	Signature  []string          `json:"signature"`
}

func readSignInVector(t testing.TB) (v signInVector) {
	t.Helper()
	b, err := os.ReadFile("devchain/testdata/signin.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// vectorSignIn is what the vector's message says.
func vectorSignIn(v signInVector) chain.SignIn {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return chain.SignIn{
		ChainID: "SN_SEPOLIA", Address: v.Account, URI: "https://validators.bitsage.network",
		Nonce: "Zk3vQ9tB7mX1pL5wR8cN2h", IssuedAt: at, ExpiresAt: at.Add(5 * time.Minute),
	}
}

func TestASignInIsTheVectorsMessage(t *testing.T) {
	v := readSignInVector(t)
	m := vectorSignIn(v)
	body, err := m.TypedData()
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := errors.Join(json.Unmarshal(body, &got), json.Unmarshal(v.TypedData, &want)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("typed data %s\nwant %s", body, v.TypedData)
	}
	hash, err := m.Hash()
	if err != nil || hash.Short() != v.Hash {
		t.Errorf("hash %s, %v, want %s", hash.Short(), err, v.Hash)
	}
	zone := time.FixedZone("east", 9*3600)
	m.IssuedAt, m.ExpiresAt = m.IssuedAt.In(zone), m.ExpiresAt.In(zone)
	if again, err := m.Hash(); err != nil || again != hash {
		t.Errorf("in another time zone the hash is %s, %v", again, err)
	}
}

// changedSignIns differ from a message in one thing each.
func changedSignIns(m chain.SignIn) map[string]chain.SignIn {
	out := map[string]chain.SignIn{}
	for name, change := range map[string]func(*chain.SignIn){
		"another chain":      func(m *chain.SignIn) { m.ChainID = "SN_MAIN" },
		"another account":    func(m *chain.SignIn) { m.Address = alice },
		"another origin":     func(m *chain.SignIn) { m.URI = "https://evil.example" },
		"another nonce":      func(m *chain.SignIn) { m.Nonce += "x" },
		"another issue time": func(m *chain.SignIn) { m.IssuedAt = m.IssuedAt.Add(time.Second) },
		"another expiry":     func(m *chain.SignIn) { m.ExpiresAt = m.ExpiresAt.Add(time.Second) },
	} {
		changed := m
		change(&changed)
		out[name] = changed
	}
	return out
}

func TestASignInsHashCoversEverything(t *testing.T) {
	m := vectorSignIn(readSignInVector(t))
	hash, err := m.Hash()
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range changedSignIns(m) {
		if got, err := changed.Hash(); err != nil || got == hash {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestWhatIsNoSignIn(t *testing.T) {
	for name, change := range map[string]func(*chain.SignIn){
		"no chain":                    func(m *chain.SignIn) { m.ChainID = "" },
		"a chain beyond 31":           func(m *chain.SignIn) { m.ChainID = strings.Repeat("S", 32) },
		"an address in another form":  func(m *chain.SignIn) { m.Address = "0x123" },
		"the zero address":            func(m *chain.SignIn) { m.Address = validator.Address("0x" + strings.Repeat("0", 64)) },
		"no URI":                      func(m *chain.SignIn) { m.URI = "" },
		"a URI beyond ASCII":          func(m *chain.SignIn) { m.URI = "https://bücher.example" },
		"a URI of two lines":          func(m *chain.SignIn) { m.URI = "https://a.example\nhttps://b.example" },
		"a long URI":                  func(m *chain.SignIn) { m.URI = "https://" + strings.Repeat("a", 255) },
		"a nonce that may be a felt":  func(m *chain.SignIn) { m.Nonce = "123456" },
		"a part of a second":          func(m *chain.SignIn) { m.IssuedAt = m.IssuedAt.Add(time.Millisecond) },
		"no time":                     func(m *chain.SignIn) { m.IssuedAt = time.Time{} },
		"a time without a date":       func(m *chain.SignIn) { m.ExpiresAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"an expiry before its issue":  func(m *chain.SignIn) { m.ExpiresAt = m.IssuedAt.Add(-time.Second) },
		"an expiry when it is issued": func(m *chain.SignIn) { m.ExpiresAt = m.IssuedAt },
	} {
		m := vectorSignIn(readSignInVector(t))
		change(&m)
		if body, err := m.TypedData(); !errors.Is(err, chain.ErrSignIn) {
			t.Errorf("%s: %s, %v", name, body, err)
		}
		if hash, err := m.Hash(); !errors.Is(err, chain.ErrSignIn) {
			t.Errorf("%s: hash %s, %v", name, hash, err)
		}
	}
}

func TestAWalletsChainIDInEitherForm(t *testing.T) {
	sepolia := chain.Network{ChainID: "SN_SEPOLIA"}
	for told, want := range map[string]bool{
		"SN_SEPOLIA": true, "0x534e5f5345504f4c4941": true, "0x0000534E5F5345504F4C4941": true,
		"SN_MAIN": false, "0x534e5f4d41494e": false, "sn_sepolia": false, "": false, "0x": false, "0x0": false, "Sepolia": false,
	} {
		if got := sepolia.SameChain(told); got != want {
			t.Errorf("%q: %v", told, got)
		}
	}
	if (chain.Network{}).SameChain("") || (chain.Network{}).SameChain("0x0") {
		t.Error("no chain is the same as no chain")
	}
}

// Whatever the texts of a message are, it is refused, or hashed with all of them.
func FuzzSignIn(f *testing.F) {
	v := readSignInVector(f)
	f.Add("SN_SEPOLIA", "https://validators.bitsage.network", "Zk3vQ9tB7mX1pL5wR8cN2h", "0x123")
	f.Add("0x534e", "0x1", "0000000000000000000000000", "0x7")
	f.Add("1", "\"}<>&", "'\\u0000'aaaaaaaaaaaaaaaaaaaaaaaa", "0xzz")
	f.Fuzz(func(t *testing.T, chainID, uri, nonce, address string) {
		m := vectorSignIn(v)
		m.ChainID, m.URI, m.Nonce = chainID, uri, nonce
		if a, err := validator.ParseAddress(address); err == nil {
			m.Address = a
		}
		hash, err := m.Hash()
		if errors.Is(err, chain.ErrSignIn) {
			return
		}
		if err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		for name, changed := range changedSignIns(m) {
			if changed == m {
				continue
			}
			if got, err := changed.Hash(); err == nil && got == hash {
				t.Errorf("%+v has the hash of %s", m, name)
			}
		}
	})
}

package chain_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func walletOf(t testing.TB, c *devchain.Chain, cfg devchain.WalletConfig) *devchain.Wallet {
	t.Helper()
	w, err := devchain.NewWallet(c, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func signed(t *testing.T, w *devchain.Wallet, hash validator.Felt) []validator.Felt {
	t.Helper()
	s, err := w.Sign(hash)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func feltOf(t testing.TB, s string) validator.Felt {
	t.Helper()
	f, err := validator.ParseFelt(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheVectorsSignatureIsAccepted(t *testing.T) {
	v := readSignInVector(t)
	r := newRig(t, 1)
	w := walletOf(t, r.chain, devchain.WalletConfig{PrivateKey: v.PrivateKey, Address: v.Account})
	w.Deploy()
	r.chain.Mine()
	hash, err := vectorSignIn(v).Hash()
	if err != nil {
		t.Fatal(err)
	}
	signature := []validator.Felt{feltOf(t, v.Signature[0]), feltOf(t, v.Signature[1])}
	if err := r.client.VerifySignature(t.Context(), v.Account, hash, signature); err != nil {
		t.Error(err)
	}
	for name, changed := range changedSignIns(vectorSignIn(v)) {
		hash, err := changed.Hash()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.client.VerifySignature(t.Context(), v.Account, hash, signature); !errors.Is(err, chain.ErrSignatureInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAccountsJudgeTheirSignatures(t *testing.T) {
	r := newRig(t, 1)
	hash := feltOf(t, "0x5167")
	for _, long := range []bool{false, true} {
		t.Run(fmt.Sprintf("long %v", long), func(t *testing.T) {
			w := walletOf(t, r.chain, devchain.WalletConfig{Seed: fmt.Sprintf("signer %v", long), LongSignatures: long})
			other := walletOf(t, r.chain, devchain.WalletConfig{Seed: "another", LongSignatures: long})
			verify := func(signature []validator.Felt) error {
				return r.client.VerifySignature(t.Context(), w.Address(), hash, signature)
			}
			good := signed(t, w, hash)
			if want := map[bool]int{false: 2, true: 5}[long]; len(good) != want {
				t.Fatalf("%d felts, want %d", len(good), want)
			}
			if err := verify(good); !errors.Is(err, chain.ErrAccountNotDeployed) {
				t.Errorf("not deployed: %v", err)
			}
			w.Deploy()
			r.chain.Mine()
			if err := verify(good); err != nil {
				t.Errorf("valid: %v", err)
			}
			for name, s := range map[string][]validator.Felt{
				"of another hash":   signed(t, w, feltOf(t, "0x5168")),
				"of another key":    signed(t, other, hash),
				"one felt short":    good[:len(good)-1],
				"one felt more":     append(append([]validator.Felt{}, good...), "0x0"),
				"none":              nil,
				"more than allowed": make([]validator.Felt, chain.MaxSignatureFelts+1),
			} {
				if err := verify(s); !errors.Is(err, chain.ErrSignatureInvalid) {
					t.Errorf("%s: %v", name, err)
				}
			}
			r.chain.DropFunction(w.Address(), "is_valid_signature")
			r.chain.Mine()
			if err := verify(good); err != nil {
				t.Errorf("an account with the older name only: %v", err)
			}
			if err := verify(good[:1]); !errors.Is(err, chain.ErrSignatureInvalid) {
				t.Errorf("one felt for an account with the older name only: %v", err)
			}
			r.chain.DropFunction(w.Address(), "isValidSignature")
			r.chain.Mine()
			if err := verify(good); !errors.Is(err, chain.ErrSignatureInvalid) {
				t.Errorf("a contract that is no account: %v", err)
			}
		})
	}
}

// errUnreachable stands for every error that says no node could answer.
var errUnreachable = errors.New("no node could say")

func TestWhichAnswersAcceptASignature(t *testing.T) {
	r := newRig(t, 1)
	w := walletOf(t, r.chain, devchain.WalletConfig{Seed: "answers"})
	w.Deploy()
	r.chain.Mine()
	signature := signed(t, w, "0x1")
	asked, older := devchain.Function{Contract: w.Address(), Name: "is_valid_signature"}, devchain.Function{Contract: w.Address(), Name: "isValidSignature"}
	answers := func(felts ...any) devchain.Faults {
		if felts == nil {
			felts = []any{}
		}
		return devchain.Faults{Malformed: map[devchain.Function][]any{asked: felts}}
	}
	says := func(code int, data string) devchain.Faults {
		return devchain.Faults{Broken: map[devchain.Function]devchain.RPCError{asked: {Code: code, Message: "m", Data: map[string]string{"revert_error": data}}}}
	}
	none := says(40, "0x454e545259504f494e545f4e4f545f464f554e44 ('ENTRYPOINT_NOT_FOUND')")
	noneOfBoth := says(21, "")
	noneOfBoth.Broken[older] = devchain.RPCError{Code: 21, Message: "m"}
	for name, c := range map[string]struct {
		faults devchain.Faults
		want   error
	}{
		"VALID":                          {answers("0x56414c4944"), nil},
		"VALID and more":                 {answers("0x56414c4944", "0x0"), nil},
		"one":                            {answers("0x1"), nil},
		"one with zeros":                 {answers("0x0001"), nil},
		"nothing":                        {answers(), chain.ErrSignatureInvalid},
		"zero":                           {answers("0x0"), chain.ErrSignatureInvalid},
		"two":                            {answers("0x2"), chain.ErrSignatureInvalid},
		"VALID in the second place":      {answers("0x0", "0x56414c4944"), chain.ErrSignatureInvalid},
		"valid in small letters":         {answers("0x76616c6964"), chain.ErrSignatureInvalid},
		"no felt":                        {answers("VALID"), errUnreachable},
		"a number above the prime":       {answers("0x" + strings.Repeat("f", 64)), errUnreachable},
		"a reverted call":                {says(40, "argent/invalid-signature"), chain.ErrSignatureInvalid},
		"a revert: no such function":     {none, nil},
		"neither name":                   {noneOfBoth, chain.ErrSignatureInvalid},
		"not deployed":                   {says(20, ""), chain.ErrAccountNotDeployed},
		"a block that is gone":           {says(24, ""), errUnreachable},
		"an error of the node's own":     {says(-32603, "out of gas"), errUnreachable},
		"a failing proxy":                {devchain.Faults{Mode: devchain.HTML}, errUnreachable},
		"a cut connection":               {devchain.Faults{Mode: devchain.Disconnects}, errUnreachable},
		"another network":                {devchain.Faults{ChainID: "SN_MAIN"}, errUnreachable},
		"a newest block that is no news": {devchain.Faults{Answers: map[string]any{"starknet_blockNumber": "many"}}, errUnreachable},
	} {
		r.breaks(0, c.faults)
		err := r.client.VerifySignature(t.Context(), w.Address(), "0x1", signature)
		var got error
		switch {
		case errors.Is(err, chain.ErrSignatureInvalid):
			got = chain.ErrSignatureInvalid
		case errors.Is(err, chain.ErrAccountNotDeployed):
			got = chain.ErrAccountNotDeployed
		case err != nil:
			got = errUnreachable
		}
		if !errors.Is(got, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestASignatureIsCheckedByTheNextNode(t *testing.T) {
	r := newRig(t, 3)
	r.run(t)
	w := walletOf(t, r.chain, devchain.WalletConfig{Seed: "next"})
	verify := func() error {
		s, err := w.Sign("0x1")
		if err != nil {
			t.Fatal(err)
		}
		return r.client.VerifySignature(t.Context(), w.Address(), "0x1", s)
	}
	before := r.chain.Head().Number
	w.Deploy()
	for range 20 {
		r.chain.Mine()
	}
	eventually(t, "the head is known", func() bool {
		return r.client.State().Block == r.chain.Head().Number || r.snapshot(alice).Block == r.chain.Head()
	})
	r.breaks(0, devchain.Faults{Mode: devchain.RateLimits})
	r.breaks(1, devchain.Faults{Freeze: true, FrozenAt: before}) // has not seen the account
	if err := verify(); err != nil {
		t.Errorf("with one good node of three: %v", err)
	}
	r.breaks(2, devchain.Faults{Freeze: true, FrozenAt: r.chain.Head().Number - 2})
	if err := verify(); err != nil {
		t.Errorf("a node two blocks behind: %v", err)
	}
	r.breaks(2, devchain.Faults{Mode: devchain.Disconnects})
	err := verify()
	if err == nil || errors.Is(err, chain.ErrAccountNotDeployed) || !strings.Contains(err.Error(), "behind") {
		t.Errorf("with nodes that are down or behind: %v", err)
	}
}

// What an account's contract does to a node must not keep the dashboard from that node.
func TestASignatureNeverOpensANodesCircuit(t *testing.T) {
	r := newRig(t, 1, func(c *chain.Config) { c.BreakerFailures, c.BreakerDelay = 2, time.Hour })
	w := walletOf(t, r.chain, devchain.WalletConfig{Seed: "hostile"})
	w.Deploy()
	r.chain.Mine()
	hostile := devchain.Function{Contract: w.Address(), Name: "is_valid_signature"}
	r.breaks(0, devchain.Faults{Broken: map[devchain.Function]devchain.RPCError{hostile: {Code: -32603, Message: "m"}}})
	for range 10 {
		if err := r.client.VerifySignature(t.Context(), w.Address(), "0x1", signed(t, w, "0x1")); err == nil {
			t.Fatal("a node that cannot say accepted a signature")
		}
	}
	r.run(t)
	r.seenAt(t, alice, r.chain.Head())
}

func TestASignatureIsNotWaitedForLongerThanTheCaller(t *testing.T) {
	r := newRig(t, 1)
	r.breaks(0, devchain.Faults{Mode: devchain.Hangs})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.client.VerifySignature(ctx, alice, "0x1", []validator.Felt{"0x1", "0x2"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

package testnet

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/NethermindEth/juno/core/felt"
	"github.com/NethermindEth/starknet.go/account"
	"github.com/NethermindEth/starknet.go/curve"
	"github.com/NethermindEth/starknet.go/rpc"
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// Send sends calls as one transaction of an account, with an unmodified starknet.go: it
// estimates the fee, signs, and returns the transaction's hash. The next block holds it.
func (n *Network) Send(t testing.TB, from Account, calls ...devchain.Call) validator.Felt {
	t.Helper()
	r, err := n.account(t, from).BuildAndSendInvokeTxn(t.Context(), functionCalls(calls), &account.TxnOptions{CustomTip: "0x0"})
	if err != nil {
		t.Fatal(err)
	}
	return feltOf(utils.FeltToBigInt(r.Hash))
}

// SendReverting sends calls without trying them out, for ones that a contract refuses.
func (n *Network) SendReverting(t testing.TB, from Account, calls ...devchain.Call) validator.Felt {
	t.Helper()
	a := n.account(t, from)
	nonce, err := a.Nonce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	calldata, err := a.FmtCalldata(utils.InvokeFuncCallsToFunctionCalls(functionCalls(calls)))
	if err != nil {
		t.Fatal(err)
	}
	bounds := &rpc.ResourceBoundsMapping{
		L1Gas:     rpc.ResourceBounds{MaxAmount: "0x0", MaxPricePerUnit: "0x38d7ea4c68000"},
		L1DataGas: rpc.ResourceBounds{MaxAmount: "0x4e20", MaxPricePerUnit: "0x9184e72a000"},
		L2Gas:     rpc.ResourceBounds{MaxAmount: "0x17d78400", MaxPricePerUnit: "0x4a817c800"},
	}
	tx := utils.BuildInvokeTxn(a.Address, nonce, calldata, bounds, &utils.TxnOptions{Tip: "0x0"})
	if err := a.SignInvokeTransaction(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	r, err := a.Provider.AddInvokeTransaction(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	return feltOf(utils.FeltToBigInt(r.Hash))
}

// account is starknet.go's own of an account.
func (n *Network) account(t testing.TB, from Account) *account.Account {
	t.Helper()
	provider, err := rpc.NewProvider(t.Context(), n.URL)
	if err != nil {
		t.Fatal(err)
	}
	public := from.publicKey().Short()
	a, err := account.NewAccount(provider, wire(from.Address.Felt()), public,
		account.SetNewMemKeystore(public, from.PrivateKey.Big()), account.CairoV2)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func functionCalls(calls []devchain.Call) []rpc.InvokeFunctionCall {
	out := make([]rpc.InvokeFunctionCall, len(calls))
	for i, c := range calls {
		out[i] = rpc.InvokeFunctionCall{ContractAddress: wire(c.To.Felt()), FunctionName: c.Function}
		for _, f := range c.Calldata {
			out[i].CallData = append(out[i].CallData, wire(f))
		}
	}
	return out
}

// Stake sends an approval of SAGE and a stake of it.
func (n *Network) Stake(t testing.TB, from Account, amount validator.Wei, tier validator.Tier) validator.Felt {
	t.Helper()
	return n.Send(t, from,
		devchain.Call{To: n.Contracts.SAGEToken, Function: "approve", Calldata: append([]validator.Felt{n.Contracts.ProverStaking.Felt()}, U256(amount)...)},
		devchain.Call{To: n.Contracts.ProverStaking, Function: "stake", Calldata: append(U256(amount), Uint(uint64(tier)))})
}

// Sign signs a hash as the account's contract expects it.
func (a Account) Sign(t testing.TB, hash validator.Felt) []validator.Felt {
	t.Helper()
	r, s, err := curve.Sign(hash.Big(), a.PrivateKey.Big())
	if err != nil {
		t.Fatal(err)
	}
	return []validator.Felt{feltOf(r), feltOf(s)}
}

func (a Account) publicKey() validator.Felt {
	x, _ := curve.PrivateKeyToPoint(a.PrivateKey.Big())
	return feltOf(x)
}

// U256 writes an amount as contracts take it: its low and its high half.
func U256(w validator.Wei) []validator.Felt {
	v := w.Big()
	low := new(big.Int).And(v, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1)))
	return []validator.Felt{feltOf(low), feltOf(new(big.Int).Rsh(v, 128))}
}

// Uint writes a number.
func Uint(v uint64) validator.Felt { return feltOf(new(big.Int).SetUint64(v)) }

func feltOf(v *big.Int) validator.Felt { return validator.Felt(fmt.Sprintf("0x%064x", v)) }

func wire(f validator.Felt) *felt.Felt { return utils.BigIntToFelt(f.Big()) }

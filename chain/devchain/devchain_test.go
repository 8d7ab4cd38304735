package devchain_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/NethermindEth/juno/core/felt"
	"github.com/NethermindEth/starknet.go/contracts"
	"github.com/NethermindEth/starknet.go/rpc"
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const worker validator.Address = "0x00000000000000000000000000000000000000000000000000000000000000a1"

func start(t *testing.T, c *devchain.Chain) *devchain.Node {
	t.Helper()
	n := devchain.NewNode(c)
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func provider(t *testing.T, n *devchain.Node) *rpc.Provider {
	t.Helper()
	p, err := rpc.NewProvider(t.Context(), n.URL())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wire(f validator.Felt) *felt.Felt { return utils.BigIntToFelt(f.Big()) }

func stakeOf(t *testing.T, p *rpc.Provider, c *devchain.Chain, at rpc.BlockID) []*felt.Felt {
	t.Helper()
	got, err := p.Call(t.Context(), rpc.FunctionCall{
		ContractAddress:    wire(c.Contracts().ProverStaking.Felt()),
		EntryPointSelector: utils.GetSelectorFromNameFelt("get_stake"),
		Calldata:           []*felt.Felt{wire(worker.Felt())},
	}, at)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAProviderReadsTheChain(t *testing.T) {
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	if id, err := p.ChainID(t.Context()); err != nil || id != "SN_SEPOLIA" {
		t.Errorf("chain id %q, %v", id, err)
	}
	b := c.Mine()
	if n, err := p.BlockNumber(t.Context()); err != nil || n != b.Number {
		t.Errorf("block number %d, %v", n, err)
	}
	head, err := p.BlockHashAndNumber(t.Context())
	if err != nil || head.Number != b.Number || head.Hash.String() != b.Hash.Short() {
		t.Errorf("head %+v, %v", head, err)
	}
	got, err := p.BlockWithTxHashes(t.Context(), rpc.WithBlockHash(wire(b.Hash)))
	if err != nil {
		t.Fatal(err)
	}
	if block, ok := got.(*rpc.BlockTxHashes); !ok || block.Number != b.Number || int64(block.Timestamp) != b.Time.Unix() {
		t.Errorf("block %+v", got)
	}
}

func TestACallSeesTheStateOfItsBlock(t *testing.T) {
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	var mined []validator.Block
	for sage := range int64(3) {
		c.SetStake(worker, validator.Stake{Amount: validator.WeiFromInt(sage + 1)})
		mined = append(mined, c.Mine())
	}
	c.SetStake(worker, validator.Stake{Amount: validator.WeiFromInt(99)}) // in no block yet
	for i, b := range mined {
		want := uint64(i + 1)
		for name, id := range map[string]rpc.BlockID{
			"number": rpc.WithBlockNumber(b.Number), "hash": rpc.WithBlockHash(wire(b.Hash)),
		} {
			if got := stakeOf(t, p, c, id)[0].Uint64(); got != want {
				t.Errorf("block %d by %s: stake %d, want %d", b.Number, name, got, want)
			}
		}
	}
	if got := stakeOf(t, p, c, rpc.WithBlockTag(rpc.BlockTagLatest))[0].Uint64(); got != 3 {
		t.Errorf("latest: stake %d, want 3", got)
	}
}

func TestErrorsHaveTheCodesOfTheSpecification(t *testing.T) {
	c := devchain.New(devchain.Config{})
	n := start(t, c)
	p := provider(t, n)
	k := c.Contracts()
	call := func(to validator.Address, function string, block rpc.BlockID, calldata ...*felt.Felt) error {
		_, err := p.Call(t.Context(), rpc.FunctionCall{ContractAddress: wire(to.Felt()),
			EntryPointSelector: utils.GetSelectorFromNameFelt(function), Calldata: calldata}, block)
		return err
	}
	latest := rpc.WithBlockTag(rpc.BlockTagLatest)
	_, receiptErr := p.TransactionReceipt(t.Context(), wire("0x01"))
	_, classErr := p.ClassAt(t.Context(), latest, wire(worker.Felt()))
	for _, e := range []struct {
		name string
		err  error
		code int
	}{
		{"no contract", call(worker, "get_stake", latest), 20},
		{"no entry point", call(k.ProverStaking, "get_steak", latest), 21},
		{"no block", call(k.ProverStaking, "total_staked", rpc.WithBlockNumber(99)), 24},
		{"no transaction", receiptErr, 29},
		{"no class", classErr, 20},
		{"too little calldata", call(k.ProverStaking, "get_stake", latest), 40},
		{"too much calldata", call(k.ProverStaking, "total_staked", latest, wire("0x01")), 40},
	} {
		var got *rpc.RPCError
		if !errors.As(e.err, &got) || got.Code != e.code {
			t.Errorf("%s: %v, want code %d", e.name, e.err, e.code)
		}
	}
	for body, code := range map[string]int{
		`{"jsonrpc":"2.0","id":1,"method":"starknet_nothing"}`:                            -32601,
		`{"jsonrpc":"2.0","id":1,"method":"starknet_call","params":[]}`:                   -32602,
		`{"jsonrpc":"2.0","id":1,"method":"starknet_getClassAt","params":["soon","0x1"]}`: -32602,
		`{"id":1}`: -32600,
		`{"broken`: -32700,
		`[]`:       -32700,
	} {
		if got := post(t, n, body).Error.Code; got != code {
			t.Errorf("%s: code %d, want %d", body, got, code)
		}
	}
}

type answer struct {
	Result json.RawMessage
	Error  struct{ Code int }
}

func post(t *testing.T, n *devchain.Node, body string) answer {
	t.Helper()
	resp, err := http.Post(n.URL(), "application/json", bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return a
}

func TestParametersByName(t *testing.T) {
	c := devchain.New(devchain.Config{})
	a := post(t, start(t, c), `{"jsonrpc":"2.0","id":1,"method":"starknet_getClassHashAt","params":{"contract_address":"`+
		string(c.Contracts().SAGEToken)+`","block_id":"latest"}}`)
	if len(a.Result) == 0 || a.Error.Code != 0 {
		t.Errorf("%+v", a)
	}
}

func TestClassesAreThoseThatStarknetGoReads(t *testing.T) {
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	at := wire(c.Contracts().ProverStaking.Felt())
	class, err := p.ClassAt(t.Context(), rpc.WithBlockTag(rpc.BlockTagLatest), at)
	if err != nil {
		t.Fatal(err)
	}
	sierra, ok := class.(*contracts.ContractClass)
	if !ok || !bytes.Contains([]byte(sierra.ABI), []byte("get_stake")) {
		t.Errorf("class %+v", class)
	}
	hash := func() string {
		h, err := p.ClassHashAt(t.Context(), rpc.WithBlockTag(rpc.BlockTagLatest), at)
		if err != nil {
			t.Fatal(err)
		}
		return h.String()
	}
	before := hash()
	c.DropFunction(c.Contracts().ProverStaking, "get_stake")
	c.Mine()
	if hash() == before {
		t.Error("another class has the same hash")
	}
}

func TestAReceiptOfAClaim(t *testing.T) {
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	c.SetStake(worker, validator.Stake{Amount: validator.WeiFromSAGE(1000), StakedAt: time.Unix(1, 0), LastClaimAt: c.Head().Time})
	c.Mine()
	tx := c.ClaimRewards(worker)
	b := c.MineAt(c.Head().Time.Add(24 * time.Hour))
	r, err := p.TransactionReceipt(t.Context(), wire(tx))
	if err != nil {
		t.Fatal(err)
	}
	if r.ExecutionStatus != rpc.TxnExecutionStatusSUCCEEDED || uint64(r.BlockNumber) != b.Number || len(r.Events) != 2 {
		t.Fatalf("receipt %+v", r)
	}
	claimed := r.Events[1]
	if claimed.Keys[0].String() != utils.GetSelectorFromNameFelt("RewardsClaimed").String() || claimed.Keys[1].String() != worker.Felt().Short() {
		t.Errorf("event %+v", claimed)
	}
	status, err := p.TransactionStatus(t.Context(), wire(tx))
	if err != nil || status.FinalityStatus != rpc.TxnStatusAcceptedOnL2 {
		t.Errorf("status %+v, %v", status, err)
	}
	full, err := p.BlockWithTxs(t.Context(), rpc.WithBlockNumber(b.Number))
	if err != nil {
		t.Fatal(err)
	}
	if block, ok := full.(*rpc.Block); !ok || len(block.Transactions) != 1 {
		t.Errorf("block %+v", full)
	}
}

func TestStakeAndUnstakeFollowTheContract(t *testing.T) {
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	k := c.Contracts()
	amount := func(sage int64) []validator.Felt {
		return []validator.Felt{mustFelt(t, validator.WeiFromSAGE(sage)), mustFelt(t, validator.Wei{})}
	}
	c.SetBalance(worker, validator.WeiFromSAGE(5_000))
	c.SetBalance(k.ProverStaking, validator.Wei{})
	c.Mine()
	status := func(tx validator.Felt) rpc.TxnExecutionStatus {
		t.Helper()
		r, err := p.TransactionReceipt(t.Context(), wire(tx))
		if err != nil {
			t.Fatal(err)
		}
		return r.ExecutionStatus
	}
	approve := devchain.Call{To: k.SAGEToken, Function: "approve", Calldata: append([]validator.Felt{k.ProverStaking.Felt()}, amount(3_000)...)}
	stake := func(sage int64) devchain.Call {
		return devchain.Call{To: k.ProverStaking, Function: "stake", Calldata: append(amount(sage), mustFelt(t, validator.WeiFromInt(1)))}
	}
	tooLittle := c.Invoke(worker, approve, stake(100))
	enough := c.Invoke(worker, approve, stake(3_000))
	b := c.Mine()
	if status(tooLittle) != rpc.TxnExecutionStatusREVERTED || status(enough) != rpc.TxnExecutionStatusSUCCEEDED {
		t.Error("the tier's minimum was not kept to")
	}
	if got := stakeOf(t, p, c, rpc.WithBlockNumber(b.Number)); got[7].Uint64() != 1 || got[6].Uint64() != 1 || int64(got[4].Uint64()) != b.Time.Unix() {
		t.Errorf("stake %v", got)
	}
	request := c.Invoke(worker, devchain.Call{To: k.ProverStaking, Function: "request_unstake", Calldata: amount(1_000)})
	c.Mine()
	early := c.Invoke(worker, devchain.Call{To: k.ProverStaking, Function: "complete_unstake"})
	c.Mine()
	late := c.Invoke(worker, devchain.Call{To: k.ProverStaking, Function: "complete_unstake"})
	b = c.MineAt(c.Head().Time.Add(8 * 24 * time.Hour))
	if status(request) != rpc.TxnExecutionStatusSUCCEEDED || status(early) != rpc.TxnExecutionStatusREVERTED || status(late) != rpc.TxnExecutionStatusSUCCEEDED {
		t.Error("the lockup was not kept to")
	}
	if got := stakeOf(t, p, c, rpc.WithBlockNumber(b.Number)); got[7].Uint64() != 0 {
		t.Errorf("a stake below the minimum is still active: %v", got)
	}
}

func mustFelt(t *testing.T, w validator.Wei) validator.Felt {
	t.Helper()
	f, err := validator.FeltFromBig(w.Big())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestReorgTakesBlocksStateAndTransactions(t *testing.T) {
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	c.SetStake(worker, validator.Stake{Amount: validator.WeiFromInt(1)})
	kept := c.Mine()
	c.SetStake(worker, validator.Stake{Amount: validator.WeiFromInt(2)})
	tx := c.ClaimRewards(worker)
	at := kept.Time.Add(time.Minute)
	lost := c.MineAt(at)
	if err := c.Reorg(1); err != nil {
		t.Fatal(err)
	}
	if c.Head() != kept {
		t.Errorf("head %+v, want %+v", c.Head(), kept)
	}
	again := c.MineAt(at)
	if again.Number != lost.Number || again.Hash == lost.Hash {
		t.Errorf("the block in its place is %+v, the lost one was %+v", again, lost)
	}
	if got := stakeOf(t, p, c, rpc.WithBlockTag(rpc.BlockTagLatest))[0].Uint64(); got != 1 {
		t.Errorf("stake %d, want the 1 before the lost block", got)
	}
	if _, err := p.TransactionReceipt(t.Context(), wire(tx)); err == nil {
		t.Error("a lost transaction still has a receipt")
	}
	if err := c.Reorg(99); err == nil {
		t.Error("more blocks than there are were lost")
	}
}

func TestRunMinesUntilItsContextEnds(t *testing.T) {
	c := devchain.New(devchain.Config{BlockTime: time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(ctx) }()
	for deadline := time.Now().Add(10 * time.Second); c.Head().Number < 5; {
		if time.Now().After(deadline) {
			t.Fatal("no blocks are mined")
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-ended
	if got := c.Head(); c.Head() != got {
		t.Error("blocks are mined after the end")
	}
}

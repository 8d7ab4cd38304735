package devchain_test

import (
	"fmt"
	"testing"

	"github.com/NethermindEth/starknet.go/rpc"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestPaymentRouterPaysNetOfItsFee, to the wei, and only once it is there.
func TestPaymentRouterPaysNetOfItsFee(t *testing.T) {
	c := devchain.New(devchain.Config{PaymentRouter: true, ClassHistory: true, StateBlocks: 2})
	n := start(t, c)
	p := provider(t, n)
	pay := func(private bool, parts ...validator.Wei) validator.Felt {
		return c.PayJob(devchain.JobPayment{Worker: worker, JobID: "0x0000000000000000000000000000000000000000000000000000000000000007", Parts: parts, Private: private})
	}
	early := pay(false, validator.WeiFromInt(8))
	before := c.Mine()
	c.DeployPaymentRouter(validator.WeiFromInt(1_000))
	there := c.Mine()
	odd := pay(true, validator.WeiFromInt(3), validator.WeiFromInt(101))
	tooMuch := pay(false, validator.WeiFromInt(897))
	c.Mine()
	for range 5 {
		c.Mine()
	}
	for tx, want := range map[validator.Felt]string{early: "REVERTED", odd: "SUCCEEDED", tooMuch: "REVERTED"} {
		r, err := p.TransactionReceipt(t.Context(), wire(tx))
		if err != nil || string(r.ExecutionStatus) != want {
			t.Errorf("%v is %v, want %s (%v)", tx, r.ExecutionStatus, want, err)
			continue
		}
		if tx != odd {
			continue
		}
		var told []string
		for _, e := range r.Events {
			if from := e.FromAddress.String(); from == c.Contracts().JobManager.Felt().Short() || from == c.Contracts().PaymentRouter.Felt().Short() {
				told = append(told, fmt.Sprint(len(e.Keys), " ", e.Data[0].Uint64(), " ", len(e.Data)))
			}
		}
		if got := fmt.Sprint(told); got != "[4 131 2 4 3 4 4 101 4]" { // 4 + 127 of cost, 3 + 101 of pay
			t.Errorf("the events tell %s", got)
		}
	}
	for number, want := range map[uint64]bool{before.Number: false, there.Number: true} {
		_, err := p.ClassHashAt(t.Context(), rpc.WithBlockNumber(number), wire(c.Contracts().PaymentRouter.Felt()))
		if got := err == nil; got != want {
			t.Errorf("in block %d, whose state is pruned, the router is there: %v (%v)", number, got, err)
		}
	}
}

package devchain

import (
	"math/big"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// workerBasisPoints is what PaymentRouter leaves to the worker of what a job costs.
const workerBasisPoints = 8_000

// paymentRouter is the part of the PaymentRouter contract that pays workers, less its fee.
// That a payment is private does not keep its amount out of the event.
func paymentRouter(at Contracts) *contract {
	return &contract{name: "PaymentRouter", functions: map[string]function{
		"pay_worker": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			cost, ok := u256Of(args[3], args[4])
			switch {
			case !ok:
				return nil, badParam(3)
			case x.caller != Owner:
				return nil, panicked("Unauthorized")
			}
			net := cost.MulDiv(big.NewInt(workerBasisPoints), big.NewInt(10_000))
			if err := x.transfer(at.SAGEToken, at.PaymentRouter, validator.Address(args[2]), net); err != nil {
				return nil, err
			}
			return nil, x.tellOfJob("WorkerPaid", args[:2], args[2], net, args[5], uint64(x.now))
		}, u256Input("job_id"), addressInput("worker"), u256Input("sage_amount"), feltInput("privacy_enabled")),
	}}
}

// DeployPaymentRouter puts PaymentRouter at its address, from the next block on, with tokens
// to pay from. The chain's Config must ask for the address.
func (c *Chain) DeployPaymentRouter(tokens validator.Wei) {
	c.change(func(s *state) {
		s.deployed[c.contracts.PaymentRouter] = deployment{kind: paymentRouter(c.contracts)}
		s.balances[c.contracts.PaymentRouter] = tokens
	})
}

// jobCost is the least that a job may cost so that PaymentRouter pays an amount to its worker.
func jobCost(pay validator.Wei) validator.Wei {
	whole := pay.MulDiv(big.NewInt(10_000), big.NewInt(1)).Add(validator.WeiFromInt(workerBasisPoints - 1))
	return whole.MulDiv(big.NewInt(1), big.NewInt(workerBasisPoints))
}

// JobPayment is what a worker is paid for a job.
type JobPayment struct {
	Worker  validator.Address
	JobID   validator.Felt
	Parts   []validator.Wei // net of the fee, a WorkerPaid each
	Private bool
}

// PayJob queues the release by JobManager of what a job costs, and the payment by
// PaymentRouter, in one transaction, and returns its hash.
func (c *Chain) PayJob(p JobPayment) validator.Felt {
	k, job := c.contracts, validator.WeiFromBig(p.JobID.Big())
	var cost validator.Wei
	calls := []Call{{To: k.JobManager, Function: "release_payment"}}
	for _, part := range p.Parts {
		gross := jobCost(part)
		cost = cost.Add(gross)
		calls = append(calls, Call{To: k.PaymentRouter, Function: "pay_worker", Calldata: felts(job, p.Worker.Felt(), gross, p.Private)})
	}
	calls[0].Calldata = felts(job, p.Worker.Felt(), cost)
	return c.Invoke(Owner, calls...)
}

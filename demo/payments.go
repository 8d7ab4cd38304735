package demo

import (
	"math/big"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// The network pays for jobs on the chain since PaymentRouter was deployed, three weeks ago.
const (
	payingFor    = 21 * 24 * time.Hour
	routerTokens = 5_000_000 // SAGE
	paidAfter    = 20 * time.Second
	privateEvery = 9 // of the jobs
)

// unknownJob is the number of a job that the database has never had.
const unknownJob = "41"

// planPayments lays down what the worker was paid for the jobs that ended since PaymentRouter
// was deployed. Some payments went wrong, so that the page about that has something to say:
// one never came, of one a part never came, and two came for what the database does not have
// as paid.
func (c *validatorChain) planPayments(jobs []validator.Job) {
	back := func(ago time.Duration, do func()) { c.acts = append(c.acts, act{c.end.Add(-ago), do}) }
	back(payingFor, func() { c.DeployPaymentRouter(validator.WeiFromSAGE(routerTokens)) })
	completed := slices.DeleteFunc(slices.Clone(jobs), func(j validator.Job) bool { return j.Status != validator.JobCompleted || j.Payment == nil })
	failed := slices.DeleteFunc(slices.Clone(jobs), func(j validator.Job) bool { return !j.Status.Failed() })
	if len(completed) < 10 || len(failed) == 0 {
		return
	}
	never, short, split := len(completed)*4/5, len(completed)*2/3, len(completed)/2
	for i, j := range completed {
		p := devchain.JobPayment{Worker: c.wallet.Address(), JobID: jobFelt(j.ID), Parts: []validator.Wei{*j.Payment}, Private: i%privateEvery == 0}
		half := j.Payment.MulDiv(big.NewInt(1), big.NewInt(2))
		switch i {
		case never:
			continue
		case short:
			p.Parts = []validator.Wei{half}
		case split:
			p.Parts = []validator.Wei{half, j.Payment.Sub(half)}
		}
		c.acts = append(c.acts, act{j.CompletedAt.Add(paidAfter), func() { c.PayJob(p) }})
	}
	of := failed[len(failed)*2/3]
	unpaid := *completed[never].Payment
	for id, at := range map[string]time.Time{of.ID: of.CompletedAt.Add(paidAfter), unknownJob: completed[split].CompletedAt.Add(time.Hour)} {
		c.acts = append(c.acts, act{at, func() {
			c.PayJob(devchain.JobPayment{Worker: c.wallet.Address(), JobID: jobFelt(id), Parts: []validator.Wei{unpaid}})
		}})
	}
	slices.SortStableFunc(c.acts, func(a, b act) int { return a.at.Compare(b.at) })
}

// ended queues what the end of a job brings on the chain.
func (c *validatorChain) ended(j validator.Job) {
	c.judge(j)
	if j.Status == validator.JobCompleted && j.Payment != nil {
		c.PayJob(devchain.JobPayment{Worker: c.wallet.Address(), JobID: jobFelt(j.ID), Parts: []validator.Wei{*j.Payment}})
	}
}

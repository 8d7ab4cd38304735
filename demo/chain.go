package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/bitsage-network/validator-dashboard/app"
	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/demo/history"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// ChainID is no network's, so that no wallet with a real key signs anything for the demo.
const ChainID = "SN_BITSAGE_DEMO"

// How often the demo's chain has a block: now, in the last hours and in the year before.
const (
	blockTime      = 4 * time.Second
	denseBlockTime = 30 * time.Second
	denseFor       = 12 * time.Hour
	yearBlockTime  = 10 * time.Minute

	// stateBlocks is how many blocks answer calls: what a page pinned a moment ago.
	stateBlocks = 900
)

// validatorChain is a chain on which the demo's validator has staked for a year.
type validatorChain struct {
	*devchain.Chain

	wallet   *devchain.Wallet
	end      time.Time   // of the history
	times    []time.Time // of the history's blocks, by number
	acts     []act       // still to be done, by time
	claims   []validator.Felt
	slash    history.Slash
	story    history.Story
	timeline *history.Timeline
}

// act is something that happens on the chain at a time.
type act struct {
	at time.Time
	do func()
}

// What the validator did with its stake, in days before the history's end.
const (
	stakedAgo     = 365*24*time.Hour + 20*time.Hour
	slashedAgo    = 6*24*time.Hour + 7*time.Hour + 43*time.Minute
	stakedMoreAgo = 5*24*time.Hour + 3*time.Hour
	unstakedAgo   = 3*24*time.Hour + 19*time.Hour
	claimEvery    = 30 * 24 * time.Hour
	claimsMade    = 12
	claimRefused  = 5 // the claim for which the treasury's allowance did not suffice at first
)

// newValidatorChain returns the chain as of its first block, with a year ahead of it.
func newValidatorChain(end time.Time) (*validatorChain, error) {
	genesis := end.Add(-stakedAgo - time.Hour).Truncate(time.Second)
	c := &validatorChain{
		Chain: devchain.New(devchain.Config{ChainID: ChainID, BlockTime: blockTime, Genesis: genesis, StateBlocks: stateBlocks, MiningRewards: true, PaymentRouter: true, ClassHistory: true}),
		end:   end, times: []time.Time{genesis},
	}
	for t := genesis.Add(yearBlockTime); t.Before(end.Add(-denseFor)); t = t.Add(yearBlockTime) {
		c.times = append(c.times, t)
	}
	for t := end.Add(-denseFor); t.Before(end); t = t.Add(denseBlockTime) {
		c.times = append(c.times, t)
	}
	var err error
	if c.wallet, err = devchain.NewWallet(c.Chain, devchain.WalletConfig{Seed: "the demo's validator"}); err != nil {
		return nil, err
	}
	c.slash = history.Slash{At: end.Add(-slashedAgo).Truncate(time.Second), Reason: validator.SlashTimeout, GPUUUID: overheats, Overheated: true}
	c.slash.JobID = strconv.FormatInt(history.Story{Now: end}.JobIDAt(c.slash.At.Add(-70*time.Minute)), 10)
	if err := c.tellStory(); err != nil {
		return nil, err
	}
	c.settle()
	c.plan()
	c.planPayments(c.timeline.Ended(end.Add(-payingFor)))
	return c, nil
}

// tellStory lets the year of jobs pass, of which the chain and the database tell.
func (c *validatorChain) tellStory() error {
	c.story = history.Story{Worker: c.wallet.Address(), Seed: seed, Now: c.end, Slashes: []history.Slash{c.slash}, Block: c.blockOf}
	idle, err := newHosts()
	if err != nil {
		return err
	}
	if c.story.Hosts, err = idle.hosts(c.end); err != nil {
		return err
	}
	c.timeline, err = history.Generate(c.story)
	return err
}

// settle is what the chain holds before the validator comes to it: its own tokens, and
// the stakes of the network's other workers.
func (c *validatorChain) settle() {
	c.wallet.Deploy()
	c.SetBalance(c.wallet.Address(), sage("16500"))
	workers := []struct {
		tier  validator.Tier
		count int
		stake int64 // of the first, in SAGE; the others have some more each
	}{
		{validator.TierConsumer, 13, 1_020}, {validator.TierWorkstation, 9, 2_600}, {validator.TierDataCenter, 11, 5_400},
		{validator.TierEnterprise, 6, 10_750}, {validator.TierFrontier, 2, 26_000},
	}
	known := 0
	for _, w := range workers {
		for i := range w.count {
			who := validator.Address(fmt.Sprintf("0x%064x", 0x57a6e000+int(w.tier)<<8+i))
			amount := validator.WeiFromSAGE(w.stake + w.stake*int64(i)/int64(w.count))
			c.SetBalance(who, amount)
			c.Stake(who, amount, w.tier)
			c.IntroduceWorker(who)
			c.AdjustReputation(who, otherScore(known)-reputationAtHome, devchain.ReputationJobCompleted)
			known++
		}
	}
}

// otherScore is the reputation of the network's other workers, of which all but the first
// few are behind the validator.
func otherScore(n int) int32 {
	if ahead := []int32{978, 941, 909}; n < validatorRank-1 {
		return ahead[n]
	}
	const next, apart = 721, 8
	return next - int32(n)*apart
}

// plan lays down the validator's year, by the contracts' own functions.
func (c *validatorChain) plan() {
	me, at := c.wallet.Address(), c.Contracts()
	back := func(ago time.Duration, do func()) { c.acts = append(c.acts, act{c.end.Add(-ago), do}) }
	claim := func() { c.claims = append(c.claims, c.ClaimRewards(me)) }

	back(stakedAgo, func() {
		c.Stake(me, sage("12000"), validator.TierEnterprise)
		c.IntroduceWorker(me)
	})
	for n := 1; n <= claimsMade; n++ {
		// Nobody claims at the same minute each month.
		ago := stakedAgo - time.Duration(n)*claimEvery - time.Duration(n*n*97%1300)*time.Minute
		if n == claimRefused {
			const soon, mended = 2 * time.Hour, time.Hour
			back(ago+soon, func() { c.SetAllowance(devchain.Treasury, at.ProverStaking, validator.Wei{}); claim() })
			back(ago+mended, func() { c.SetAllowance(devchain.Treasury, at.ProverStaking, validator.WeiFromSAGE(900_000)) })
		}
		back(ago, claim)
	}
	back(slashedAgo, func() { c.Slash(me, c.slash.Reason, jobFelt(c.slash.JobID)) })
	back(stakedMoreAgo, func() { c.Stake(me, sage("1850.5"), validator.TierEnterprise) })
	back(unstakedAgo, func() { c.RequestUnstake(me, sage("750")) })
	c.planReputation(back)
	slices.SortStableFunc(c.acts, func(a, b act) int { return a.at.Compare(b.at) })
}

// How the validator's score came to what it is: the network settles the jobs of a week in
// one change, and takes some for the weeks in which the rigs were often away.
const (
	settleEvery      = 7 * 24 * time.Hour
	reputationAtHome = 500 // what the network introduces a worker with
	reputationSlash  = 100 // what a slash takes
	reputationPeak   = 979 // before the slash
	awayEvery        = 11  // settlements
	awayCosts        = 9
)

// planReputation lays down the weekly settlements, up to the score where recall begins.
func (c *validatorChain) planReputation(back func(time.Duration, func())) {
	me, score := c.wallet.Address(), int32(reputationAtHome)
	change := func(ago time.Duration, delta int32, reason devchain.ReputationReason) {
		score += delta
		back(ago, func() { c.AdjustReputation(me, delta, reason) })
	}
	first, weeks := stakedAgo-settleEvery, int32((stakedAgo-slashedAgo)/settleEvery)-1
	for n := range weeks {
		ago := first - time.Duration(n)*settleEvery
		if n%awayEvery == awayEvery-1 {
			change(ago, -awayCosts, devchain.ReputationInactivity)
		}
		// Even steps towards the peak, some larger and some smaller.
		step := (reputationPeak - score) / (weeks - n)
		if n+1 < weeks {
			step += n*5%7 - 3
		}
		change(ago-time.Hour, step, devchain.ReputationJobCompleted)
	}
	score -= reputationSlash
	change(slashedAgo-2*24*time.Hour, reputationBefore-score, devchain.ReputationJobCompleted)
}

// layTo mines the history's blocks up to a time, with what happens in them.
func (c *validatorChain) layTo(t time.Time) {
	for _, at := range c.times[c.Head().Number+1:] {
		if at.After(t) {
			return
		}
		for len(c.acts) > 0 && !c.acts[0].at.After(at) {
			c.acts[0].do()
			c.acts = c.acts[1:]
		}
		c.MineAt(at)
	}
}

// blockOf is the number of the block that a transaction sent at a time comes to stand in.
func (c *validatorChain) blockOf(t time.Time) uint64 {
	if i := sort.Search(len(c.times), func(i int) bool { return !c.times[i].Before(t) }); i < len(c.times) {
		return uint64(i)
	}
	return max(c.Head().Number+1, uint64(len(c.times)))
}

// What ended jobs do to the validator's reputation.
const (
	reputationOfDoneJob = 1
	reputationBefore    = 883 // of 1000, where the last hours' jobs begin
	reputationShown     = 20  // changes that the contract remembers
	validatorRank       = 4
)

// recall gives the validator the reputation that its jobs have made, and lays the history's
// last hours, in which its newest jobs change it one by one. ended are jobs that were
// completed or failed, completed and failed how many there are of each in all.
func (c *validatorChain) recall(ended []validator.Job, completed, failed int64) {
	slices.SortFunc(ended, func(a, b validator.Job) int { return b.CompletedAt.Compare(*a.CompletedAt) })
	ended = slices.DeleteFunc(ended[:min(len(ended), reputationShown)], func(j validator.Job) bool { return !j.CompletedAt.After(c.times[c.Head().Number]) })
	for _, j := range ended {
		if j.Status.Failed() {
			failed--
		} else {
			completed--
		}
		c.acts = append(c.acts, act{*j.CompletedAt, func() { c.judge(j) }})
	}
	slices.SortStableFunc(c.acts, func(a, b act) int { return a.at.Compare(b.at) })
	me, level := c.wallet.Address().Felt(), uint32(5)
	c.SetReputation(me, validator.Reputation{
		Score: reputationBefore, Level: level, LastUpdated: c.Head().Time,
		TotalJobs: uint64(completed + failed), Successful: uint64(completed), Failed: uint64(failed), Slashes: 1,
	})
	c.SetRank(me, validatorRank)
	c.layTo(c.end)
	c.Mine()
}

// judge queues what an ended job does to the validator's reputation. The network records no
// success in ProverStaking, so that the failure of last week still counts.
func (c *validatorChain) judge(j validator.Job) {
	me, job := c.wallet.Address(), jobFelt(j.ID)
	if j.Status.Failed() {
		c.Fail(me, job)
		return
	}
	c.RewardJob(me)
	c.Invoke(devchain.Owner, devchain.Call{To: c.Contracts().ReputationManager, Function: "update_reputation", Calldata: []validator.Felt{
		me.Felt(), smallFelt(reputationOfDoneJob), smallFelt(int64(devchain.ReputationJobCompleted)),
		smallFelt(0), job, smallFelt(0), // Option::Some of a u256
	}})
}

// claimsMade reads the outcomes of the validator's claims, as the claim tracker does.
func (c *validatorChain) outcomes(ctx context.Context, cfg app.Config, log *slog.Logger) ([]validator.Claim, error) {
	client, err := chain.New(chain.Config{RPCURLs: cfg.StarknetRPC, Network: cfg.Network, Contracts: cfg.Contracts, Log: log})
	if err != nil {
		return nil, err
	}
	claims := make([]validator.Claim, len(c.claims))
	for i, tx := range c.claims {
		out, err := client.ClaimOutcome(ctx, tx, c.wallet.Address())
		if err != nil {
			return nil, err
		}
		if out.Block == nil {
			return nil, errors.New("a claim of the demo is in no block")
		}
		claims[i] = validator.Claim{
			Address: c.wallet.Address(), Amount: out.Amount, Kind: validator.RewardStaking, At: out.Block.Time, TxHash: tx,
			BlockNumber: &out.Block.Number, Status: out.Status, Failure: out.Failure,
		}
	}
	return claims, nil
}

// sage reads an amount of whole SAGE and a fraction.
func sage(s string) validator.Wei {
	r, _ := new(big.Rat).SetString(s)
	r.Mul(r, new(big.Rat).SetInt(validator.WeiFromSAGE(1).Big()))
	return validator.WeiFromBig(new(big.Int).Quo(r.Num(), r.Denom()))
}

// jobFelt is a job's number as contracts take it.
func jobFelt(id string) validator.Felt {
	n, _ := strconv.ParseInt(id, 10, 64)
	return smallFelt(n)
}

func smallFelt(n int64) validator.Felt { return validator.Felt(fmt.Sprintf("0x%064x", n)) }

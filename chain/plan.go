package chain

import (
	"context"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// blockReads is what is read once of a block, whoever is watched.
type blockReads struct {
	validator.Block
	observedAt  time.Time
	config      validator.ChainRead[validator.StakingConfig]
	totalStaked validator.ChainRead[validator.Wei]

	totalSlashed validator.ChainRead[validator.Wei]
	reputation   validator.ChainRead[validator.ReputationNetwork]
}

// blockPlan is the part of a batch that reads those.
type blockPlan struct {
	header      *rpcCall
	config      viewCall[validator.StakingConfig]
	totalStaked viewCall[validator.Wei]

	totalSlashed viewCall[validator.Wei]
	reputation   viewCall[validator.ReputationNetwork]
}

func planBlock(k Contracts, block validator.Felt) *blockPlan {
	return &blockPlan{
		header:      headerCall(block),
		config:      newView(k.proverStaking(), "get_config", block, decodeConfig),
		totalStaked: newView(k.proverStaking(), "total_staked", block, decodeU256),

		totalSlashed: newView(k.proverStaking(), "total_slashed", block, decodeU256),
		reputation:   newView(k.reputationManager(), "get_network_stats", block, decodeReputationNetwork),
	}
}

// walletPlan is the part of a batch that reads one wallet.
type walletPlan struct {
	address  validator.Address
	block    validator.Felt
	stake    viewCall[validator.Stake]
	eligible viewCall[bool]
	balance  viewCall[validator.Wei]
	mining   miningPlan

	// ReputationManager knows a worker by its wallet's address or by JobManager's id of
	// it. Both are asked while it does not know the address.
	byWallet   reputationPlan
	findID     *viewCall[validator.Felt]
	byWorkerID *reputationPlan
}

type reputationPlan struct {
	reputation viewCall[validator.Reputation]
	rank       viewCall[uint32]
}

func planReputation(k Contracts, id, block validator.Felt) reputationPlan {
	return reputationPlan{
		reputation: newView(k.reputationManager(), "get_reputation", block, decodeReputation, id),
		rank:       newView(k.reputationManager(), "get_worker_rank", block, decodeU32, id),
	}
}

// miningPlan is nothing while MiningRewards has no address.
type miningPlan struct {
	configured bool
	stats      viewCall[validator.MiningStats]
	left       viewCall[validator.Wei]
	tier       viewCall[validator.MiningTier]
}

func planMining(k Contracts, a validator.Address, block validator.Felt) miningPlan {
	return miningPlan{
		configured: k.MiningRewards != "",
		stats:      newView(k.miningRewards(), "get_worker_stats", block, decodeMiningStats, a.Felt()),
		left:       newView(k.miningRewards(), "get_remaining_cap", block, decodeU256, a.Felt()),
		tier:       newView(k.miningRewards(), "get_stake_tier", block, decodeMiningTier, a.Felt()),
	}
}

func (p *miningPlan) calls() []*rpcCall {
	return p.tier.appendTo(p.left.appendTo(p.stats.appendTo(nil)))
}

func (p *miningPlan) read(n Network) validator.MiningReads {
	return validator.MiningReads{Configured: p.configured, Stats: p.stats.read(n), RemainingCap: p.left.read(n), Tier: p.tier.read(n)}
}

func planWallet(k Contracts, a validator.Address, workerID, block validator.Felt, findID bool) *walletPlan {
	p := &walletPlan{
		address:  a,
		block:    block,
		stake:    newView(k.proverStaking(), "get_stake", block, decodeStake, a.Felt()),
		eligible: newView(k.proverStaking(), "is_eligible", block, decodeBool, a.Felt()),
		balance:  newView(k.sageToken(), "balance_of", block, decodeU256, a.Felt()),
		mining:   planMining(k, a, block),
		byWallet: planReputation(k, a.Felt(), block),
	}
	if workerID != "" {
		byID := planReputation(k, workerID, block)
		p.byWorkerID = &byID
	} else if findID && k.JobManager != "" && k.ReputationManager != "" {
		v := newView(k.jobManager(), "get_worker_id_by_address", block, decodeFelt, a.Felt())
		p.findID = &v
	}
	return p
}

func (p *blockPlan) calls() []*rpcCall {
	return p.reputation.appendTo(p.totalSlashed.appendTo(p.totalStaked.appendTo(p.config.appendTo([]*rpcCall{p.header}))))
}

func (p *reputationPlan) calls() []*rpcCall { return p.rank.appendTo(p.reputation.appendTo(nil)) }

func (p *walletPlan) calls() []*rpcCall {
	out := p.balance.appendTo(p.eligible.appendTo(p.stake.appendTo(nil)))
	out = append(out, p.mining.calls()...)
	out = append(out, p.byWallet.calls()...)
	if p.findID != nil {
		out = p.findID.appendTo(out)
	}
	if p.byWorkerID != nil {
		out = append(out, p.byWorkerID.calls()...)
	}
	return out
}

// ask sends the batch, and a second, small one for wallets whose worker id it told. The
// error is a *fault.
func (e *endpoint) ask(ctx context.Context, n Network, k Contracts, block *blockPlan, wallets []*walletPlan) error {
	var calls []*rpcCall
	if block != nil {
		calls = block.calls()
	}
	for _, w := range wallets {
		calls = append(calls, w.calls()...)
	}
	if err := e.batchAtBlock(ctx, calls); err != nil {
		return err
	}
	calls = nil
	for _, w := range wallets {
		if w.followID(n, k) {
			calls = append(calls, w.byWorkerID.calls()...)
		}
	}
	return e.batchAtBlock(ctx, calls)
}

// batchAtBlock is batch for reads pinned to a block; a node that does not know the block
// has failed as a whole.
func (e *endpoint) batchAtBlock(ctx context.Context, calls []*rpcCall) error {
	if len(calls) == 0 {
		return nil
	}
	if err := e.batch(ctx, calls); err != nil {
		return err
	}
	if slices.ContainsFunc(calls, func(c *rpcCall) bool { return codeOf(c.err) == codeBlockNotFound }) {
		return e.blockGone()
	}
	return nil
}

// followID plans the reads by worker id if ReputationManager does not know the wallet's
// address and JobManager told an id. It says whether there is something to ask.
func (p *walletPlan) followID(n Network, k Contracts) bool {
	if p.findID == nil {
		return false
	}
	r, ok := p.byWallet.reputation.read(n).Get()
	if !ok || r.Initialised() {
		return false
	}
	id, ok := p.findID.read(n).Get()
	if !ok || id.Big().Sign() == 0 || id == p.address.Felt() {
		return false
	}
	byID := planReputation(k, id, p.block)
	p.byWorkerID = &byID
	return true
}

// reputationOf chooses between what is known under the wallet's address and under its
// worker id. That a worker is unknown is only said when it is unknown under both.
func (p *walletPlan) reputationOf(n Network) (validator.ChainRead[validator.Reputation], validator.ChainRead[uint32]) {
	rep, rank := p.byWallet.reputation.read(n), p.byWallet.rank.read(n)
	if r, ok := rep.Get(); !ok || r.Initialised() {
		return rep, rank
	}
	if p.byWorkerID != nil {
		byID := p.byWorkerID.reputation.read(n)
		if r, ok := byID.Get(); !ok || r.Initialised() {
			return byID, p.byWorkerID.rank.read(n)
		}
		return rep, rank
	}
	if p.findID != nil && p.findID.rpc != nil {
		id := p.findID.read(n)
		code := codeOf(p.findID.rpc.err)
		if !id.Known() && code != codeContractNotFound && code != codeEntryPointNotFound {
			rep.Maybe = validator.None[validator.Reputation](id.Reason())
			rank.Maybe = validator.None[uint32](id.Reason())
		}
	}
	return rep, rank
}

// knownByAddress says whether ReputationManager knows the wallet by its address, so that
// no other id of it need be found.
func (p *walletPlan) knownByAddress(n Network) bool {
	r, ok := p.byWallet.reputation.read(n).Get()
	return ok && r.Initialised()
}

// workerID returns the id under which the wallet is known besides its address, or "".
func (p *walletPlan) workerID() validator.Felt {
	if p.byWorkerID == nil {
		return ""
	}
	return p.byWorkerID.reputation.call.Calldata[0]
}

// snapshot decodes what was read of the wallet.
func (p *walletPlan) snapshot(n Network, b *blockReads, at time.Time) *validator.ChainSnapshot {
	s := &validator.ChainSnapshot{
		Address:       p.address,
		Block:         b.Block,
		ObservedAt:    at,
		Stake:         p.stake.read(n),
		Eligible:      p.eligible.read(n),
		WalletBalance: p.balance.read(n),
		Mining:        p.mining.read(n),
		Network:       b.network(),
	}
	s.Reputation, s.ReputationRank = p.reputationOf(n)
	return s
}

// decode reads the block's part of the answers. The error is a *fault: without the
// block's time nothing can be said of rewards.
func (p *blockPlan) decode(e *endpoint, n Network, hash validator.Felt, at time.Time) (*blockReads, error) {
	b, err := e.decodeHeader(p.header, hash)
	if err != nil {
		return nil, err
	}
	return &blockReads{
		Block: b, observedAt: at, config: p.config.read(n), totalStaked: p.totalStaked.read(n),
		totalSlashed: p.totalSlashed.read(n), reputation: p.reputation.read(n),
	}, nil
}

func (b *blockReads) network() validator.ChainNetwork {
	return validator.ChainNetwork{
		Block: b.Block, ObservedAt: b.observedAt, Config: b.config, TotalStaked: b.totalStaked, TotalSlashed: b.totalSlashed, Reputation: b.reputation,
	}
}

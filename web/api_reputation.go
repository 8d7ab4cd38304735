package web

import (
	"context"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// reputationInput asks for a page of the changes of a reputation.
type reputationInput struct {
	WalletInput

	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many changes"`
	Before string `query:"before" doc:"The next_before of the page before this one; left out: the newest changes" example:"12345-0"`
}

// reputationJSON answers /api/validator/reputation.
type reputationJSON struct {
	WalletAddress  string                 `json:"wallet_address" doc:"The wallet, in normal form"`
	WorkerID       *string                `json:"worker_id" doc:"The id under which ReputationManager was asked: the wallet's address, or JobManager's id of it"`
	IsInitialised  *bool                  `json:"is_initialised" doc:"false: the contract does not know the worker, which is no score of 0"`
	Score          *uint32                `json:"score" doc:"0 to 1000"`
	Level          *uint32                `json:"level" doc:"1 to 5"`
	Rank           *uint32                `json:"rank" doc:"null while unranked"`
	RankedOf       *uint64                `json:"ranked_of" doc:"Workers that the contract knows"`
	LastUpdated    *int64                 `json:"last_updated" doc:"Unix seconds"`
	TotalJobs      *uint64                `json:"total_jobs" doc:"As the contract counts, as are the next four"`
	SuccessfulJobs *uint64                `json:"successful_jobs"`
	FailedJobs     *uint64                `json:"failed_jobs"`
	Disputes       *uint64                `json:"disputes"`
	Slashes        *uint64                `json:"slashes"`
	Changes        []reputationChangeJSON `json:"changes" doc:"Newest first, from the contract's events"`
	NextBefore     *string                `json:"next_before" doc:"Asks for the next page; null: there is none"`
	IndexFromBlock *uint64                `json:"index_from_block" doc:"The first block whose events were read"`
	IndexedBlock   *uint64                `json:"indexed_block" doc:"The last block whose events have been read; null: none has"`
	ChangesError   *string                `json:"changes_error" doc:"Why changes may be missing"`
	Sources        sourcesJSON            `json:"sources"`
}

// reputationChangeJSON is one change of the score.
type reputationChangeJSON struct {
	Timestamp   int64   `json:"timestamp" doc:"Unix seconds"`
	OldScore    uint32  `json:"old_score"`
	NewScore    uint32  `json:"new_score"`
	Delta       int64   `json:"delta" doc:"As the network asked for: the score stays within 0 and 1000"`
	Reason      string  `json:"reason" doc:"As the contract wrote it"`
	ReasonWords string  `json:"reason_words" doc:"The same in words; a reason that this program does not know stays as it is"`
	JobID       *string `json:"job_id"`
	TxHash      string  `json:"tx_hash"`
	Block       uint64  `json:"block"`
}

func (s *Server) apiReputation(ctx context.Context, in *reputationInput) (*reply[reputationJSON], error) {
	wallet, err := s.walletFor(ctx, in.WalletInput)
	if err != nil {
		return nil, err
	}
	before, err := parseReputationCursor("query.before", in.Before)
	if err != nil {
		return nil, err
	}
	p := validator.Picture{Address: wallet, Now: s.now(), Chain: s.chain.WalletSnapshot(ctx, wallet)}
	r := s.readReputation(ctx, p, before, in.Limit, false)
	rep, network := p.Chain.Reputation.Maybe, p.Chain.Network.Reputation.Maybe
	out := reputationJSON{
		WalletAddress: string(wallet), IsInitialised: field(rep, validator.Reputation.Initialised), Changes: []reputationChangeJSON{},
		RankedOf:   field(network, func(n validator.ReputationNetwork) uint64 { return n.Workers }),
		NextBefore: nonEmpty(cursorText(r.older)), Sources: sources(r.state, p.Chain.State),
	}
	if data := p.Chain.Reputation.Call.Calldata; len(data) == 1 {
		out.WorkerID = nonEmpty(string(data[0]))
	}
	if v, known := rep.Get(); known && v.Initialised() {
		out.Score, out.Level, out.LastUpdated = &v.Score, &v.Level, unix(v.LastUpdated)
		out.TotalJobs, out.SuccessfulJobs, out.FailedJobs, out.Disputes, out.Slashes = &v.TotalJobs, &v.Successful, &v.Failed, &v.Disputes, &v.Slashes
	}
	if v, known := p.Chain.ReputationRank.Get(); known && v > 0 {
		out.Rank = &v
	}
	list, known := r.changes.Get()
	for _, c := range list {
		out.Changes = append(out.Changes, reputationChangeJSON{
			c.When().Unix(), c.OldScore, c.NewScore, c.Delta, c.Reason, validator.ReputationReasonWords(c.Reason), nonEmpty(c.JobID), string(c.TxHash), c.Block.Number,
		})
	}
	if c, has := r.index.Get(); has {
		out.IndexFromBlock = &c.First
		if c.Done != nil {
			out.IndexedBlock = &c.Done.Number
		}
	}
	switch reach, behind := r.reach(p.Chain.Block, true); {
	case !known:
		out.ChangesError = nonEmpty(validator.Sentence(r.changes.Reason()))
	case behind, !r.index.Known():
		out.ChangesError = &reach
	}
	return ok(out)
}

package devchain

import "github.com/bitsage-network/validator-dashboard/validator"

// reputationManager is the ReputationManager contract.
func reputationManager() *contract {
	return &contract{name: "ReputationManager", functions: map[string]function{
		"get_reputation": view(func(s *state, args []validator.Felt) []validator.Felt {
			r := s.reputations[args[0]]
			return felts(r.Score, r.Level, r.LastUpdated, r.TotalJobs, r.Successful, r.Failed, r.Disputes, r.Slashes)
		}, feltInput("worker_id")),
		"get_worker_rank": view(func(s *state, args []validator.Felt) []validator.Felt {
			return felts(s.ranks[args[0]])
		}, feltInput("worker_id")),
	}}
}

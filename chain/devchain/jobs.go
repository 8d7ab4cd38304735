package devchain

import "github.com/bitsage-network/validator-dashboard/validator"

// jobManager is the part of the JobManager contract that knows workers.
func jobManager() *contract {
	return &contract{name: "JobManager", functions: map[string]function{
		"get_worker_id_by_address": view(func(s *state, args []validator.Felt) []validator.Felt {
			if id, ok := s.workerIDs[validator.Address(args[0])]; ok {
				return felts(id)
			}
			return felts(uint64(0))
		}, addressInput("worker_address")),
	}}
}

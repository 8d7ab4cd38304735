package devchain

import "github.com/bitsage-network/validator-dashboard/validator"

// jobManager is the part of the JobManager contract that knows workers and tells of jobs.
func jobManager() *contract {
	id := input{name: "job_id", cairoType: "sage_contracts::interfaces::job_manager::JobId", felts: 2}
	return &contract{name: "JobManager", abi: jobManagerABI, functions: map[string]function{
		"get_worker_id_by_address": view(func(s *state, args []validator.Felt) []validator.Felt {
			if id, ok := s.workerIDs[validator.Address(args[0])]; ok {
				return felts(id)
			}
			return felts(uint64(0))
		}, addressInput("worker_address")),
		"register_worker": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			x.state.workerIDs[x.caller] = args[0]
			return nil, nil
		}, feltInput("worker_id")),
		"claim_job": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			return nil, x.tellOfJob("JobClaimed", args, x.caller.Felt(), uint64(x.now))
		}, id),
		"complete_job": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			return nil, x.tellOfJob("JobCompleted", args, x.caller.Felt())
		}, id),
		"release_payment": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			amount, ok := u256Of(args[3], args[4])
			switch {
			case !ok:
				return nil, badParam(3)
			case x.caller != Owner:
				return nil, panicked("Unauthorized")
			}
			return nil, x.tellOfJob("PaymentReleased", args[:2], args[2], amount)
		}, id, addressInput("worker"), u256Input("amount")),
	}}
}

// tellOfJob emits an event of JobManager: its keys are the job's id, as a u256, and the worker.
func (x *execution) tellOfJob(name string, id []validator.Felt, worker validator.Felt, data ...any) error {
	if _, ok := u256Of(id[0], id[1]); !ok {
		return badParam(1)
	}
	x.emit(felts(selector(name), id, worker), felts(data...))
	return nil
}

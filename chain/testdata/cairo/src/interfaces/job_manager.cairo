use starknet::ContractAddress;

#[derive(Drop, Copy, Serde)]
pub struct JobId {
    pub value: u256,
}

#[starknet::interface]
pub trait IJobManager<TContractState> {
    fn get_worker_id_by_address(self: @TContractState, worker_address: ContractAddress) -> felt252;
    fn register_worker(ref self: TContractState, worker_id: felt252);
    fn claim_job(ref self: TContractState, job_id: JobId);
    fn complete_job(ref self: TContractState, job_id: JobId);
    fn release_payment(ref self: TContractState, job_id: JobId, worker: ContractAddress, amount: u256);
}

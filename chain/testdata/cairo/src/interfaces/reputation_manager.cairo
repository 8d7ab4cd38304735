#[derive(Drop, Copy, Serde, PartialEq)]
pub enum ReputationReason {
    JobCompleted,
    JobFailed,
    WorkerSlashed,
    DisputeLost,
    DisputeWon,
    InactivityDecay,
    AdminAdjustment,
}

#[derive(Drop, Copy, Serde, starknet::Store)]
pub struct ReputationScore {
    pub score: u32,
    pub level: u8,
    pub last_updated: u64,
    pub total_jobs_completed: u32,
    pub successful_jobs: u32,
    pub failed_jobs: u32,
    pub dispute_count: u32,
    pub slash_count: u32,
}

#[derive(Drop, Copy, Serde, starknet::Store)]
pub struct ReputationEvent {
    pub timestamp: u64,
    pub score_delta: i32,
    pub reason: felt252,
    pub job_id: Option<u256>,
    pub old_score: u32,
    pub new_score: u32,
}

#[starknet::interface]
pub trait IReputationManager<TContractState> {
    fn get_reputation(self: @TContractState, worker_id: felt252) -> ReputationScore;
    fn get_worker_rank(self: @TContractState, worker_id: felt252) -> u32;
    fn get_network_stats(self: @TContractState) -> (u32, u32, u32, u32);
    fn get_reputation_history(self: @TContractState, worker_id: felt252, limit: u32) -> Array<ReputationEvent>;
    fn initialize_reputation(ref self: TContractState, worker_id: felt252) -> bool;
    fn update_reputation(
        ref self: TContractState,
        worker_id: felt252,
        score_delta: i32,
        reason: ReputationReason,
        job_id: Option<u256>,
    ) -> bool;
}

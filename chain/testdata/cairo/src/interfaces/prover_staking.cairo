use starknet::ContractAddress;
use crate::staking::prover_staking::{GpuTier, SlashReason, StakeInfo, StakingConfig};

#[starknet::interface]
pub trait IProverStaking<TContractState> {
    fn get_stake(self: @TContractState, worker: ContractAddress) -> StakeInfo;
    fn get_config(self: @TContractState) -> StakingConfig;
    fn get_min_stake(self: @TContractState, gpu_tier: GpuTier) -> u256;
    fn is_eligible(self: @TContractState, worker: ContractAddress) -> bool;
    fn total_staked(self: @TContractState) -> u256;
    fn total_slashed(self: @TContractState) -> u256;
    fn stake(ref self: TContractState, amount: u256, gpu_tier: GpuTier);
    fn request_unstake(ref self: TContractState, amount: u256);
    fn complete_unstake(ref self: TContractState);
    fn claim_rewards(ref self: TContractState) -> u256;
    fn slash(ref self: TContractState, worker: ContractAddress, reason: SlashReason, job_id: felt252);
    fn record_success(ref self: TContractState, worker: ContractAddress, job_id: felt252);
}

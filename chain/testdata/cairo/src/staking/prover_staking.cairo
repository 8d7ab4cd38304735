//! ProverStaking: stakes, rewards, unstaking and slashes, with the arithmetic of the network's own.

#[derive(Drop, Copy, Serde, PartialEq, Default, starknet::Store)]
pub enum GpuTier {
    #[default]
    Consumer,
    Workstation,
    DataCenter,
    Enterprise,
    Frontier,
}

#[derive(Drop, Copy, Serde, PartialEq)]
pub enum SlashReason {
    InvalidProof,
    Timeout,
    RepeatedFailures,
    Malicious,
    BenchmarkFraud,
}

#[derive(Drop, Copy, Serde, starknet::Store)]
pub struct StakeInfo {
    pub amount: u256,
    pub locked_amount: u256,
    pub staked_at: u64,
    pub last_claim_at: u64,
    pub gpu_tier: GpuTier,
    pub is_active: bool,
    pub consecutive_failures: u32,
    pub total_slashed: u256,
    pub pending_rewards: u256,
}

#[derive(Drop, Copy, Serde, starknet::Store)]
pub struct StakingConfig {
    pub min_stake_consumer: u256,
    pub min_stake_workstation: u256,
    pub min_stake_datacenter: u256,
    pub min_stake_enterprise: u256,
    pub min_stake_frontier: u256,
    pub slash_invalid_proof_bps: u32,
    pub slash_timeout_bps: u32,
    pub slash_repeated_failures_bps: u32,
    pub slash_malicious_bps: u32,
    pub slash_benchmark_fraud_bps: u32,
    pub unstake_lockup_secs: u64,
    pub reward_apy_bps: u32,
    pub max_consecutive_failures: u32,
}

#[starknet::contract]
pub mod ProverStaking {
    use starknet::storage::{
        Map, StorageMapReadAccess, StorageMapWriteAccess, StoragePointerReadAccess, StoragePointerWriteAccess,
    };
    use starknet::{ContractAddress, get_block_timestamp, get_caller_address, get_contract_address};
    use crate::interfaces::prover_staking::IProverStaking;
    use crate::interfaces::sage_token::{ISAGETokenDispatcher, ISAGETokenDispatcherTrait};
    use super::{GpuTier, SlashReason, StakeInfo, StakingConfig};

    const SAGE: u256 = 1_000_000_000_000_000_000;
    const WHOLE_BPS: u256 = 10_000;
    const YEAR_SECS: u256 = 31_536_000;

    #[storage]
    struct Storage {
        owner: ContractAddress,
        token: ContractAddress,
        treasury: ContractAddress,
        config: StakingConfig,
        stakes: Map<ContractAddress, StakeInfo>,
        unstake_amount: Map<ContractAddress, u256>,
        unstake_unlock_time: Map<ContractAddress, u64>,
        total_staked: u256,
        total_slashed: u256,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    pub enum Event {
        Staked: Staked,
        UnstakeRequested: UnstakeRequested,
        UnstakeCompleted: UnstakeCompleted,
        Slashed: Slashed,
        RewardsClaimed: RewardsClaimed,
        SuccessRecorded: SuccessRecorded,
    }

    #[derive(Drop, starknet::Event)]
    pub struct Staked {
        #[key]
        pub worker: ContractAddress,
        pub amount: u256,
        pub gpu_tier: GpuTier,
        pub total_stake: u256,
    }

    #[derive(Drop, starknet::Event)]
    pub struct UnstakeRequested {
        #[key]
        pub worker: ContractAddress,
        pub amount: u256,
        pub unlock_time: u64,
    }

    #[derive(Drop, starknet::Event)]
    pub struct UnstakeCompleted {
        #[key]
        pub worker: ContractAddress,
        pub amount: u256,
    }

    #[derive(Drop, starknet::Event)]
    pub struct Slashed {
        #[key]
        pub worker: ContractAddress,
        pub amount: u256,
        pub reason: SlashReason,
        pub job_id: felt252,
    }

    #[derive(Drop, starknet::Event)]
    pub struct RewardsClaimed {
        #[key]
        pub worker: ContractAddress,
        pub amount: u256,
    }

    #[derive(Drop, starknet::Event)]
    pub struct SuccessRecorded {
        #[key]
        pub worker: ContractAddress,
        pub job_id: felt252,
    }

    #[constructor]
    fn constructor(
        ref self: ContractState, owner: ContractAddress, token: ContractAddress, treasury: ContractAddress,
    ) {
        self.owner.write(owner);
        self.token.write(token);
        self.treasury.write(treasury);
        self
            .config
            .write(
                StakingConfig {
                    min_stake_consumer: 1_000 * SAGE,
                    min_stake_workstation: 2_500 * SAGE,
                    min_stake_datacenter: 5_000 * SAGE,
                    min_stake_enterprise: 10_000 * SAGE,
                    min_stake_frontier: 25_000 * SAGE,
                    slash_invalid_proof_bps: 1_000,
                    slash_timeout_bps: 500,
                    slash_repeated_failures_bps: 2_500,
                    slash_malicious_bps: 5_000,
                    slash_benchmark_fraud_bps: 7_500,
                    unstake_lockup_secs: 604_800,
                    reward_apy_bps: 1_500,
                    max_consecutive_failures: 3,
                },
            );
    }

    #[abi(embed_v0)]
    impl ProverStakingImpl of IProverStaking<ContractState> {
        fn get_stake(self: @ContractState, worker: ContractAddress) -> StakeInfo {
            self.stakes.read(worker)
        }

        fn get_config(self: @ContractState) -> StakingConfig {
            self.config.read()
        }

        fn get_min_stake(self: @ContractState, gpu_tier: GpuTier) -> u256 {
            let config = self.config.read();
            match gpu_tier {
                GpuTier::Consumer => config.min_stake_consumer,
                GpuTier::Workstation => config.min_stake_workstation,
                GpuTier::DataCenter => config.min_stake_datacenter,
                GpuTier::Enterprise => config.min_stake_enterprise,
                GpuTier::Frontier => config.min_stake_frontier,
            }
        }

        fn is_eligible(self: @ContractState, worker: ContractAddress) -> bool {
            let info = self.stakes.read(worker);
            info.is_active
                && info.amount >= self.get_min_stake(info.gpu_tier)
                && info.consecutive_failures < self.config.read().max_consecutive_failures
        }

        fn total_staked(self: @ContractState) -> u256 {
            self.total_staked.read()
        }

        fn total_slashed(self: @ContractState) -> u256 {
            self.total_slashed.read()
        }

        fn stake(ref self: ContractState, amount: u256, gpu_tier: GpuTier) {
            let worker = get_caller_address();
            let mut info = self.stakes.read(worker);
            let total_stake = info.amount + amount;
            assert(total_stake >= self.get_min_stake(gpu_tier), 'Insufficient stake for tier');
            self.sage().transfer_from(worker, get_contract_address(), amount);
            if info.amount > 0 {
                info.pending_rewards += self.accrued(info);
            }
            let now = get_block_timestamp();
            info.amount = total_stake;
            info.gpu_tier = gpu_tier;
            info.is_active = true;
            info.last_claim_at = now;
            if info.staked_at == 0 {
                info.staked_at = now;
            }
            self.stakes.write(worker, info);
            self.total_staked.write(self.total_staked.read() + amount);
            self.emit(Staked { worker, amount, gpu_tier, total_stake });
        }

        fn request_unstake(ref self: ContractState, amount: u256) {
            let worker = get_caller_address();
            let mut info = self.stakes.read(worker);
            assert(info.amount >= amount, 'Insufficient stake');
            assert(info.locked_amount == 0, 'Pending unstake exists');
            let unlock_time = get_block_timestamp() + self.config.read().unstake_lockup_secs;
            info.locked_amount = amount;
            self.stakes.write(worker, info);
            self.unstake_amount.write(worker, amount);
            self.unstake_unlock_time.write(worker, unlock_time);
            self.emit(UnstakeRequested { worker, amount, unlock_time });
        }

        fn complete_unstake(ref self: ContractState) {
            let worker = get_caller_address();
            let amount = self.unstake_amount.read(worker);
            assert(amount > 0, 'No pending unstake');
            assert(get_block_timestamp() >= self.unstake_unlock_time.read(worker), 'Lockup not expired');
            let mut info = self.stakes.read(worker);
            info.amount -= amount;
            info.locked_amount = 0;
            if info.amount < self.get_min_stake(info.gpu_tier) {
                info.is_active = false;
            }
            self.sage().transfer(worker, amount);
            self.stakes.write(worker, info);
            self.unstake_amount.write(worker, 0);
            self.unstake_unlock_time.write(worker, 0);
            self.total_staked.write(self.total_staked.read() - amount);
            self.emit(UnstakeCompleted { worker, amount });
        }

        fn claim_rewards(ref self: ContractState) -> u256 {
            let worker = get_caller_address();
            let mut info = self.stakes.read(worker);
            let amount = info.pending_rewards + self.accrued(info);
            assert(amount > 0, 'No rewards to claim');
            info.pending_rewards = 0;
            info.last_claim_at = get_block_timestamp();
            self.stakes.write(worker, info);
            self.sage().transfer_from(self.treasury.read(), worker, amount);
            self.emit(RewardsClaimed { worker, amount });
            amount
        }

        fn slash(ref self: ContractState, worker: ContractAddress, reason: SlashReason, job_id: felt252) {
            self.only_owner();
            let config = self.config.read();
            let bps = match reason {
                SlashReason::InvalidProof => config.slash_invalid_proof_bps,
                SlashReason::Timeout => config.slash_timeout_bps,
                SlashReason::RepeatedFailures => config.slash_repeated_failures_bps,
                SlashReason::Malicious => config.slash_malicious_bps,
                SlashReason::BenchmarkFraud => config.slash_benchmark_fraud_bps,
            };
            let mut info = self.stakes.read(worker);
            let amount = info.amount * bps.into() / WHOLE_BPS;
            info.amount -= amount;
            info.total_slashed += amount;
            info.consecutive_failures += 1;
            if info.amount < self.get_min_stake(info.gpu_tier)
                || info.consecutive_failures >= config.max_consecutive_failures {
                info.is_active = false;
            }
            self.stakes.write(worker, info);
            self.total_staked.write(self.total_staked.read() - amount);
            self.total_slashed.write(self.total_slashed.read() + amount);
            self.sage().transfer(self.treasury.read(), amount);
            self.emit(Slashed { worker, amount, reason, job_id });
        }

        fn record_success(ref self: ContractState, worker: ContractAddress, job_id: felt252) {
            self.only_owner();
            let mut info = self.stakes.read(worker);
            info.consecutive_failures = 0;
            self.stakes.write(worker, info);
            self.emit(SuccessRecorded { worker, job_id });
        }
    }

    #[generate_trait]
    impl Internal of InternalTrait {
        fn sage(self: @ContractState) -> ISAGETokenDispatcher {
            ISAGETokenDispatcher { contract_address: self.token.read() }
        }

        fn only_owner(self: @ContractState) {
            assert(get_caller_address() == self.owner.read(), 'Unauthorized');
        }

        /// Rewards since the last claim, which pending_rewards does not hold yet.
        fn accrued(self: @ContractState, info: StakeInfo) -> u256 {
            let elapsed = get_block_timestamp() - info.last_claim_at;
            info.amount * self.config.read().reward_apy_bps.into() * elapsed.into() / (WHOLE_BPS * YEAR_SECS)
        }
    }
}

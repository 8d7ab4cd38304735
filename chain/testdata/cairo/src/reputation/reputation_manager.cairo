//! ReputationManager: a score of 0 to 1000 for each worker, with its newest changes.

#[starknet::contract]
pub mod ReputationManager {
    use starknet::storage::{
        Map, StorageMapReadAccess, StorageMapWriteAccess, StoragePointerReadAccess, StoragePointerWriteAccess,
    };
    use starknet::{ContractAddress, get_block_timestamp, get_caller_address};
    use crate::interfaces::reputation_manager::{
        IReputationManager, ReputationEvent, ReputationReason, ReputationScore,
    };

    const INITIAL_SCORE: u32 = 500;
    const MAX_SCORE: i32 = 1000;
    /// How many changes of a worker the history tells at most.
    const HISTORY_KEPT: u32 = 20;

    #[storage]
    struct Storage {
        owner: ContractAddress,
        workers: u32,
        worker_at: Map<u32, felt252>,
        reputations: Map<felt252, ReputationScore>,
        changes: Map<felt252, u32>,
        change_at: Map<(felt252, u32), ReputationEvent>,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    pub enum Event {
        ReputationInitialized: ReputationInitialized,
        ReputationUpdated: ReputationUpdated,
    }

    #[derive(Drop, starknet::Event)]
    pub struct ReputationInitialized {
        #[key]
        pub worker_id: felt252,
        pub score: u32,
        pub timestamp: u64,
    }

    #[derive(Drop, starknet::Event)]
    pub struct ReputationUpdated {
        #[key]
        pub worker_id: felt252,
        pub old_score: u32,
        pub new_score: u32,
        pub score_delta: i32,
        pub reason: felt252,
        pub job_id: Option<u256>,
        pub timestamp: u64,
    }

    #[constructor]
    fn constructor(ref self: ContractState, owner: ContractAddress) {
        self.owner.write(owner);
    }

    #[abi(embed_v0)]
    impl ReputationManagerImpl of IReputationManager<ContractState> {
        fn get_reputation(self: @ContractState, worker_id: felt252) -> ReputationScore {
            self.reputations.read(worker_id)
        }

        /// 1 is the highest score; 0 is a worker without one.
        fn get_worker_rank(self: @ContractState, worker_id: felt252) -> u32 {
            let own = self.reputations.read(worker_id);
            if own.last_updated == 0 {
                return 0;
            }
            let mut rank = 1;
            for place in 0..self.workers.read() {
                if self.reputations.read(self.worker_at.read(place)).score > own.score {
                    rank += 1;
                }
            }
            rank
        }

        /// How many workers have a score, their average rounded down, the highest and the lowest.
        fn get_network_stats(self: @ContractState) -> (u32, u32, u32, u32) {
            let workers = self.workers.read();
            if workers == 0 {
                return (0, 0, 0, 0);
            }
            let mut sum = 0;
            let mut highest = 0;
            let mut lowest = 1000;
            for place in 0..workers {
                let score = self.reputations.read(self.worker_at.read(place)).score;
                sum += score;
                highest = core::cmp::max(highest, score);
                lowest = core::cmp::min(lowest, score);
            }
            (workers, sum / workers, highest, lowest)
        }

        fn get_reputation_history(self: @ContractState, worker_id: felt252, limit: u32) -> Array<ReputationEvent> {
            let mut history = array![];
            let mut place = self.changes.read(worker_id);
            let mut left = core::cmp::min(core::cmp::min(limit, HISTORY_KEPT), place);
            while left > 0 {
                place -= 1;
                left -= 1;
                history.append(self.change_at.read((worker_id, place)));
            }
            history
        }

        fn initialize_reputation(ref self: ContractState, worker_id: felt252) -> bool {
            if self.reputations.read(worker_id).last_updated != 0 {
                return false;
            }
            let timestamp = get_block_timestamp();
            let first = ReputationScore {
                score: INITIAL_SCORE,
                level: level_of(INITIAL_SCORE),
                last_updated: timestamp,
                total_jobs_completed: 0,
                successful_jobs: 0,
                failed_jobs: 0,
                dispute_count: 0,
                slash_count: 0,
            };
            self.reputations.write(worker_id, first);
            let workers = self.workers.read();
            self.worker_at.write(workers, worker_id);
            self.workers.write(workers + 1);
            self.emit(ReputationInitialized { worker_id, score: INITIAL_SCORE, timestamp });
            true
        }

        fn update_reputation(
            ref self: ContractState,
            worker_id: felt252,
            score_delta: i32,
            reason: ReputationReason,
            job_id: Option<u256>,
        ) -> bool {
            let mut r = self.reputations.read(worker_id);
            if get_caller_address() != self.owner.read() || r.last_updated == 0 {
                return false;
            }
            let timestamp = get_block_timestamp();
            let old_score = r.score;
            let sum: i32 = old_score.try_into().unwrap() + score_delta;
            let new_score: u32 = core::cmp::min(core::cmp::max(sum, 0), MAX_SCORE).try_into().unwrap();
            r.score = new_score;
            r.level = level_of(new_score);
            r.last_updated = timestamp;
            match reason {
                ReputationReason::JobCompleted => {
                    r.total_jobs_completed += 1;
                    r.successful_jobs += 1;
                },
                ReputationReason::JobFailed => {
                    r.total_jobs_completed += 1;
                    r.failed_jobs += 1;
                },
                ReputationReason::WorkerSlashed => { r.slash_count += 1; },
                ReputationReason::DisputeLost | ReputationReason::DisputeWon => { r.dispute_count += 1; },
                ReputationReason::InactivityDecay | ReputationReason::AdminAdjustment => {},
            }
            self.reputations.write(worker_id, r);
            let word = word_of(reason);
            let place = self.changes.read(worker_id);
            self
                .change_at
                .write(
                    (worker_id, place),
                    ReputationEvent { timestamp, score_delta, reason: word, job_id, old_score, new_score },
                );
            self.changes.write(worker_id, place + 1);
            self.emit(ReputationUpdated { worker_id, old_score, new_score, score_delta, reason: word, job_id, timestamp });
            true
        }
    }

    fn level_of(score: u32) -> u8 {
        if score >= 850 {
            5
        } else if score >= 700 {
            4
        } else if score >= 500 {
            3
        } else if score >= 300 {
            2
        } else {
            1
        }
    }

    fn word_of(reason: ReputationReason) -> felt252 {
        match reason {
            ReputationReason::JobCompleted => 'job_completed',
            ReputationReason::JobFailed => 'job_failed',
            ReputationReason::WorkerSlashed => 'worker_slashed',
            ReputationReason::DisputeLost => 'dispute_lost',
            ReputationReason::DisputeWon => 'dispute_won',
            ReputationReason::InactivityDecay => 'inactivity_decay',
            ReputationReason::AdminAdjustment => 'admin_adjustment',
        }
    }
}

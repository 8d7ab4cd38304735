//! JobManager as far as the dashboard meets it: ids of workers, and the events of their jobs.

#[starknet::contract]
pub mod JobManager {
    use starknet::storage::{
        Map, StorageMapReadAccess, StorageMapWriteAccess, StoragePointerReadAccess, StoragePointerWriteAccess,
    };
    use starknet::{ContractAddress, get_block_timestamp, get_caller_address};
    use crate::interfaces::job_manager::{IJobManager, JobId};

    #[storage]
    struct Storage {
        owner: ContractAddress,
        worker_ids: Map<ContractAddress, felt252>,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    pub enum Event {
        JobClaimed: JobClaimed,
        JobCompleted: JobCompleted,
        PaymentReleased: PaymentReleased,
    }

    #[derive(Drop, starknet::Event)]
    pub struct JobClaimed {
        #[key]
        pub job_id: JobId,
        #[key]
        pub worker: ContractAddress,
        pub claimed_at: u64,
    }

    #[derive(Drop, starknet::Event)]
    pub struct JobCompleted {
        #[key]
        pub job_id: JobId,
        #[key]
        pub worker: ContractAddress,
    }

    #[derive(Drop, starknet::Event)]
    pub struct PaymentReleased {
        #[key]
        pub job_id: JobId,
        #[key]
        pub worker: ContractAddress,
        pub amount: u256,
    }

    #[constructor]
    fn constructor(ref self: ContractState, owner: ContractAddress) {
        self.owner.write(owner);
    }

    #[abi(embed_v0)]
    impl JobManagerImpl of IJobManager<ContractState> {
        fn get_worker_id_by_address(self: @ContractState, worker_address: ContractAddress) -> felt252 {
            self.worker_ids.read(worker_address)
        }

        fn register_worker(ref self: ContractState, worker_id: felt252) {
            self.worker_ids.write(get_caller_address(), worker_id);
        }

        fn claim_job(ref self: ContractState, job_id: JobId) {
            self.emit(JobClaimed { job_id, worker: get_caller_address(), claimed_at: get_block_timestamp() });
        }

        fn complete_job(ref self: ContractState, job_id: JobId) {
            self.emit(JobCompleted { job_id, worker: get_caller_address() });
        }

        fn release_payment(ref self: ContractState, job_id: JobId, worker: ContractAddress, amount: u256) {
            assert(get_caller_address() == self.owner.read(), 'Unauthorized');
            self.emit(PaymentReleased { job_id, worker, amount });
        }
    }
}

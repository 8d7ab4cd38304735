pub mod staking {
    pub mod prover_staking;
}
pub mod interfaces {
    pub mod job_manager;
    pub mod prover_staking;
    pub mod reputation_manager;
    pub mod sage_token;
}
pub mod reputation {
    pub mod reputation_manager;
}
pub mod token {
    pub mod sage_token;
}
pub mod jobs {
    pub mod job_manager;
}

package validator

// ContractCheck is the outcome of comparing a deployed contract with what this program calls.
type ContractCheck struct {
	Name             string // "ProverStaking"
	Address          Address
	Status           ContractStatus
	ClassHash        Felt
	MissingFunctions []string // functions that this program needs and the class lacks
	Reason           string   // one sentence for people unless the contract is ok
}

// ContractStatus is the state of a contract as it was last checked.
type ContractStatus string

// The states of a contract.
const (
	ContractOK            ContractStatus = "ok"
	ContractUnchecked     ContractStatus = "unchecked" // the node could not be asked yet
	ContractNotConfigured ContractStatus = "not_configured"
	ContractNotDeployed   ContractStatus = "not_deployed"
	ContractIncompatible  ContractStatus = "incompatible" // a function is missing, or a view answers in another shape
)

package devchain

import (
	_ "embed" // of the ABIs
	"regexp"
)

// The ABIs of the network's contracts, as the Cairo compiler writes them for the sources
// under chain/testdata/cairo.
var (
	//go:embed abi/ProverStaking.json
	proverStakingABI []byte
	//go:embed abi/ReputationManager.json
	reputationManagerABI []byte
	//go:embed abi/SAGEToken.json
	sageTokenABI []byte
	//go:embed abi/JobManager.json
	jobManagerABI []byte
)

var feltJobID = regexp.MustCompile(`("name": "job_id",\s+"type": )"core::felt252"`)

// withWideJobIDs makes the ids of jobs in an ABI u256 instead of felts.
func withWideJobIDs(abi []byte) []byte {
	return feltJobID.ReplaceAll(abi, []byte(`$1"core::integer::u256"`))
}

package chain

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestStakeEventsOfAnotherLengthAreRefused(t *testing.T) {
	for name, lengths := range map[string][]int{
		"Staked": {5}, "UnstakeRequested": {3}, "UnstakeCompleted": {2}, "Slashed": {4, 5}, "RewardsClaimed": {2},
	} {
		for n := range 12 {
			_, err := decodeStakeEventData(name, slices.Repeat(feltsOf(0), n))
			switch want := fmt.Sprintf("answered %d felts, %d expected", n, lengths[0]); {
			case slices.Contains(lengths, n):
				if err != nil {
					t.Errorf("%s of %d felts: %v", name, n, err)
				}
			case err == nil || err.Error() != want:
				t.Errorf("%s of %d felts: %v, want %q", name, n, err, want)
			}
		}
	}
}

func TestAJobsNumberReadsTheSameInOneFeltAndInTwo(t *testing.T) {
	amount, reason := validator.WeiFromSAGE(5), 2
	for name, c := range map[string]struct {
		data []validator.Felt
		job  string
	}{
		"one felt":            {feltsOf(amount, reason, 0x2a), "0x2a"},
		"two felts":           {feltsOf(amount, reason, validator.WeiFromInt(0x2a)), "0x2a"},
		"zero":                {feltsOf(amount, reason, 0), "0x0"},
		"the largest felt":    {feltsOf(amount, reason, feltPrimeLess1()), fmt.Sprintf("%#x", feltPrimeLess1())},
		"the largest u256":    {feltsOf(amount, reason, validator.WeiFromBig(new(big.Int).Sub(pow2(256), big.NewInt(1)))), "0x" + fmt.Sprintf("%064x", new(big.Int).Sub(pow2(256), big.NewInt(1)))},
		"above 2^128 in u256": {feltsOf(amount, reason, validator.WeiFromBig(pow2(130))), fmt.Sprintf("%#x", pow2(130))},
	} {
		e, err := decodeStakeEventData("Slashed", c.data)
		if err != nil || e.JobID != c.job || e.Reason != validator.SlashRepeatedFailures || !e.Amount.Equal(amount) {
			t.Errorf("%s: %+v, %v, want job %s", name, e, err, c.job)
		}
	}
}

package history

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// felt is a hash that stands for one that a network made. Its highest bits are 0, so that
// it is below the field's prime.
func felt(dice *rand.Rand) validator.Felt {
	return validator.Felt(fmt.Sprintf("0x%016x%016x%016x%016x", dice.Uint64()>>6, dice.Uint64(), dice.Uint64(), dice.Uint64()))
}

// addressOf is the address of somebody with a name, the same in every story.
func addressOf(name string, n int) validator.Address {
	sum := sha256.Sum256(fmt.Appendf(nil, "demo %s %d", name, n))
	sum[0] &= 3
	return validator.Address(fmt.Sprintf("0x%x", sum))
}

// clientCount is how many clients submit jobs.
const clientCount = 14

// client draws who submits a job: the first few submit most.
func client(dice *rand.Rand) validator.Address {
	share := dice.Float64()
	return addressOf("client", int(share*share*clientCount))
}

// weighted draws an index by the weights, which are in hundredths and sum to 100.
func weighted(dice *rand.Rand, weight func(i int) int) int {
	n := dice.IntN(100)
	for i := 0; ; i++ {
		if n -= weight(i); n < 0 {
			return i
		}
	}
}

package history

import (
	"math"
	"math/big"
	"math/rand/v2"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// kind is a type of job: how often it comes, how long it takes, and what it pays.
type kind struct {
	name        string
	weight      int           // of 100 jobs
	median      time.Duration // of its length
	spread      float64       // sigma of the length's logarithm
	deadline    time.Duration
	baseSAGE    float64
	sagePerHour float64
	utilization float64 // of the card, 0 to 1
	memoryShare float64 // of the card's memory
	process     string
	// How long its jobs take while somebody watches; no span for kinds that take too long.
	liveLeast, liveSpan time.Duration
}

var kinds = []kind{
	{"inference", 40, 12 * time.Minute, 1.0, 2 * time.Hour, 0.03, 1.5, 0.72, 0.55, "vllm", 20 * time.Second, 50 * time.Second},
	{"zk-proof", 22, 9 * time.Minute, 0.6, time.Hour, 0.05, 1.9, 0.97, 0.32, "stwo-prover", 35 * time.Second, 80 * time.Second},
	{"rendering", 15, 35 * time.Minute, 0.8, 4 * time.Hour, 0.02, 1.1, 0.91, 0.41, "blender", time.Minute, 2 * time.Minute},
	{"fine-tuning", 15, 100 * time.Minute, 0.7, 9 * time.Hour, 0.05, 1.25, 0.98, 0.83, "python3", 2 * time.Minute, 3 * time.Minute},
	{"training", 8, 330 * time.Minute, 0.55, 20 * time.Hour, 0.2, 1.2, 0.99, 0.92, "torchrun", 0, 0},
}

func drawKind(dice *rand.Rand) *kind {
	return &kinds[weighted(dice, func(i int) int { return kinds[i].weight })]
}

func kindNamed(name string) *kind {
	for i := range kinds {
		if kinds[i].name == name {
			return &kinds[i]
		}
	}
	return &kinds[0]
}

const shortest = 15 * time.Second

// length draws how long a job takes: log-normal, and well within the deadline.
func (k *kind) length(dice *rand.Rand) time.Duration {
	d := time.Duration(float64(k.median) * math.Exp(dice.NormFloat64()*k.spread))
	return min(max(d, shortest), k.deadline*9/10).Truncate(time.Millisecond)
}

// payment is what a job pays that ran for some time: the kind's base, and the rate that its
// client offered, to the wei.
func (k *kind) payment(dice *rand.Rand, d time.Duration) validator.Wei {
	const micro, spread = 1e6, 0.22
	rate := int64(k.sagePerHour * math.Exp(dice.NormFloat64()*spread) * micro)
	perHour := validator.WeiFromSAGE(rate).MulDiv(big.NewInt(d.Milliseconds()), big.NewInt(micro*time.Hour.Milliseconds()))
	return perHour.Add(validator.WeiFromSAGE(int64(k.baseSAGE*micro)).MulDiv(big.NewInt(1), big.NewInt(micro)))
}

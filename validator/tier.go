package validator

// Tier is ProverStaking's GpuTier, by its index in the contract's enum.
type Tier int

// The contract's tiers.
const (
	TierConsumer Tier = iota
	TierWorkstation
	TierDataCenter
	TierEnterprise
	TierFrontier
	TierCount
)

var tierNames = [TierCount]string{"Consumer", "Workstation", "DataCenter", "Enterprise", "Frontier"}

// String returns the tier's name in the contract, or "unknown".
func (t Tier) String() string {
	if t < 0 || t >= TierCount {
		return "unknown"
	}
	return tierNames[t]
}

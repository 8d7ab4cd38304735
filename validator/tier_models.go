package validator

import (
	"strings"
	"unicode"
)

// tierModels is the one table of models by tier, in the words of modelWords without the
// brand. A name belongs to a row if it begins with one of the row's models, whole words.
var tierModels = [TierCount][]string{
	TierConsumer: {
		"geforce",
		"titan",
	},
	TierWorkstation: {
		"quadro",
		"rtx a400", "rtx a500", "rtx a1000", "rtx a2000", "rtx a3000", "rtx a4000", "rtx a4500", "rtx a5000", "rtx a5500", "rtx a6000",
		"rtx 500 ada", "rtx 1000 ada", "rtx 2000 ada", "rtx 2000e ada", "rtx 3000 ada", "rtx 3500 ada", "rtx 4000 ada", "rtx 4000 sff ada",
		"rtx 4500 ada", "rtx 5000 ada", "rtx 5880 ada", "rtx 6000 ada",
		"rtx pro 500", "rtx pro 1000", "rtx pro 2000", "rtx pro 3000", "rtx pro 4000", "rtx pro 4500", "rtx pro 5000", "rtx pro 6000",
		"t400", "t500", "t550", "t600", "t1000", "t1200", "t2000",
		"l2", "l4", "l20", "l40", "l40s", "l40g",
		"a2", "a10", "a10g", "a10m", "a16", "a40",
		"p4", "p40", "t4", "t4g", "t10",
	},
	TierDataCenter: {
		"p100", "v100", "v100s",
		"a30", "a30x", "a100", "a100x", "a800",
	},
	TierEnterprise: {
		"h20", "h100", "h200", "h800", "gh200",
	},
	TierFrontier: {
		"b100", "b200", "b300", "gb200", "gb300",
	},
}

// TierOfModel returns the tier of a GPU by its model's name as NVML spells it, such as
// "NVIDIA H100 80GB HBM3" or "Tesla V100-SXM2-16GB". A model that is in no row of the
// table has no tier: it is never taken for a consumer card.
//
// The contract's own comments name RTX A6000 and L40S for Workstation, A100 for
// DataCenter, H100 and H200 for Enterprise, and B200 for Frontier. The other models are
// placed by us beside those: boards of NVIDIA's professional lines with GDDR memory,
// whether for desks (RTX, Quadro, T1000) or for servers (A40, L4, T4), are with the L40S;
// boards with HBM are with their generation, Volta and Ampere with the A100, Hopper with
// the H100, Blackwell with the B200; GeForce and TITAN are Consumer.
func TierOfModel(name string) (Tier, bool) {
	words := modelWords(name) + " "
	for tier, models := range tierModels {
		for _, model := range models {
			if strings.HasPrefix(words, model+" ") {
				return Tier(tier), true
			}
		}
	}
	return 0, false
}

// modelWords returns a name's lower-case words without the brand in front:
// "NVIDIA A100-SXM4-80GB" becomes "a100 sxm4 80gb".
func modelWords(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for len(words) > 0 && (words[0] == "nvidia" || words[0] == "tesla") {
		words = words[1:]
	}
	return strings.Join(words, " ")
}

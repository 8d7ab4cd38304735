package validator

import "testing"

func TestTierOfModel(t *testing.T) {
	const none = TierCount
	for name, want := range map[string]Tier{
		"NVIDIA GeForce RTX 4090":       TierConsumer,
		"NVIDIA GeForce RTX 5090 D":     TierConsumer,
		"NVIDIA GeForce GTX 1080 Ti":    TierConsumer,
		"GeForce GTX 980":               TierConsumer,
		"NVIDIA GeForce MX450":          TierConsumer,
		"NVIDIA TITAN RTX":              TierConsumer,
		"TITAN V":                       TierConsumer,
		"nvidia geforce rtx 3060":       TierConsumer,
		"  NVIDIA  GeForce  RTX 3090  ": TierConsumer,

		"NVIDIA RTX A6000":                                        TierWorkstation,
		"RTX A6000":                                               TierWorkstation,
		"NVIDIA RTX A1000":                                        TierWorkstation,
		"NVIDIA RTX A2000 12GB":                                   TierWorkstation,
		"NVIDIA RTX A5000 Laptop GPU":                             TierWorkstation,
		"NVIDIA RTX 6000 Ada Generation":                          TierWorkstation,
		"NVIDIA RTX 5880 Ada Generation":                          TierWorkstation,
		"NVIDIA RTX 4000 SFF Ada Generation":                      TierWorkstation,
		"NVIDIA RTX PRO 6000 Blackwell Server Edition":            TierWorkstation,
		"NVIDIA RTX PRO 6000 Blackwell Workstation Edition":       TierWorkstation,
		"NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition": TierWorkstation,
		"NVIDIA RTX PRO 4000 Blackwell SFF Edition":               TierWorkstation,
		"Quadro RTX 6000":                                         TierWorkstation,
		"Quadro P2000":                                            TierWorkstation,
		"NVIDIA T1000 8GB":                                        TierWorkstation,
		"NVIDIA L40S":                                             TierWorkstation,
		"NVIDIA L40":                                              TierWorkstation,
		"NVIDIA L4":                                               TierWorkstation,
		"NVIDIA A40":                                              TierWorkstation,
		"NVIDIA A10":                                              TierWorkstation,
		"NVIDIA A10G":                                             TierWorkstation,
		"Tesla T4":                                                TierWorkstation,
		"Tesla P40":                                               TierWorkstation,

		"NVIDIA A100-SXM4-80GB":            TierDataCenter,
		"NVIDIA A100-SXM4-40GB MIG 1g.5gb": TierDataCenter,
		"NVIDIA A100 80GB PCIe":            TierDataCenter,
		"A100-PCIE-40GB":                   TierDataCenter,
		"NVIDIA A100X":                     TierDataCenter,
		"NVIDIA A800-SXM4-80GB":            TierDataCenter,
		"NVIDIA A30":                       TierDataCenter,
		"Tesla V100-SXM2-16GB":             TierDataCenter,
		"Tesla V100S-PCIE-32GB":            TierDataCenter,
		"Tesla P100-PCIE-16GB":             TierDataCenter,

		"NVIDIA H100 80GB HBM3":   TierEnterprise,
		"NVIDIA H100 PCIe":        TierEnterprise,
		"NVIDIA H100 NVL":         TierEnterprise,
		"NVIDIA H200":             TierEnterprise,
		"NVIDIA H200 NVL":         TierEnterprise,
		"NVIDIA H800":             TierEnterprise,
		"NVIDIA H20":              TierEnterprise,
		"NVIDIA H20-3e":           TierEnterprise,
		"NVIDIA GH200 480GB":      TierEnterprise,
		"NVIDIA GH200 144G HBM3e": TierEnterprise,

		"NVIDIA B200":         TierFrontier,
		"NVIDIA B300 SXM6 AC": TierFrontier,
		"NVIDIA GB200":        TierFrontier,
		"NVIDIA GB300":        TierFrontier,

		"":                                none,
		"NVIDIA":                          none,
		"Tesla":                           none,
		"Graphics Device":                 none,
		"NVIDIA Graphics Device":          none,
		"NVIDIA A1000":                    none,
		"NVIDIA A1001":                    none,
		"NVIDIA RTX 6000":                 none,
		"NVIDIA RTX A6001":                none,
		"NVIDIA RTX A60":                  none,
		"NVIDIA H1000":                    none,
		"NVIDIA H2000":                    none,
		"NVIDIA B2000":                    none,
		"NVIDIA GB10":                     none,
		"NVIDIA Thor":                     none,
		"Orin (nvgpu)":                    none,
		"GRID A100D-40C":                  none,
		"NVIDIA CMP 170HX":                none,
		"Tesla K80":                       none,
		"AMD Instinct MI300X":             none,
		"NVIDIA H10080GB":                 none,
		"not an NVIDIA H100 80GB HBM3":    none,
		"Radeon RX 7900 XTX like GeForce": none,
	} {
		got, ok := TierOfModel(name)
		if !ok {
			got = none
		}
		if got != want || ok != (want != none) {
			t.Errorf("TierOfModel(%q) = %v, %v; want %v", name, got, ok, want)
		}
	}
}

// Every model of the table must be reachable, and belong to one tier only.
func TestTierModelsStandOnce(t *testing.T) {
	seen := map[string]Tier{}
	for tier, models := range tierModels {
		if len(models) == 0 {
			t.Errorf("tier %v has no model", Tier(tier))
		}
		for _, m := range models {
			if other, ok := seen[m]; ok {
				t.Errorf("%q stands under %v and %v", m, other, Tier(tier))
			}
			seen[m] = Tier(tier)
			if got, ok := TierOfModel("NVIDIA " + m); !ok || got != Tier(tier) {
				t.Errorf("TierOfModel(%q) = %v, %v; its row is %v", m, got, ok, Tier(tier))
			}
			if modelWords(m) != m {
				t.Errorf("%q is not written in the words of modelWords: %q", m, modelWords(m))
			}
		}
	}
}

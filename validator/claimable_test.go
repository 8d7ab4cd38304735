package validator

import (
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var epoch = time.Unix(1_760_000_000, 0).UTC()

func staked(amount Wei) Stake {
	return Stake{Amount: amount, StakedAt: epoch.Add(-time.Hour), LastClaimAt: epoch, Active: true}
}

func TestClaimableFollowsTheContract(t *testing.T) {
	apy15 := StakingConfig{RewardAPYBasisPoints: 1500}
	for _, c := range []struct {
		name  string
		stake Stake
		cfg   StakingConfig
		at    time.Time
		want  string
	}{
		{"a year at 15 % of 1,000 SAGE is 150 SAGE", staked(WeiFromSAGE(1000)), apy15, epoch.Add(Year), WeiFromSAGE(150).String()},
		{"no second has passed", staked(WeiFromSAGE(1000)), apy15, epoch, "0"},
		{"a block before the last claim adds nothing", staked(WeiFromSAGE(1000)), apy15, epoch.Add(-time.Minute), "0"},
		{"one second, rounded down", staked(WeiFromInt(210_240_001)), apy15, epoch.Add(time.Second), "1"},
		{"just below one wei", staked(WeiFromInt(210_239_999)), apy15, epoch.Add(time.Second), "0"},
		{"parts of a second count for nothing", staked(WeiFromInt(210_240_000)), apy15, epoch.Add(1999 * time.Millisecond), "1"},
		{"no APY", staked(WeiFromSAGE(1000)), StakingConfig{}, epoch.Add(Year), "0"},
		{"never staked", Stake{PendingRewards: WeiFromInt(7), Amount: WeiFromSAGE(1)}, apy15, epoch.Add(Year), "0"},
		{"2^200 wei for a year, exact", staked(WeiFromBig(new(big.Int).Lsh(big.NewInt(1), 200))), apy15, epoch.Add(Year),
			"241040706638848541331294313851174390378330449067418925295206"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Claimable(c.stake, c.cfg, c.at); got.String() != c.want {
				t.Errorf("Claimable = %s, want %s", got, c.want)
			}
		})
	}
}

func TestClaimableAddsBookedRewards(t *testing.T) {
	s := staked(WeiFromSAGE(1000))
	s.PendingRewards = WeiFromInt(42)
	if got := Claimable(s, StakingConfig{RewardAPYBasisPoints: 1500}, epoch); !got.Equal(WeiFromInt(42)) {
		t.Errorf("Claimable = %s, want the 42 wei that the contract has booked", got)
	}
}

// The model states the contract's formula once more, in plain big integers.
func TestClaimableAgreesWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "amount"))
		pending := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "pending"))
		apy := rapid.Uint32().Draw(t, "apy")
		last := rapid.Int64Range(1, 4_000_000_000).Draw(t, "last claim")
		now := rapid.Int64Range(1, 8_000_000_000).Draw(t, "block time")

		want := new(big.Int)
		if now > last {
			want.Mul(amount, big.NewInt(now-last))
			want.Mul(want, new(big.Int).SetUint64(uint64(apy)))
			want.Quo(want, big.NewInt(315_360_000_000))
		}
		accruedOnly := WeiFromBig(want)
		want.Add(want, pending)

		stake := Stake{
			Amount: WeiFromBig(amount), PendingRewards: WeiFromBig(pending),
			StakedAt: time.Unix(1, 0), LastClaimAt: time.Unix(last, 0),
		}
		cfg := StakingConfig{RewardAPYBasisPoints: apy}
		if got := Claimable(stake, cfg, time.Unix(now, 0)); got.Big().Cmp(want) != 0 {
			t.Fatalf("Claimable = %s, the model says %s", got, want)
		}
		if d := now - last; d > 0 {
			if got := AccruedOver(stake, cfg, time.Duration(d)*time.Second); !got.Equal(accruedOnly) {
				t.Fatalf("AccruedOver = %s, the model says %s", got, accruedOnly)
			}
		}
	})
}

func TestAccruedOver(t *testing.T) {
	cfg := StakingConfig{RewardAPYBasisPoints: 1500}
	for _, c := range []struct {
		name  string
		stake Stake
		d     time.Duration
		want  string
	}{
		{"a day", staked(WeiFromSAGE(1000)), 24 * time.Hour, "410958904109589041"},
		{"nothing in no time", staked(WeiFromSAGE(1000)), 0, "0"},
		{"nothing backwards", staked(WeiFromSAGE(1000)), -time.Hour, "0"},
		{"booked rewards are not earned again", func() Stake { s := staked(Wei{}); s.PendingRewards = WeiFromSAGE(1); return s }(), time.Hour, "0"},
		{"never staked", Stake{Amount: WeiFromSAGE(1000)}, 24 * time.Hour, "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := AccruedOver(c.stake, cfg, c.d); got.String() != c.want {
				t.Errorf("AccruedOver = %s, want %s", got, c.want)
			}
		})
	}
}

// A page carries the formula on between blocks; in the contract's block it must say what
// Claimable says then.
func TestTheFormulaCarriesClaimableOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := staked(WeiFromBig(new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "amount"))))
		s.PendingRewards = WeiFromInt(rapid.Int64Range(0, 1<<62).Draw(t, "pending"))
		if rapid.Bool().Draw(t, "never staked") {
			s.StakedAt = time.Time{}
		}
		cfg := StakingConfig{RewardAPYBasisPoints: rapid.Uint32().Draw(t, "apy")}
		p := Picture{Chain: ChainSnapshot{Block: Block{Time: epoch}, Stake: read(s), Network: ChainNetwork{Config: read(cfg)}}}
		f, ok := p.ClaimableFormula().Get()
		later := epoch.Add(time.Duration(rapid.Int64Range(-1e6, 1e6).Draw(t, "seconds")) * time.Second)
		if got, want := f.At(later.Unix()), Claimable(s, cfg, later); !ok || !got.Equal(want) {
			t.Fatalf("the formula says %s, Claimable %s", got, want)
		}
	})
}

func TestTheFormulaIsPlainData(t *testing.T) {
	f := ClaimableFormulaOf(staked(WeiFromSAGE(1000)), StakingConfig{RewardAPYBasisPoints: 1500}, epoch.Add(time.Hour))
	got, err := json.Marshal(f)
	want := `{"pendingWei":"0","amountWei":"1000000000000000000000","rewardAPYBasisPoints":1500,"lastClaimUnix":1760000000,"blockUnix":1760003600,"divisor":315360000000}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

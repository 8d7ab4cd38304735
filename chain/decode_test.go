package chain

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bitsage-network/validator-dashboard/validator"
)

func feltsOf(values ...any) []validator.Felt {
	var out []validator.Felt
	for _, v := range values {
		switch v := v.(type) {
		case int:
			out = append(out, validator.Felt(fmt.Sprintf("0x%064x", v)))
		case *big.Int:
			out = append(out, validator.Felt(fmt.Sprintf("0x%064x", v)))
		case validator.Wei:
			w := v.Big()
			low := new(big.Int).And(w, new(big.Int).Sub(pow2(128), big.NewInt(1)))
			out = append(out, feltsOf(low, new(big.Int).Rsh(w, 128))...)
		case time.Time:
			s := int64(0)
			if !v.IsZero() {
				s = v.Unix()
			}
			out = append(out, feltsOf(big.NewInt(s))...)
		}
	}
	return out
}

func pow2(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }

// feltPrimeLess1 is the largest felt.
func feltPrimeLess1() *big.Int {
	return new(big.Int).Add(pow2(251), new(big.Int).Mul(big.NewInt(17), pow2(192)))
}

func TestAnswersOfAnotherLengthAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		length int
		decode func([]validator.Felt) error
	}{
		{"stake", 13, func(f []validator.Felt) error { _, err := decodeStake(f); return err }},
		{"config", 18, func(f []validator.Felt) error { _, err := decodeConfig(f); return err }},
		{"reputation", 8, func(f []validator.Felt) error { _, err := decodeReputation(f); return err }},
		{"u256", 2, func(f []validator.Felt) error { _, err := decodeU256(f); return err }},
		{"bool", 1, func(f []validator.Felt) error { _, err := decodeBool(f); return err }},
		{"u32", 1, func(f []validator.Felt) error { _, err := decodeU32(f); return err }},
		{"felt", 1, func(f []validator.Felt) error { _, err := decodeFelt(f); return err }},
	} {
		for n := range 25 {
			err := c.decode(slices.Repeat(feltsOf(0), n))
			if n == c.length {
				if err != nil {
					t.Errorf("%s: %d felts: %v", c.name, n, err)
				}
				continue
			}
			if want := fmt.Sprintf("answered %d felts, %d expected", n, c.length); err == nil || err.Error() != want {
				t.Errorf("%s: %d felts: %v, want %q", c.name, n, err, want)
			}
		}
	}
}

func TestFeltsOutOfTheirRangeAreRefused(t *testing.T) {
	stake := func(at int, v any) error {
		f := slices.Repeat(feltsOf(0), 13)
		f[at] = feltsOf(v)[0]
		_, err := decodeStake(f)
		return err
	}
	config := func(at int, v any) error {
		f := slices.Repeat(feltsOf(0), 18)
		f[at] = feltsOf(v)[0]
		_, err := decodeConfig(f)
		return err
	}
	reputation := func(at int, v any) error {
		f := feltsOf(500, 3, 1_700_000_000, 10, 9, 1, 0, 0)
		f[at] = feltsOf(v)[0]
		_, err := decodeReputation(f)
		return err
	}
	for _, c := range []struct {
		name  string
		err   error
		wants string
	}{
		{"low half", stake(0, pow2(128)), "amount"},
		{"high half", stake(1, pow2(128)), "amount"},
		{"the largest felt", stake(3, feltPrimeLess1()), "locked_amount"},
		{"staked_at above u64", stake(4, pow2(64)), "staked_at"},
		{"a time after 9999", stake(5, 253_402_300_800), "last_claim_at"},
		{"a tier that does not exist", stake(6, 5), "gpu_tier 0x5, which is no index below 5"},
		{"a tier far away", stake(6, pow2(64)), "gpu_tier"},
		{"a bool of 2", stake(7, 2), "is_active 0x2, which is no bool"},
		{"failures above u32", stake(8, pow2(32)), "consecutive_failures"},
		{"pending half", stake(12, pow2(200)), "pending_rewards"},
		{"slash above u32", config(10, pow2(32)), "slash for invalid proof"},
		{"a lockup of ages", config(15, pow2(63)), "unstake_lockup_secs"},
		{"apy above u32", config(16, pow2(40)), "reward_apy_bps"},
		{"score above 1000", reputation(0, 1001), "score 0x3e9, which is above 1000"},
		{"level above 5", reputation(1, 6), "level"},
		{"level 0 of a known worker", reputation(1, 0), "level"},
		{"jobs above u64", reputation(3, pow2(64)), "total_jobs"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.wants) {
			t.Errorf("%s: %v, want an error about %q", c.name, c.err, c.wants)
		}
	}
}

func TestAReputationOfZerosIsNotInitialised(t *testing.T) {
	r, err := decodeReputation(slices.Repeat(feltsOf(0), 8))
	if err != nil || r.Initialised() {
		t.Errorf("%+v, %v: want a known reputation that is not initialised", r, err)
	}
}

func genWei(t *rapid.T, label string) validator.Wei {
	return validator.WeiFromBig(new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, label)))
}

func genTime(t *rapid.T, label string) time.Time {
	s := rapid.Int64Range(0, lastYear).Draw(t, label)
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

func TestStakeSurvivesTheRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := validator.Stake{
			Amount: genWei(t, "amount"), LockedAmount: genWei(t, "locked"),
			StakedAt: genTime(t, "staked"), LastClaimAt: genTime(t, "claimed"),
			Tier:                validator.Tier(rapid.IntRange(0, 4).Draw(t, "tier")),
			Active:              rapid.Bool().Draw(t, "active"),
			ConsecutiveFailures: rapid.Uint32().Draw(t, "failures"),
			TotalSlashed:        genWei(t, "slashed"), PendingRewards: genWei(t, "pending"),
		}
		active := 0
		if want.Active {
			active = 1
		}
		got, err := decodeStake(feltsOf(want.Amount, want.LockedAmount, want.StakedAt, want.LastClaimAt,
			int(want.Tier), active, int(want.ConsecutiveFailures), want.TotalSlashed, want.PendingRewards))
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%v became %v", want, got)
		}
	})
}

func TestConfigSurvivesTheRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want validator.StakingConfig
		var felts []validator.Felt
		for i := range want.MinStake {
			want.MinStake[i] = genWei(t, "min")
			felts = append(felts, feltsOf(want.MinStake[i])...)
		}
		for i := range want.SlashBasisPoints {
			want.SlashBasisPoints[i] = rapid.Uint32().Draw(t, "slash")
			felts = append(felts, feltsOf(int(want.SlashBasisPoints[i]))...)
		}
		seconds := rapid.IntRange(0, 1<<33).Draw(t, "lockup")
		want.UnstakeLockup = time.Duration(seconds) * time.Second
		want.RewardAPYBasisPoints = rapid.Uint32().Draw(t, "apy")
		want.MaxConsecutiveFailures = rapid.Uint32().Draw(t, "max failures")
		felts = append(felts, feltsOf(seconds, int(want.RewardAPYBasisPoints), int(want.MaxConsecutiveFailures))...)
		got, err := decodeConfig(felts)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%v became %v", want, got)
		}
	})
}

func TestReputationSurvivesTheRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := func(label string) uint64 { return rapid.Uint64().Draw(t, label) }
		want := validator.Reputation{
			Score: rapid.Uint32Range(0, 1000).Draw(t, "score"), Level: rapid.Uint32Range(1, 5).Draw(t, "level"),
			LastUpdated: genTime(t, "updated"), TotalJobs: count("jobs"), Successful: count("ok"),
			Failed: count("failed"), Disputes: count("disputes"), Slashes: count("slashes"),
		}
		u := func(v uint64) *big.Int { return new(big.Int).SetUint64(v) }
		got, err := decodeReputation(feltsOf(int(want.Score), int(want.Level), want.LastUpdated, u(want.TotalJobs),
			u(want.Successful), u(want.Failed), u(want.Disputes), u(want.Slashes)))
		if err != nil || got != want {
			t.Fatalf("%+v became %+v, %v", want, got, err)
		}
	})
}

// An answer that decodes is exactly what the felts said: encoded again it is the same.
func FuzzDecodeStake(f *testing.F) {
	f.Add([]byte{})
	f.Add(slices.Repeat([]byte{0}, 13*32))
	f.Add(slices.Repeat([]byte{1}, 13*32))
	f.Fuzz(func(t *testing.T, b []byte) {
		felts := feltsFromBytes(b)
		s, err := decodeStake(felts)
		if err != nil {
			return
		}
		active := 0
		if s.Active {
			active = 1
		}
		again := feltsOf(s.Amount, s.LockedAmount, s.StakedAt, s.LastClaimAt, int(s.Tier), active,
			int(s.ConsecutiveFailures), s.TotalSlashed, s.PendingRewards)
		if !slices.Equal(again, felts) {
			t.Fatalf("%v was decoded as %+v", felts, s)
		}
	})
}

func FuzzDecodeReputation(f *testing.F) {
	f.Add(slices.Repeat([]byte{0}, 8*32))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeReputation(feltsFromBytes(b))
		if err == nil && (r.Score > 1000 || r.Level > 5 || r.Level == 0 && r.Initialised()) {
			t.Fatalf("a reputation out of its bounds was believed: %+v", r)
		}
	})
}

func FuzzParseFelts(f *testing.F) {
	f.Add(`["0x1","0xABC"]`)
	f.Add(`null`)
	f.Add(`["0x800000000000011000000000000000000000000000000000000000000000001"]`)
	f.Fuzz(func(t *testing.T, s string) {
		felts, err := parseFelts([]byte(s))
		if err != nil {
			return
		}
		for _, x := range felts {
			if p, err := validator.ParseFelt(string(x)); err != nil || p != x {
				t.Fatalf("%q gave %q, which is no felt in normal form", s, x)
			}
		}
	})
}

func feltsFromBytes(b []byte) []validator.Felt {
	var out []validator.Felt
	for chunk := range slices.Chunk(b, 32) {
		v := new(big.Int).SetBytes(chunk)
		v.Mod(v, new(big.Int).Add(feltPrimeLess1(), big.NewInt(1)))
		out = append(out, feltsOf(v)...)
	}
	return out
}

func TestOnlyListsOfFeltsAreRead(t *testing.T) {
	for _, bad := range []string{
		`null`, `{}`, `"0x1"`, `[1]`, `["1"]`, `[null]`, `["0x"]`, `["0xg"]`, ``,
		`["0x800000000000011000000000000000000000000000000000000000000000001"]`, // the prime
	} {
		if felts, err := parseFelts([]byte(bad)); err == nil {
			t.Errorf("%s was read as %v", bad, felts)
		}
	}
	felts, err := parseFelts([]byte(`["0x0","0xABC"]`))
	if err != nil || !slices.Equal(felts, feltsOf(0, 0xabc)) {
		t.Errorf("%v, %v", felts, err)
	}
}

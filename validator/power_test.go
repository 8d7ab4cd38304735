package validator

import (
	"math/big"
	"testing"
)

func TestADayNetOfPower(t *testing.T) {
	prices := Prices{PerKWh: big.NewRat(25, 100), PerSAGE: big.NewRat(40, 100), Currency: "EUR"}
	// 2,000 W for a day are 48 kWh: 12 EUR. 61.5 SAGE are 24.60 EUR.
	r := NetOfPower(WeiFromSAGE(123).MulDiv(big.NewInt(1), big.NewInt(2)), 2_000_000, prices)
	for name, c := range map[string]struct {
		got  *big.Rat
		want string
	}{"cost": {r.Cost, "12.00"}, "income": {r.Income, "24.60"}, "net": {r.Net, "12.60"}, "break-even": {r.BreakEven, "0.20"}} {
		if got := c.got.FloatString(2); got != c.want {
			t.Errorf("%s is %s, want %s", name, got, c.want)
		}
	}
	if r := NetOfPower(Wei{}, 2_000_000, prices); r.BreakEven != nil || r.Net.FloatString(2) != "-12.00" {
		t.Errorf("without earnings: net %s, break-even %v", r.Net.FloatString(2), r.BreakEven)
	}
}

func TestPowerDrawIsTheSumOrUnknown(t *testing.T) {
	with := func(gpus ...GPU) Picture { return Picture{HostGPUsApply: true, HostGPUs: GPUSnapshot{GPUs: gpus}} }
	card := func(mw uint32) GPU { return GPU{UUID: string(rune('a' + mw%26)), PowerMilliwatts: Some(mw)} }
	gone := card(70_001)
	gone.MissingSince = Some(epoch)
	if got := with(card(400_000), card(300_003), gone).PowerDraw(); got.Or(0) != 700_003 {
		t.Errorf("two cards that answer draw %v mW", got)
	}
	mute := GPU{Index: 2, UUID: "mute", PowerMilliwatts: None[uint32]("not supported by this GPU")}
	if got := with(card(400_000), mute).PowerDraw(); got.Known() || got.Reason() != "GPU 2 does not tell its power: not supported by this GPU" {
		t.Errorf("with a card that does not tell: %v", got)
	}
	if got := with().PowerDraw(); got.Known() {
		t.Errorf("without a card: %v", got)
	}
}

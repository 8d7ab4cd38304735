package web

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestPrices(t *testing.T) {
	for _, c := range []struct {
		entry priceEntry
		field string // that is named as wrong; "" = fine
		kwh   string
	}{
		{priceEntry{"0.25", "0.4", "EUR", ""}, "", "0.25"},
		{priceEntry{"0,255", "1", "USD", ""}, "", "0.255"},
		{priceEntry{"0", "0.000000000000000001", "SAT", ""}, "", "0"},
		{priceEntry{"0.3", "", "EUR", "1500.5"}, "", "0.3"},
		{priceEntry{"0.3", "", "EUR", "many"}, "body.watts", ""},
		{priceEntry{"0.3", "", "EUR", "-5"}, "body.watts", ""},
		{priceEntry{"", "1", "EUR", ""}, "body.per_kwh", ""},
		{priceEntry{"-1", "1", "EUR", ""}, "body.per_kwh", ""},
		{priceEntry{"1e9", "1", "EUR", ""}, "body.per_kwh", ""},
		{priceEntry{"1/3", "1", "EUR", ""}, "body.per_kwh", ""},
		{priceEntry{"1.2.3", "1", "EUR", ""}, "body.per_kwh", ""},
		{priceEntry{"1", "1000001", "EUR", ""}, "body.per_sage", ""},
		{priceEntry{"1", "1", "", ""}, "body.currency", ""},
		{priceEntry{"1", "1", "<b>", ""}, "body.currency", ""},
		{priceEntry{"1", "1", "VERYLONGNAME", ""}, "body.currency", ""},
	} {
		p, err := c.entry.prices()
		var wrong *problem
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%+v: %v", c.entry, err)
		case c.field == "" && decimal(p.PerKWh) != c.kwh:
			t.Errorf("%+v: a kWh at %s", c.entry, decimal(p.PerKWh))
		case c.field != "" && (!errors.As(err, &wrong) || len(wrong.Errors) != 1 || wrong.Errors[0].Field != c.field):
			t.Errorf("%+v: %v, want %s named", c.entry, err, c.field)
		}
	}
}

// TestTheDashboardCountsNoOldPriceAsLive: 2 kW at 0.25 EUR a kWh cost 12 EUR a day, 40 SAGE
// at 0.5 EUR bring 20.
func TestTheDashboardCountsNoOldPriceAsLive(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	s := &Server{now: func() time.Time { return now }}
	p := validator.Picture{
		HostGPUsApply: true, HostGPUs: validator.GPUSnapshot{GPUs: []validator.GPU{{UUID: "GPU-1", PowerMilliwatts: validator.Some(uint32(2_000_000))}}},
		Earnings: validator.Some(validator.Earnings{Last24h: validator.WeiFromSAGE(40)}),
	}
	entry := priceEntry{"0.25", "", "EUR", ""}
	observed := func(age time.Duration) validator.Maybe[*validator.SAGEPrice] {
		return validator.Some(&validator.SAGEPrice{Amount: big.NewRat(1, 2), Currency: "EUR", Source: "prices.example", At: now.Add(-age)})
	}
	const net, tooOld = netAtPresentDraw, "The newest price of SAGE of prices.example is from 1 d ago, and none counts for more than a day: enter one by hand."
	for what, c := range map[string]struct {
		entry    priceEntry
		observed validator.Maybe[*validator.SAGEPrice]
		want     string
	}{
		"live":      {entry, observed(validator.SAGEPriceStale), "Price of SAGE, from prices.example, 20 min ago: 0.5; " + net + ": 8.00; Breaks even at: 0.3000; "},
		"stale":     {entry, observed(validator.SAGEPriceStale + time.Second), "(warn) Price of SAGE, not live: from prices.example, 20 min ago: 0.5; " + net + ": 8.00; Breaks even at: 0.3000; "},
		"a day":     {entry, observed(validator.SAGEPriceCounts), "(warn) Price of SAGE, not live: from prices.example, 1 d ago: 0.5; " + net + ": 8.00; Breaks even at: 0.3000; "},
		"too old":   {entry, observed(validator.SAGEPriceCounts + time.Second), "Price of SAGE: " + tooOld + "; " + net + ": " + tooOld + "; "},
		"by hand":   {priceEntry{"0.25", "1", "EUR", ""}, observed(validator.SAGEPriceCounts + time.Second), net + ": 28.00; Breaks even at: 0.3000; "},
		"not asked": {entry, validator.None[*validator.SAGEPrice]("the database is down"), "Price of SAGE: The database is down.; " + net + ": The database is down.; "},
	} {
		var got strings.Builder
		for _, row := range s.powerRows(p, c.entry, c.observed)[1:] {
			if row.Tone != "" {
				fmt.Fprintf(&got, "(%s) ", row.Tone)
			}
			fmt.Fprintf(&got, "%s: %s%s; ", row.Label, row.Value.Text, row.Value.Reason)
		}
		if got.String() != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", what, got.String(), c.want)
		}
	}
}

package web

import (
	"errors"
	"testing"
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

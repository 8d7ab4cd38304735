package validator

import "testing"

func TestHeatLimit(t *testing.T) {
	gone := None[int]("not supported by this GPU")
	for name, test := range map[string]struct {
		slowdown, most, temperature Maybe[int]
		limit                       Maybe[int]
		near                        bool
	}{
		"far":                       {Some(89), Some(87), Some(83), Some(89), false},
		"within five degrees":       {Some(89), Some(87), Some(84), Some(89), true},
		"at it":                     {Some(89), Some(87), Some(89), Some(89), true},
		"above":                     {Some(89), gone, Some(95), Some(89), true},
		"no slowdown reported":      {gone, Some(90), Some(85), Some(90), true},
		"a slowdown of zero":        {Some(0), Some(90), Some(84), Some(90), false},
		"no temperature":            {Some(89), Some(87), gone, Some(89), false},
		"neither is reported":       {gone, None[int]("no permission"), Some(95), gone, false},
		"zero is reported for both": {Some(0), Some(0), Some(95), None[int]("the driver tells no heat limit"), false},
		"zero and nothing":          {gone, Some(0), Some(95), gone, false},
		"below zero and nothing":    {Some(-1), gone, Some(3), None[int]("the driver tells no heat limit"), false},
	} {
		g := GPU{SlowdownTemperatureC: test.slowdown, MaxTemperatureC: test.most, TemperatureC: test.temperature}
		if got := g.HeatLimitC(); got != test.limit {
			t.Errorf("%s: limit %v (%s), want %v (%s)", name, got, got.Reason(), test.limit, test.limit.Reason())
		}
		if g.NearHeatLimit() != test.near {
			t.Errorf("%s: near its limit is %t", name, !test.near)
		}
	}
}

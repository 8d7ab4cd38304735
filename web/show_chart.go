package web

import (
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// earningsChart is what was earned on each day, exact to the wei; nil while that is unknown.
func earningsChart(m validator.Maybe[validator.Earnings]) *views.Chart {
	e, known := m.Get()
	if !known || len(e.Daily) == 0 {
		return nil
	}
	c := views.Chart{
		ID: "earned-by-day", Title: "Earned by day", Unit: "SAGE", Kind: views.ChartBars, Low: "0",
		Note:       "Days in UTC; the last one is not over. By when a job was completed or a claim confirmed.",
		ChartSheet: views.ChartSheet{Heading: "Day (UTC)"},
		Series:     []views.ChartSeries{{Label: "Earned", Role: views.ChartRoleLine}},
	}
	for _, d := range e.Daily {
		c.X = append(c.X, views.ChartTime{ISO: d.Day.UTC().Format(time.DateOnly), Text: d.Day.UTC().Format("2 Jan")})
		c.Series[0].Values = append(c.Series[0].Values, d.Amount.SAGE())
	}
	return &c
}

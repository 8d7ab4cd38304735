package views

import (
	"math"
	"strconv"
	"time"
)

// sampleCharts are charts with a band, a gap, limits and marks, as the gallery shows them.
func sampleCharts() ChartGroup {
	const step, points = 5, 120
	end := time.Date(2026, 1, 2, 15, 5, 0, 0, time.UTC)
	g := ChartGroup{ID: "sample-charts", Title: "Samples over ten minutes", ChartSheet: ChartSheet{
		Heading: "Time (UTC)",
		From:    strconv.FormatInt(end.Add(-step*points*time.Second).Unix(), 10), To: strconv.FormatInt(end.Unix(), 10),
		Marks: []ChartMark{
			{At: *sampleMoment(200), Until: sampleMoment(140), Label: "Slowed: too hot", Tone: ToneWarn, Icon: "heat"},
			{At: *sampleMoment(150), Label: "A job failed", Tone: ToneBad, Icon: "bad", Link: Link{Text: "1048229", URL: "/"}},
			{At: *sampleMoment(35), Until: sampleMoment(5), Label: "No reading", Tone: ToneUnknown, Icon: "unknown"},
		},
	}}
	line, low, high := ChartSeries{Label: "mean", Role: ChartRoleLine}, ChartSeries{Label: "lowest", Role: ChartRoleLow}, ChartSeries{Label: "highest", Role: ChartRoleHigh}
	two := []ChartSeries{{Label: "chip", Role: ChartRoleLine}, {Label: "memory", Role: ChartRoleLine}, {Label: "air", Role: ChartRoleLine}, {Label: "water", Role: ChartRoleLine}}
	for i := range points {
		at := end.Add(time.Duration(i-points) * step * time.Second)
		g.X = append(g.X, ChartTime{ISO: at.Format(time.RFC3339), Text: at.Format(time.TimeOnly)})
		wave := math.Sin(float64(i)/9) * math.Cos(float64(i)/31)
		text := func(v float64) string {
			if i >= 102 && i < 108 {
				return ""
			}
			return strconv.FormatFloat(v, 'f', 1, 64)
		}
		line.Values = append(line.Values, text(60+30*wave))
		low.Values = append(low.Values, text(52+28*wave))
		high.Values = append(high.Values, text(66+33*wave))
		for n := range two {
			two[n].Values = append(two[n].Values, text(85-14*float64(n)+4*wave))
		}
	}
	g.Charts = []Chart{
		{ID: "sample-band", Title: "A band", Unit: "%", Kind: ChartLine, Low: "0", High: "100", Series: []ChartSeries{line, low, high}, Note: "Each point is the mean of 5 s."},
		{ID: "sample-lines", Title: "Several lines", Unit: "°C", Kind: ChartLine, Series: two, Limits: []ChartLimit{{At: "90", Text: "slows down at 90 °C", Tone: ToneBad}}},
		{ID: "sample-nothing", Title: "Nothing to draw", Unit: "W", Series: []ChartSeries{}, Empty: &Empty{Icon: "clock", Tone: TonePlain, Title: "No reading in this time", Text: "What a chart says that has none."}},
	}
	return g
}

// sampleBars is a chart of days.
func sampleBars() Chart {
	c := Chart{ID: "sample-bars", Title: "Bars", Unit: "SAGE", Kind: ChartBars, Low: "0", ChartSheet: ChartSheet{Heading: "Day (UTC)"}, Series: []ChartSeries{{Label: "Earned", Role: ChartRoleLine}}}
	for i := range 30 {
		day := time.Date(2026, 1, 2+i, 0, 0, 0, 0, time.UTC)
		c.X = append(c.X, ChartTime{ISO: day.Format(time.DateOnly), Text: day.Format("2 Jan")})
		c.Series[0].Values = append(c.Series[0].Values, strconv.Itoa(i*7919%50))
	}
	return c
}

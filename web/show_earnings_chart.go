package web

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// The box that bars are drawn in.
const (
	barsWidth  = 1000
	barsHeight = 240
	barShare   = 0.76 // of the room that a bar has
)

// earningBars draws a report's periods as bars, the kinds on top of each other.
func earningBars(r validator.EarningReport) *views.BarChart {
	var most float64
	for _, p := range r.Periods {
		most = max(most, sageFloat(p.Sums.Total().Amount))
	}
	top := niceAbove(most)
	c := &views.BarChart{Top: axisText(top), Half: axisText(top / 2), Label: "Earnings by " + string(r.By) + ", at most " + axisText(top) + " SAGE; the table below has the numbers"}
	for _, k := range validator.RewardKinds {
		if r.Sums[k].Amount.Sign() > 0 {
			c.Legend = append(c.Legend, views.BarKind{Class: string(k), Label: kindWords[k]})
		}
	}
	room := float64(barsWidth) / float64(len(r.Periods))
	for i, p := range r.Periods {
		bar := views.Bar{X: coordinate(room * (float64(i) + (1-barShare)/2)), Width: coordinate(room * barShare), Title: barTitle(r, p)}
		y := float64(barsHeight)
		for _, k := range validator.RewardKinds {
			height := sageFloat(p.Sums[k].Amount) / top * barsHeight
			if height <= 0 {
				continue
			}
			y -= height
			bar.Parts = append(bar.Parts, views.BarPart{Class: string(k), Y: coordinate(y), Height: coordinate(height)})
		}
		c.Bars = append(c.Bars, bar)
	}
	for _, at := range []int{0, len(r.Periods) / 2, len(r.Periods) - 1} {
		c.Names = append(c.Names, views.BarName{ISO: r.Periods[at].First.Format(time.DateOnly), Text: periodName(r.By, r.Periods[at])})
	}
	switch len(r.Periods) {
	case 1:
		c.Names = c.Names[:1]
	case 2: //nolint:mnd // both ends
		c.Names = c.Names[1:]
		c.Names[0] = views.BarName{ISO: r.Periods[0].First.Format(time.DateOnly), Text: periodName(r.By, r.Periods[0])}
	}
	return c
}

// barTitle says a bar's numbers, with every digit.
func barTitle(r validator.EarningReport, p validator.EarningPeriod) string {
	total, known := r.Total(p.Sums).Get()
	if !known {
		return periodName(r.By, p) + ": unknown"
	}
	text := []string{periodName(r.By, p) + ": " + total.Amount.Format()}
	for _, k := range validator.RewardKinds {
		if a := p.Sums[k].Amount; a.Sign() > 0 {
			text = append(text, kindWords[k]+" "+a.SAGE())
		}
	}
	return strings.Join(text, "\n")
}

// sageFloat is an amount as exactly as a drawing needs it.
func sageFloat(w validator.Wei) float64 {
	f, _ := new(big.Rat).SetFrac(w.Big(), validator.WeiFromSAGE(1).Big()).Float64()
	return f
}

// niceAbove is the next round number, which has one or two digits.
func niceAbove(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 1.5, 2, 2.5, 3, 4, 5, 6, 8} {
		if step*power >= v {
			return step * power
		}
	}
	return 10 * power
}

func axisText(v float64) string {
	const digits = 6
	return strconv.FormatFloat(v, 'g', digits, 64)
}

func coordinate(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', 2, 64), "0"), ".")
}

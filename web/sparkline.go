package web

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// The grid that sparklines are drawn on: whole numbers keep polls small.
const (
	sparkStep    = 2  // width between two values
	sparkHeight  = 24 // of the box
	sparkBuckets = 60

	sparkWindow         = 10 * time.Minute
	shortestSparkWindow = 2 * time.Minute // 60 samples, one a step
)

// sparkline draws values from 0 to 1, evenly spaced over the width; a missing one is a gap.
func sparkline(label string, values []validator.Maybe[float64]) *views.Sparkline {
	s := &views.Sparkline{Label: label, Width: strconv.Itoa(sparkStep * max(len(values)-1, 1))}
	for start := 0; start < len(values); start++ {
		if !values[start].Known() {
			continue
		}
		end := start + 1
		for end < len(values) && values[end].Known() {
			end++
		}
		s.Lines = append(s.Lines, sparkLine(start, values[start:end]))
		start = end
	}
	return s
}

// sparkLine is the path of values without a gap.
func sparkLine(start int, values []validator.Maybe[float64]) views.SparkLine {
	height := func(m validator.Maybe[float64]) int {
		return sparkHeight - 1 - int(math.Round(min(max(m.Or(0), 0), 1)*(sparkHeight-2)))
	}
	x, y := start*sparkStep, height(values[0])
	path := []byte(fmt.Sprintf("M%d %dl", x, y))
	if len(values) == 1 { // a lone value: a short stroke, so that it is seen
		path = append(path, "1 0"...)
	}
	for i, v := range values[1:] {
		next := height(v)
		if i > 0 {
			path = append(path, ' ')
		}
		path = strconv.AppendInt(path, sparkStep, 10)
		if next >= y {
			path = append(path, ' ')
		}
		path = strconv.AppendInt(path, int64(next-y), 10)
		y = next
	}
	return views.SparkLine{Line: string(path), Area: fmt.Sprintf("%sV%dH%dZ", path, sparkHeight, x)}
}

// num writes a number with at most one decimal.
func num(f float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0")
}

// sparkRange is what a GPU's sparklines show: the last ten minutes, or what there is of
// them, so that a server that just started shows more than a sliver.
type sparkRange struct {
	from, to time.Time
	points   []validator.GPUPoint
}

func sparkRangeOf(now time.Time, points []validator.GPUPoint) sparkRange {
	r := sparkRange{from: now.Add(-sparkWindow), to: now}
	for i, p := range points {
		if p.At.After(r.from) {
			if earliest := now.Add(-shortestSparkWindow); p.At.Before(earliest) {
				r.from = p.At
			} else {
				r.from = earliest
			}
			r.points = points[i:]
			break
		}
	}
	return r
}

// line draws one field; of the samples that fall into one step the newest is drawn.
func (r sparkRange) line(label string, of func(validator.GPUPoint) validator.Maybe[float64]) *views.Sparkline {
	if len(r.points) == 0 {
		return nil
	}
	values := make([]validator.Maybe[float64], sparkBuckets)
	span := r.to.Sub(r.from)
	for _, p := range r.points {
		i := int(float64(p.At.Sub(r.from)) / float64(span) * sparkBuckets)
		if i >= 0 && i < sparkBuckets {
			values[i] = of(p)
		}
	}
	return sparkline(fmt.Sprintf("%s, last %s", label, validator.Ago(span)), values)
}

// dailySparkline draws earnings by day against the best of them.
func dailySparkline(days []validator.DailyEarnings) *views.Sparkline {
	most := validator.Wei{}
	for _, d := range days {
		if d.Amount.Cmp(most) > 0 {
			most = d.Amount
		}
	}
	if most.Sign() == 0 {
		return nil
	}
	values := make([]validator.Maybe[float64], len(days))
	for i, d := range days {
		share, _ := new(big.Rat).SetFrac(d.Amount.Big(), most.Big()).Float64()
		values[i] = validator.Some(share)
	}
	return sparkline(fmt.Sprintf("Earnings by day over %d days, at most %s", len(days), most.Format()), values)
}

package web

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// The box that sparklines are drawn in.
const (
	sparkWidth   = 100.0
	sparkHeight  = 24.0
	sparkWindow  = 10 * time.Minute
	sparkBuckets = 60
)

// sparkline draws values from 0 to 1, evenly spaced over the width; a missing one is a gap.
func sparkline(label string, values []validator.Maybe[float64]) *views.Sparkline {
	s := &views.Sparkline{Label: label}
	step := sparkWidth / float64(max(len(values)-1, 1))
	var line []string
	start := 0
	flush := func(end int) {
		if len(line) == 0 {
			return
		}
		if len(line) == 1 { // a lone value: a short stroke, so that it is seen
			line = append(line, "h"+num(step/2))
		}
		d := "M" + strings.Join(line, "L")
		d = strings.ReplaceAll(d, "Lh", "h")
		s.Paths = append(s.Paths, d)
		s.Area = append(s.Area, fmt.Sprintf("%sL%s %sL%s %sZ", d, num(float64(end)*step), num(sparkHeight), num(float64(start)*step), num(sparkHeight)))
		line = nil
	}
	last := -1
	for i, m := range values {
		v, known := m.Get()
		if !known {
			flush(last)
			continue
		}
		if len(line) == 0 {
			start = i
		}
		line = append(line, num(float64(i)*step)+" "+num(sparkHeight-1-min(max(v, 0), 1)*(sparkHeight-2)))
		last = i
	}
	flush(last)
	return s
}

func num(f float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0")
}

// gpuSparkline draws the last ten minutes of one field of a GPU; of the samples that fall
// into one step the newest is drawn.
func gpuSparkline(label string, now time.Time, points []validator.GPUPoint, of func(validator.GPUPoint) validator.Maybe[float64]) *views.Sparkline {
	values := make([]validator.Maybe[float64], sparkBuckets)
	from := now.Add(-sparkWindow)
	for _, p := range points {
		i := int(float64(p.At.Sub(from)) / float64(sparkWindow) * sparkBuckets)
		if i >= 0 && i < sparkBuckets {
			values[i] = of(p)
		}
	}
	return sparkline(label, values)
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

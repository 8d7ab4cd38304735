package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

var chartStart = time.Unix(1_700_000_000, 0).UTC() // a whole number of steps of 5 s

// stepsAt are steps with a utilisation of their number of seconds after chartStart.
func stepsAt(seconds ...int) []validator.GPUStep {
	var out []validator.GPUStep
	for _, s := range seconds {
		v := float64(s)
		out = append(out, validator.GPUStep{At: chartStart.Add(time.Duration(s) * time.Second), UtilizationPercent: validator.Some(validator.Spread{Mean: v, Min: v, Max: v})})
	}
	return out
}

func TestGapsAreWhereReadingsAreFurtherApartThanUsual(t *testing.T) {
	const step = 5 * time.Second
	for name, c := range map[string]struct {
		steps []validator.GPUStep
		to    int // the window's end
		rows  string
		gaps  string
	}{
		"every step":            {stepsAt(0, 5, 10, 15), 20, "0 5 10 15", ""},
		"a gap":                 {stepsAt(0, 5, 10, 60, 65), 70, "0 5 10 – 60 65", "15-60"},
		"one sample in ten s":   {stepsAt(0, 10, 20, 30, 40), 45, "0 10 20 30 40", ""},
		"a gap between them":    {stepsAt(0, 10, 20, 120, 130), 135, "0 10 20 – 120 130", "25-120"},
		"silent until now":      {stepsAt(0, 5, 10), 100, "0 5 10", "15-100"},
		"before the first":      {stepsAt(50, 55), 60, "50 55", ""},
		"outside of the window": {stepsAt(-10, 0, 5, 70), 10, "0 5", ""},
		"nothing":               {nil, 60, "", ""},
		"an unread step in a gap": {append(append(stepsAt(0, 5, 10), validator.GPUStep{At: chartStart.Add(15 * time.Second)}), stepsAt(60)...),
			65, "0 5 10 – 60", "15-60"},
	} {
		steps, gaps := withGaps(c.steps, step, chartStart, chartStart.Add(time.Duration(c.to)*time.Second))
		var rows, stretches []string
		for _, v := range utilization.mean(steps).Values {
			if v == "" {
				v = "–"
			}
			rows = append(rows, v)
		}
		for _, g := range gaps {
			stretches = append(stretches, fmt.Sprintf("%v-%v", g.from.Sub(chartStart).Seconds(), g.to.Sub(chartStart).Seconds()))
		}
		if got := strings.Join(rows, " "); got != c.rows {
			t.Errorf("%s: rows %q, want %q", name, got, c.rows)
		}
		if got := strings.Join(stretches, " "); got != c.gaps {
			t.Errorf("%s: gaps %q, want %q", name, got, c.gaps)
		}
	}
}

func TestAWindowIsWholeStepsThatEndAfterNow(t *testing.T) {
	for _, w := range gpuWindows {
		for _, now := range []time.Time{chartStart, chartStart.Add(time.Second), chartStart.Add(7777 * time.Second)} {
			from, to := w.from(now), w.to(now)
			begins := from.Equal(to.Add(-w.length)) || w.id == "7d" && from.Equal(validator.Window7d.Start(now))
			if !begins || !to.After(now) || to.Sub(now) > w.step || !validator.StepStart(from, w.step).Equal(from) {
				t.Errorf("%s at %v: from %v to %v", w.id, now, from, to)
			}
		}
		if points := int(w.length / w.step); points < 100 || points > 130 {
			t.Errorf("%s has %d points", w.id, points)
		}
	}
}

func TestAQuantityThatIsNeverReadIsSaidToBe(t *testing.T) {
	g := validator.GPU{TemperatureC: validator.None[int]("not supported by this GPU")}
	for _, c := range gpuCharts(g, stepsAt(0, 5, 10)) {
		if drawn := c.Title == "Utilisation"; drawn != (c.Empty == nil) || drawn != (len(c.Series) > 0) {
			t.Errorf("%s: %+v", c.Title, c)
		}
		if c.Title == "Temperature" && c.Empty.Text != "Not supported by this GPU." {
			t.Errorf("the reason is %q", c.Empty.Text)
		}
	}
}

// TestAPollOfChartsIsSmall holds a window whose every value differs to its budget.
func TestAPollOfChartsIsSmall(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	w := gpuWindows[1]
	spread := func(around, by float64) validator.Maybe[validator.Spread] {
		m := around + by*(dice.Float64()-0.5)
		return validator.Some(validator.Spread{Mean: m, Min: m - by*dice.Float64()/4, Max: m + by*dice.Float64()/4})
	}
	var steps []validator.GPUStep
	for i := range int(w.length / w.step) {
		steps = append(steps, validator.GPUStep{At: chartStart.Add(time.Duration(i) * w.step), UtilizationPercent: spread(80, 30), MemoryUsedBytes: spread(60*bytesPerGiB, 10*bytesPerGiB), TemperatureC: spread(70, 12), PowerMilliwatts: spread(550_000, 150_000)})
	}
	g := validator.GPU{MemoryTotalBytes: validator.Some(uint64(80 << 30)), SlowdownTemperatureC: validator.Some(90), PowerLimitMilliwatts: validator.Some(uint32(700_000))}
	m := views.GPUCharts{Panel: views.Panel{ID: "gpu-charts", URL: "/partials/gpu-charts", Every: everyGPUCharts}, Group: views.ChartGroup{
		ID: "gpu-history", Charts: gpuCharts(g, steps), ChartSheet: views.ChartSheet{X: chartTimes(steps)},
	}}
	for i := range marksShown {
		at := chartStart.Add(time.Duration(i*i) * time.Second)
		m.Group.Marks = append(m.Group.Marks, views.ChartMark{At: moment(chartStart, at), Label: fmt.Sprintf("Job failed: error %x", dice.Uint32()), Tone: views.ToneBad, Icon: "bad", Link: *(&Server{validatorAddress: alice}).jobLink(fmt.Sprint(1_048_000+dice.IntN(10_000)), alice)})
	}
	var page, wire bytes.Buffer
	if err := views.GPUChartsPanel(m).Render(context.Background(), &page); err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(&wire)
	if _, err := z.Write(page.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d over the wire", page.Len(), wire.Len())
	if wire.Len() > 4<<10 {
		t.Errorf("four charts take %d bytes over the wire, at most %d are meant", wire.Len(), 4<<10)
	}
}

package web

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// shownDecimals is how many decimals of an amount are shown where it is read beside
// others; one that is smaller keeps its first two digits.
const shownDecimals = 4

func showWei(w validator.Wei) views.Amount {
	exact := w.SAGE()
	a := views.Amount{Text: exact, Exact: exact, Unit: "SAGE", Wei: w.String()}
	whole, frac, _ := strings.Cut(exact, ".")
	n := shownDecimals
	if digits := strings.TrimLeft(frac, "0"); strings.Trim(whole, "-0") == "" && digits != "" {
		n = max(n, len(frac)-len(digits)+2)
	}
	if len(frac) > n {
		a.Text = whole + "." + frac[:n]
	}
	return a
}

// everyDecimal writes an amount with the zeros at its end, for one that changes in place.
func everyDecimal(w validator.Wei) string {
	whole, frac, _ := strings.Cut(w.SAGE(), ".")
	return whole + "." + frac + strings.Repeat("0", validator.SAGEDecimals-len(frac))
}

func showAmount(m validator.Maybe[validator.Wei]) views.Amount {
	if w, known := m.Get(); known {
		return showWei(w)
	}
	return views.Amount{Reason: validator.Sentence(m.Reason())}
}

// show makes a value for display from a text and its unit.
func show[T any](m validator.Maybe[T], unit string, text func(T) string) views.Value {
	if v, known := m.Get(); known {
		return views.Value{Text: text(v), Unit: unit}
	}
	return views.Value{Reason: validator.Sentence(m.Reason())}
}

func integer[T int | int32 | int64 | uint32 | uint64](n T) string {
	return validator.Grouped(n)
}

// percent rounds down, so that 99.999 % never reads as 100 %, but never to a zero that is none.
func percent(p float64) string {
	const least = 0.01
	if p > 0 && p < least {
		return "<0.01"
	}
	return strconv.FormatFloat(math.Floor(p*100)/100, 'f', 2, 64)
}

// oneDecimal rounds, but never to a zero that is none.
func oneDecimal(f float64) string {
	const half = 0.05
	if f > 0 && f < half {
		return "<0.1"
	}
	return strconv.FormatFloat(f, 'f', 1, 64)
}

func gibText(b uint64) string { return oneDecimal(float64(b) / bytesPerGiB) }

// showBytes shows memory in GiB, or in MiB where a tenth of a GiB would say too little.
func showBytes(m validator.Maybe[uint64]) views.Value {
	if b, known := m.Get(); known && b < bytesPerGiB {
		return views.Value{Text: integer(b / bytesPerMiB), Unit: "MiB"}
	}
	return show(m, "GiB", gibText)
}

func wattsText(mw uint32) string { return integer(int64(math.Round(watts(mw)))) }

// durationText says a job's length: "850 ms", "12.4 s", "3 min", "2 h 5 min".
func durationText(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return oneDecimal(d.Seconds()) + " s"
	}
	return validator.Ago(d)
}

func ago(now, t time.Time) string {
	if d := now.Sub(t); d < -time.Second {
		return "in " + validator.Ago(-d)
	}
	return validator.Ago(now.Sub(t)) + " ago"
}

// moment shows a point in time; its words are only the first: the browser keeps them.
func moment(now, t time.Time) views.Moment {
	if t.IsZero() {
		return views.Moment{}
	}
	return views.Moment{Words: ago(now, t), ISO: t.UTC().Format(time.RFC3339), UTC: utc(t)}
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

func momentOf(now, t time.Time) *views.Moment {
	m := moment(now, t)
	return &m
}

// amountOf is showAmount for a row.
func amountOf(m validator.Maybe[validator.Wei]) *views.Amount {
	a := showAmount(m)
	return &a
}

// abbreviated shortens a long identifier to its first and last characters.
func abbreviated(s string) string {
	const head, tail = 8, 4
	if len(s) <= head+tail+3 {
		return s
	}
	return s[:head] + "…" + s[len(s)-tail:]
}

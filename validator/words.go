package validator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Ago says a length of time in its one or two largest units: "45 s", "3 min", "2 h 5 min", "3 d 4 h".
func Ago(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 24*time.Hour:
		return twoUnits(int(d/time.Hour), "h", int(d%time.Hour/time.Minute), "min")
	}
	return twoUnits(int(d/(24*time.Hour)), "d", int(d%(24*time.Hour)/time.Hour), "h")
}

// timeOfDay says when something was, for sentences that should read the same, in the same
// space, for as long as nothing happens: an age would change them with time alone. It names
// the day once that is not clear, and the year once that is not: "05:13 UTC",
// "26 Nov 05:13 UTC", "26 Nov 2024 05:13 UTC".
func timeOfDay(at, now time.Time) string {
	layout := "15:04 UTC"
	switch away := now.Sub(at).Abs(); {
	case away >= 300*24*time.Hour:
		layout = "2 Jan 2006 " + layout
	case away >= 24*time.Hour:
		layout = "2 Jan " + layout
	}
	return at.UTC().Format(layout)
}

func twoUnits(a int, au string, b int, bu string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, au)
	}
	return fmt.Sprintf("%d %s %d %s", a, au, b, bu)
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Grouped(n) + " " + many
}

// Grouped writes a whole number as every page and sentence does: its digits in groups of
// three, with commas between.
func Grouped[T int | int32 | int64 | uint32 | uint64](n T) string {
	digits := strconv.FormatUint(uint64(n), 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", strconv.FormatInt(int64(n), 10)[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// unique drops repeats and keeps the order.
func unique(in []string) []string {
	var out []string
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Sentence makes a phrase a sentence: a capital first letter and a full stop.
func Sentence(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + strings.TrimSuffix(s[n:], ".") + "."
}

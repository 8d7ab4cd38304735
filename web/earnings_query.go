package web

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// earningsQuery is what the earnings page shows. Its whole state stands in the page's URL.
type earningsQuery struct {
	last     string // a preset; "" = from and to count
	from, to string // UTC days, 2006-01-02; "" = the first earning's, and today
	by       validator.Grouping
	// A place in the list of single earnings; at most one of them is set.
	before, after db.EarningCursor
}

const (
	paramLast = "last"
	paramBy   = "by"

	lastAll     = "all"
	lastDefault = "30d"

	// mostPeriods bounds how many bars and rows a page has.
	mostPeriods = 1100
)

// earningsPreset is a range that ends today.
type earningsPreset struct {
	id, label string
	window    validator.Window   // 0 = since the first earning
	by        validator.Grouping // unless another is asked for
}

var earningsPresets = []earningsPreset{
	{"7d", "7 d", validator.Window7d, validator.ByDay},
	{lastDefault, "30 d", validator.Window30d, validator.ByDay},
	{"90d", "90 d", validator.Window90d, validator.ByDay},
	{"1y", "1 year", validator.Window365d, validator.ByWeek},
	{lastAll, "All", 0, validator.ByMonth},
}

func presetOf(id string) (earningsPreset, bool) {
	for _, p := range earningsPresets {
		if p.id == id {
			return p, true
		}
	}
	return earningsPreset{}, false
}

// parseEarningsQuery reads a URL's query. The error names the parameter that is wrong.
func parseEarningsQuery(v url.Values) (earningsQuery, error) {
	q, err := parseEarningsRange(v.Get(paramLast), v.Get(paramFrom), v.Get(paramTo), v.Get(paramBy))
	if err != nil {
		return earningsQuery{}, err
	}
	if q.before, err = parseEarningPlace(paramBefore, v.Get(paramBefore)); err != nil {
		return earningsQuery{}, err
	}
	if q.after, err = parseEarningPlace(paramAfter, v.Get(paramAfter)); err != nil {
		return earningsQuery{}, err
	}
	if !q.before.IsZero() && !q.after.IsZero() {
		return earningsQuery{}, badField("query."+paramAfter, "cannot stand beside before: a page starts at one place or ends at it", nil)
	}
	return q, nil
}

func parseEarningsRange(last, from, to, by string) (earningsQuery, error) {
	q := earningsQuery{last: last, from: strings.TrimSpace(from), to: strings.TrimSpace(to), by: validator.Grouping(by)}
	for _, day := range []struct{ param, text string }{{paramFrom, q.from}, {paramTo, q.to}} {
		if day.text == "" {
			continue
		}
		if t, err := time.Parse(time.DateOnly, day.text); err != nil || t.Year() < firstYear || t.Year() > lastYear {
			return earningsQuery{}, badField("query."+day.param, "must be a UTC day such as 2026-11-20", day.text)
		}
	}
	switch q.by {
	case "", validator.ByDay, validator.ByWeek, validator.ByMonth:
	default:
		return earningsQuery{}, badField("query."+paramBy, "must be day, week or month", by)
	}
	_, known := presetOf(q.last)
	switch {
	case q.last != "" && !known:
		return earningsQuery{}, badField("query."+paramLast, "must be 7d, 30d, 90d, 1y or all", last)
	case q.last != "" && (q.from != "" || q.to != ""):
		return earningsQuery{}, badField("query."+paramLast, "cannot stand beside from and to: name a length of time or its days", last)
	case q.from != "" && q.to != "" && q.from > q.to:
		return earningsQuery{}, badField("query."+paramTo, "is before from: the last day cannot come before the first", q.to)
	case q.last == "" && q.from == "" && q.to == "":
		q.last = lastDefault
	}
	return q, nil
}

// values writes what parseEarningsQuery reads, and leaves out what it would assume.
func (q earningsQuery) values() url.Values {
	v := url.Values{}
	last := q.last
	if last == lastDefault {
		last = ""
	}
	for param, text := range map[string]string{
		paramLast: last, paramFrom: q.from, paramTo: q.to, paramBy: string(q.by), paramBefore: earningPlaceText(q.before), paramAfter: earningPlaceText(q.after),
	} {
		if text != "" {
			v.Set(param, text)
		}
	}
	return v
}

// whole is the query without a place in the list.
func (q earningsQuery) whole() earningsQuery {
	q.before, q.after = db.EarningCursor{}, db.EarningCursor{}
	return q
}

// grouping is how the periods are long: as asked, else as fits a preset, else days.
func (q earningsQuery) grouping() validator.Grouping {
	if p, known := presetOf(q.last); known && q.by == "" {
		return p.by
	}
	if q.by == "" {
		return validator.ByDay
	}
	return q.by
}

// days are the range that is asked for. first is the day of the first earning ever, nil if there
// is none. The days to come are left out, since nothing is known of them.
func (q earningsQuery) days(first *time.Time, now time.Time) (validator.DayRange, error) {
	today := validator.DayOf(now)
	r := validator.DayRange{First: today, Last: today}
	if t, err := time.Parse(time.DateOnly, q.to); err == nil && t.Before(today) {
		r.Last = t
	}
	preset, _ := presetOf(q.last)
	switch t, err := time.Parse(time.DateOnly, q.from); {
	case err == nil && t.After(today):
		return r, badField("query."+paramFrom, "is in the future: the first day can be today at the latest", q.from)
	case err == nil:
		r.First = t
	case preset.window > 0:
		r.First = preset.window.Start(now)
	case first != nil && validator.DayOf(*first).Before(r.Last):
		r.First = validator.DayOf(*first)
	default:
		r.First = r.Last
	}
	if n := r.Periods(q.grouping()); n > mostPeriods {
		param := paramFrom
		if q.last != "" {
			param = paramBy
		}
		return r, badField("query."+param, fmt.Sprintf("makes %s %ss: at most %s fit on a page, so choose longer periods or fewer days", integer(n), q.grouping(), integer(mostPeriods)), nil)
	}
	return r, nil
}

// needsFirst says whether the range depends on when the first earning was.
func (q earningsQuery) needsFirst() bool {
	return q.last == lastAll || q.last == "" && q.from == ""
}

// earningPlaceText writes a place in a list for a URL, which only parseEarningPlace needs to
// understand: the time in microseconds, the claim's number and the job's identifier.
func earningPlaceText(c db.EarningCursor) string {
	if c.IsZero() {
		return ""
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(c.At.UnixMicro()))
	b = binary.BigEndian.AppendUint64(b, uint64(c.Claim))
	return base64.RawURLEncoding.EncodeToString(append(b, c.JobID...))
}

func parseEarningPlace(param, text string) (db.EarningCursor, error) {
	if text == "" {
		return db.EarningCursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(b) >= 2*placeTimeBytes {
		c := db.EarningCursor{
			At:    time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC(),
			Claim: int64(binary.BigEndian.Uint64(b[placeTimeBytes:])), JobID: string(b[2*placeTimeBytes:]),
		}
		if y := c.At.Year(); y >= firstYear && y <= lastYear && utf8.ValidString(c.JobID) && !strings.ContainsRune(c.JobID, 0) {
			return c, nil
		}
	}
	return db.EarningCursor{}, badField("query."+param, "is no place in a list of earnings: leave it out to start at the newest", text)
}

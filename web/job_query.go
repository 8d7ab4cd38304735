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

// jobQuery is which jobs a page lists. Its whole state stands in the page's URL.
type jobQuery struct {
	text   string
	status validator.JobStatus
	kind   string
	gpu    string
	client validator.Address
	// The UTC days of the first and the last submission, as the URL has them: 2006-01-02.
	from, to    string
	oldestFirst bool
	// A place in the list: the page starts below before, or ends above after. At most one
	// of them is set.
	before, after db.JobCursor
}

// The parameters of the URL.
const (
	paramText   = "q"
	paramStatus = "state"
	paramKind   = "type"
	paramGPU    = "gpu"
	paramClient = "client"
	paramFrom   = "from"
	paramTo     = "to"
	paramOrder  = "order"
	paramBefore = "before"
	paramAfter  = "after"

	orderOldest = "oldest"
	orderNewest = "newest" // which it is without

	longestText = 256 // characters: as many as an identifier may have
)

// parseJobQuery reads a URL's query. The error names the parameter that is wrong.
func parseJobQuery(v url.Values) (jobQuery, error) {
	q := jobQuery{text: strings.TrimSpace(v.Get(paramText)), status: validator.JobStatus(v.Get(paramStatus)), kind: v.Get(paramKind), gpu: strings.TrimSpace(v.Get(paramGPU))}
	for param, text := range map[string]string{paramText: q.text, paramKind: q.kind, paramGPU: q.gpu} {
		switch {
		case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
			return jobQuery{}, badField("query."+param, "is no text", nil)
		case utf8.RuneCountInString(text) > longestText:
			return jobQuery{}, badField("query."+param, fmt.Sprintf("is longer than %d characters", longestText), nil)
		}
	}
	if q.status != "" && !q.status.Valid() {
		return jobQuery{}, badField("query."+paramStatus, "must be one of "+strings.Join(statusNames(), ", "), string(q.status))
	}
	if err := q.parseMore(v); err != nil {
		return jobQuery{}, err
	}
	var err error
	if q.before, err = parsePlace(paramBefore, v.Get(paramBefore)); err != nil {
		return jobQuery{}, err
	}
	if q.after, err = parsePlace(paramAfter, v.Get(paramAfter)); err != nil {
		return jobQuery{}, err
	}
	if !q.before.IsZero() && !q.after.IsZero() {
		return jobQuery{}, badField("query."+paramAfter, "cannot stand beside before: a page starts at one place or ends at it", nil)
	}
	return q, nil
}

// parseMore reads what stands behind "More filters".
func (q *jobQuery) parseMore(v url.Values) error {
	if text := strings.TrimSpace(v.Get(paramClient)); text != "" {
		a, err := validator.ParseAddress(text)
		if err != nil {
			return badField("query."+paramClient, "is "+err.Error(), text)
		}
		q.client = a
	}
	for param, day := range map[string]*string{paramFrom: &q.from, paramTo: &q.to} {
		*day = strings.TrimSpace(v.Get(param))
		if *day == "" {
			continue
		}
		if t, err := time.Parse(time.DateOnly, *day); err != nil || t.Year() < firstYear || t.Year() > lastYear {
			return badField("query."+param, "must be a UTC day such as 2026-11-20", *day)
		}
	}
	if q.from != "" && q.to != "" && q.from > q.to {
		return badField("query."+paramTo, "is before from: the last day cannot come before the first", q.to)
	}
	switch order := v.Get(paramOrder); order {
	case "", orderNewest:
	case orderOldest:
		q.oldestFirst = true
	default:
		return badField("query."+paramOrder, "must be "+orderNewest+" or "+orderOldest, order)
	}
	return nil
}

func statusNames() []string {
	var names []string
	for _, s := range validator.JobStatuses {
		names = append(names, string(s))
	}
	return names
}

// values writes what parseJobQuery reads.
func (q jobQuery) values() url.Values {
	v := url.Values{}
	order := ""
	if q.oldestFirst {
		order = orderOldest
	}
	for param, text := range map[string]string{
		paramText: q.text, paramStatus: string(q.status), paramKind: q.kind, paramGPU: q.gpu, paramClient: string(q.client),
		paramFrom: q.from, paramTo: q.to, paramOrder: order, paramBefore: placeText(q.before), paramAfter: placeText(q.after),
	} {
		if text != "" {
			v.Set(param, text)
		}
	}
	return v
}

func (q jobQuery) filter(limit int) db.JobFilter {
	f := db.JobFilter{
		Status: q.status, Type: q.kind, GPU: q.gpu, Client: q.client, Search: q.text, OldestFirst: q.oldestFirst,
		Limit: limit, Before: q.before, After: q.after,
	}
	if t, err := time.Parse(time.DateOnly, q.from); err == nil {
		f.From = t
	}
	if t, err := time.Parse(time.DateOnly, q.to); err == nil {
		f.To = t.AddDate(0, 0, 1) // the last day counts to its end
	}
	return f
}

// hasMore says whether anything behind "More filters" is set.
func (q jobQuery) hasMore() bool {
	return q.gpu != "" || q.client != "" || q.from != "" || q.to != "" || q.oldestFirst
}

// isCounted says whether the totals tell how many of these jobs are in each state.
func (q jobQuery) isCounted() bool {
	return q.text == "" && q.gpu == "" && q.client == "" && q.from == "" && q.to == ""
}

// newest is the first page of the same jobs: the newest, unless the oldest come first.
func (q jobQuery) newest() jobQuery {
	q.before, q.after = db.JobCursor{}, db.JobCursor{}
	return q
}

func (q jobQuery) startingBelow(j validator.Job) jobQuery {
	q = q.newest()
	q.before = db.CursorAfter(j)
	return q
}

func (q jobQuery) endingAbove(j validator.Job) jobQuery {
	q = q.newest()
	q.after = db.CursorAfter(j)
	return q
}

func (q jobQuery) ofStatus(s validator.JobStatus) jobQuery {
	q = q.newest()
	q.status = s
	return q
}

// narrowed says whether not all jobs are asked for.
func (q jobQuery) narrowed() bool { return q.newest() != jobQuery{} }

// isNewest says whether the page is the first of its list.
func (q jobQuery) isNewest() bool { return q == q.newest() }

const placeTimeBytes = 8

// placeText writes a place in a list for a URL, which only parsePlace needs to understand:
// the time in microseconds, as exactly as the database has it, and the identifier.
func placeText(c db.JobCursor) string {
	if c.IsZero() {
		return ""
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(c.CreatedAt.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, c.ID...))
}

func parsePlace(param, text string) (db.JobCursor, error) {
	if text == "" {
		return db.JobCursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(b) > placeTimeBytes {
		c := db.JobCursor{CreatedAt: time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC(), ID: string(b[placeTimeBytes:])}
		if y := c.CreatedAt.Year(); y >= 2000 && y < 2200 && utf8.ValidString(c.ID) && !strings.ContainsRune(c.ID, 0) {
			return c, nil
		}
	}
	return db.JobCursor{}, badField("query."+param, "is no place in a list of jobs: leave it out to start at the newest", text)
}

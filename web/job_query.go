package web

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"strconv"
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
	from, to string
	order    string // one of jobOrders; "" = the newest first
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

	longestText = 256 // characters: as many as an identifier may have
)

// jobOrder is an order that a list of jobs can have.
type jobOrder struct {
	name, label string
	sort        db.JobSort
	ascending   bool
}

// jobOrders are the orders of lists, the usual one first.
func jobOrders() []jobOrder {
	return []jobOrder{
		{"newest", "Newest first", db.SortSubmitted, false},
		{"oldest", "Oldest first", db.SortSubmitted, true},
		{"highest", "Highest reward first", db.SortPayment, false},
		{"lowest", "Lowest reward first", db.SortPayment, true},
		{"longest", "Longest duration first", db.SortDuration, false},
		{"shortest", "Shortest duration first", db.SortDuration, true},
	}
}

// jobOrderNamed finds an order; "" names the usual one.
func jobOrderNamed(name string) (jobOrder, bool) {
	all := jobOrders()
	if name == "" {
		return all[0], true
	}
	i := slices.IndexFunc(all, func(o jobOrder) bool { return o.name == name })
	if i < 0 {
		return jobOrder{}, false
	}
	return all[i], true
}

func jobOrderNames() []string {
	var names []string
	for _, o := range jobOrders() {
		names = append(names, o.name)
	}
	return names
}

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
	if q.before, err = parsePlace(paramBefore, v.Get(paramBefore), q.sorted().sort); err != nil {
		return jobQuery{}, err
	}
	if q.after, err = parsePlace(paramAfter, v.Get(paramAfter), q.sorted().sort); err != nil {
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
	order, known := jobOrderNamed(v.Get(paramOrder))
	if !known {
		return badField("query."+paramOrder, "must be one of "+strings.Join(jobOrderNames(), ", "), v.Get(paramOrder))
	}
	*q = q.inOrder(order)
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
	by := q.sorted().sort
	for param, text := range map[string]string{
		paramText: q.text, paramStatus: string(q.status), paramKind: q.kind, paramGPU: q.gpu, paramClient: string(q.client),
		paramFrom: q.from, paramTo: q.to, paramOrder: q.order, paramBefore: placeText(q.before, by), paramAfter: placeText(q.after, by),
	} {
		if text != "" {
			v.Set(param, text)
		}
	}
	return v
}

func (q jobQuery) filter(limit int) db.JobFilter {
	f := db.JobFilter{
		Status: q.status, Type: q.kind, GPU: q.gpu, Client: q.client, Search: q.text,
		Sort: q.sorted().sort, Ascending: q.sorted().ascending, Limit: limit, Before: q.before, After: q.after,
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
	return q.gpu != "" || q.client != "" || q.from != "" || q.to != "" || q.order != ""
}

// isCounted says whether the totals tell how many of these jobs are in each state.
func (q jobQuery) isCounted() bool {
	return q.text == "" && q.gpu == "" && q.client == "" && q.from == "" && q.to == ""
}

// sorted is the order of the list.
func (q jobQuery) sorted() jobOrder {
	o, _ := jobOrderNamed(q.order)
	return o
}

// inOrder is the first page of the same jobs in an order.
func (q jobQuery) inOrder(o jobOrder) jobQuery {
	q = q.first()
	if q.order = o.name; o == jobOrders()[0] {
		q.order = ""
	}
	return q
}

// first is the first page of the same jobs.
func (q jobQuery) first() jobQuery {
	q.before, q.after = db.JobCursor{}, db.JobCursor{}
	return q
}

func (q jobQuery) startingBelow(j validator.Job) jobQuery {
	q = q.first()
	q.before = db.CursorAfter(j)
	return q
}

func (q jobQuery) endingAbove(j validator.Job) jobQuery {
	q = q.first()
	q.after = db.CursorAfter(j)
	return q
}

func (q jobQuery) ofStatus(s validator.JobStatus) jobQuery {
	q = q.first()
	q.status = s
	return q
}

// narrowed says whether the list is not that of all jobs, the newest first.
func (q jobQuery) narrowed() bool { return q.first() != jobQuery{} }

// isFirst says whether the page is the first of its list.
func (q jobQuery) isFirst() bool { return q == q.first() }

const placeTimeBytes = 8

// placeText writes a place in a list for a URL, which only parsePlace needs to understand:
// what the list is sorted by and the identifier. A time is in microseconds, as exactly as the
// database has it; a value ends at a colon, and is empty where it is not known.
func placeText(c db.JobCursor, by db.JobSort) string {
	var b []byte
	switch {
	case c.IsZero():
		return ""
	case by == db.SortPayment:
		b = append([]byte(c.Payment), ':')
	case by == db.SortDuration:
		b = append([]byte(c.Duration), ':')
	default:
		b = binary.BigEndian.AppendUint64(nil, uint64(c.CreatedAt.UnixMicro()))
	}
	return base64.RawURLEncoding.EncodeToString(append(b, c.ID...))
}

func parsePlace(param, text string, by db.JobSort) (db.JobCursor, error) {
	if text == "" {
		return db.JobCursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		if c, is := placeOf(string(b), by); is {
			return c, nil
		}
	}
	return db.JobCursor{}, badField("query."+param, "is no place in this list of jobs: leave it out to start at its beginning", text)
}

// placeOf reads a place of a list that is sorted by something.
func placeOf(text string, by db.JobSort) (c db.JobCursor, is bool) {
	switch value, id, found := strings.Cut(text, ":"); by {
	case db.SortPayment:
		w, err := validator.ParseWei(value)
		c, is = db.JobCursor{Payment: value, ID: id}, found && (value == "" || err == nil && w.String() == value)
	case db.SortDuration:
		ms, err := strconv.ParseInt(value, 10, 64)
		c, is = db.JobCursor{Duration: value, ID: id}, found && (value == "" || err == nil && ms >= 0 && strconv.FormatInt(ms, 10) == value)
	default:
		if len(text) <= placeTimeBytes {
			return db.JobCursor{}, false
		}
		c = db.JobCursor{CreatedAt: time.UnixMicro(int64(binary.BigEndian.Uint64([]byte(text)))).UTC(), ID: text[placeTimeBytes:]}
		is = c.CreatedAt.Year() >= 2000 && c.CreatedAt.Year() < 2200
	}
	return c, is && c.ID != "" && utf8.ValidString(c.ID) && !strings.ContainsRune(c.ID, 0)
}

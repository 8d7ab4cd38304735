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
	// A place in the list: the page starts below before, or ends above after. At most one
	// of them is set.
	before, after db.JobCursor
}

// The parameters of the URL.
const (
	paramText   = "q"
	paramStatus = "state"
	paramKind   = "type"
	paramBefore = "before"
	paramAfter  = "after"

	longestText = 256 // characters: as many as an identifier may have
)

// parseJobQuery reads a URL's query. The error names the parameter that is wrong.
func parseJobQuery(v url.Values) (jobQuery, error) {
	q := jobQuery{text: strings.TrimSpace(v.Get(paramText)), status: validator.JobStatus(v.Get(paramStatus)), kind: v.Get(paramKind)}
	for param, text := range map[string]string{paramText: q.text, paramKind: q.kind} {
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
	for param, text := range map[string]string{
		paramText: q.text, paramStatus: string(q.status), paramKind: q.kind, paramBefore: placeText(q.before), paramAfter: placeText(q.after),
	} {
		if text != "" {
			v.Set(param, text)
		}
	}
	return v
}

func (q jobQuery) filter(limit int) db.JobFilter {
	return db.JobFilter{Status: q.status, Type: q.kind, Search: q.text, Limit: limit, Before: q.before, After: q.after}
}

// newest is the first page of the same jobs.
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

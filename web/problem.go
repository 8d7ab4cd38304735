package web

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

// problem is an error as people and programs see it: application/problem+json (RFC 9457)
// with the member "error" that older clients read.
type problem struct {
	Type   string         `json:"type" doc:"about:blank: the title says it all"`
	Title  string         `json:"title" doc:"What kind of problem this is"`
	Status int            `json:"status" doc:"The HTTP status"`
	Detail string         `json:"detail" doc:"What was wrong and what would be right"`
	Err    string         `json:"error" doc:"The same as detail, for older clients"`
	Errors []fieldProblem `json:"errors,omitempty" doc:"Each field that was wrong"`

	RequestID string `json:"request_id,omitempty" doc:"Of a failure of the server, as in the header X-Request-Id: names the request's line in the server's log"`

	cause      error
	retryAfter time.Duration // when to try again; 0 = not said
	unchecked  bool          // nobody can say now whether the credential that came along is good
}

// uncheckedHeader tells a page that polls that its server answers, but cannot check who asks.
const uncheckedHeader = "Credential-Unchecked"

// GetHeaders makes huma tell when to try again.
func (p *problem) GetHeaders() http.Header {
	h := make(http.Header)
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	if p.unchecked {
		h.Set(uncheckedHeader, "true")
	}
	return h
}

// fieldProblem names a field of a request and the rule that it breaks.
type fieldProblem struct {
	Field string `json:"field" doc:"Where it stands: query.limit, header.X-Wallet-Address, body.gpu_count"`
	Rule  string `json:"rule" doc:"What it must be"`
	Value any    `json:"value,omitempty" doc:"What it was"`
	Index *int   `json:"index,omitempty" doc:"Of a list of jobs or heartbeats: which of them, from 0; field is a member of it then"`
}

func newProblem(status int, detail string, fields ...fieldProblem) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Err: detail, Errors: fields}
}

func badField(field, rule string, value any) *problem {
	return newProblem(http.StatusBadRequest, fmt.Sprintf("%s %s", field, rule), fieldProblem{Field: field, Rule: rule, Value: value})
}

func (p *problem) Error() string { return p.Detail }

func (p *problem) Unwrap() error { return p.cause }

// GetStatus makes a problem a huma.StatusError.
func (p *problem) GetStatus() int { return p.Status }

// ContentType makes huma serve it as RFC 9457 asks.
func (p *problem) ContentType(string) string { return "application/problem+json" }

// bodyUnread is what huma says of a body that breaks off or breaks the rules of its transfer,
// which is the sender's fault. It calls that an error of the server.
const bodyUnread = "cannot read request body"

// useProblems makes huma describe and write every error as a problem. huma keeps its error
// constructor in a variable of its own, so this happens once for the process.
var useProblems = sync.OnceFunc(func() {
	huma.NewErrorWithContext = humaProblem
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		if status == http.StatusUnprocessableEntity {
			status = http.StatusBadRequest
		}
		if status == http.StatusInternalServerError && msg == bodyUnread {
			return nothingStored(badField("body", "could not be read to its end: its length or its chunks are not what the headers say", nil))
		}
		if status >= http.StatusInternalServerError {
			p := newProblem(status, unexpectedWords)
			p.cause = errors.Join(errs...)
			return p
		}
		var fields []fieldProblem
		var details []string
		for _, err := range errs {
			d := &huma.ErrorDetail{Message: err.Error()}
			if de, ok := err.(huma.ErrorDetailer); ok {
				d = de.ErrorDetail()
			}
			fields = append(fields, rowProblem(fieldProblem{Field: d.Location, Rule: d.Message, Value: d.Value}))
			details = append(details, strings.TrimSpace(d.Location+" "+d.Message))
		}
		if len(details) > 0 {
			msg = sentences(details)
		}
		return nothingStored(newProblem(status, msg, fields...))
	}
})

// nothingStored says of a report in which something is wrong that none of it was stored: every
// endpoint stores all of a report or nothing.
func nothingStored(p *problem) *problem {
	const words = "Nothing was stored: "
	wrong := func(f fieldProblem) bool {
		return f.Index != nil || f.Field == "body" || strings.HasPrefix(f.Field, "body.")
	}
	if p.Status == http.StatusBadRequest && slices.ContainsFunc(p.Errors, wrong) && !strings.HasPrefix(p.Detail, words) {
		p.Detail = words + p.Detail
		p.Err = p.Detail
	}
	return p
}

// ofRow finds a place in a list of rows.
var ofRow = regexp.MustCompile(`^body\.(?:jobs|heartbeats)\[(\d+)\](?:\.(.+))?$`)

// missingMember finds the name in what huma says of a member that is not there.
var missingMember = regexp.MustCompile(`^expected required property (\w+) `)

// rowProblem names the row of a list and its member apart.
func rowProblem(f fieldProblem) fieldProblem {
	m := ofRow.FindStringSubmatch(f.Field)
	if m == nil {
		return f
	}
	if n, err := strconv.Atoi(m[1]); err == nil {
		f.Index, f.Field = &n, m[2]
	}
	if missing := missingMember.FindStringSubmatch(f.Rule); f.Field == "" && missing != nil {
		f.Field, f.Value = missing[1], nil
	}
	return f
}

// sentences joins what is wrong with a request, as far as somebody would read on.
func sentences(details []string) string {
	const most = 5
	if more := len(details) - most; more > 0 {
		return strings.Join(details[:most], "; ") + fmt.Sprintf("; and %d more", more)
	}
	return strings.Join(details, "; ")
}

const unexpectedWords = "Something went wrong on our side. It has been logged; please try again."

// problemOf turns any error that a handler returned into a problem. What is not meant for
// people stays in cause.
func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	if he, is := errors.AsType[*echo.HTTPError](err); is {
		p = newProblem(he.Code, wordsFor(he.Code))
		if he.Code >= http.StatusInternalServerError {
			p.cause = err
		}
		return p
	}
	p = newProblem(http.StatusInternalServerError, unexpectedWords)
	p.cause = err
	return p
}

func wordsFor(status int) string {
	switch status {
	case http.StatusNotFound:
		return "There is nothing at this address."
	case http.StatusMethodNotAllowed:
		return "This address does not answer that method."
	case http.StatusRequestEntityTooLarge:
		return "The request's body is too large."
	}
	return http.StatusText(status)
}

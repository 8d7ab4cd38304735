package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
)

// retryAfter is how long a sender waits before it tries again what the database could not
// store: longer than the time between two looks at the database.
const retryAfter = 5 * time.Second

// unexpected is a fault of ours: people get no cause.
func unexpected(cause error) *problem {
	p := newProblem(http.StatusInternalServerError, unexpectedWords)
	p.cause = cause
	return p
}

// unavailable is the answer to what the database cannot do now; the detail says so.
func unavailable(detail string, cause error) *problem {
	p := newProblem(http.StatusServiceUnavailable, detail)
	p.cause, p.retryAfter = cause, retryAfter
	return p
}

// unchecked is the answer to a credential that the database cannot be asked about: it may be
// good, so nobody is signed out.
func unchecked(what, consequence string, cause error) *problem {
	if !errors.Is(cause, db.ErrUnavailable) {
		return unexpected(cause)
	}
	p := unavailable(what+", since the database does not answer."+consequence+" Try again in a few seconds.", cause)
	p.unchecked = true
	return p
}

// whyUnavailable says in whole sentences why the database could not answer or store.
func whyUnavailable(err error) string {
	if e, is := errors.AsType[*db.UnavailableError](err); is && e.Reason != "" {
		return e.Reason
	}
	return "The database cannot be reached."
}

// sinceDatabase is why something cannot be done now, as anybody may know it.
func (s *Server) sinceDatabase() string {
	if s.db.Ready() {
		return "since the database takes no writes now"
	}
	return "since the database cannot be reached"
}

// storeProblem says that a report could not be stored, so that the sender keeps it, or that
// the database refuses it, so that the sender mends it.
func (s *Server) storeProblem(err error) error {
	switch {
	case errors.Is(err, db.ErrInvalid):
		return refusedByDatabase(err)
	case !errors.Is(err, db.ErrUnavailable):
		return unexpected(err)
	}
	return unavailable("Nothing was stored. "+whyUnavailable(err)+" Send it again.", err)
}

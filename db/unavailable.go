package db

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// UnavailableError says for people why the database cannot answer, or cannot store, now. It
// matches ErrUnavailable.
type UnavailableError struct {
	Reason string // one or two sentences, without any of the cause's own text
	Remedy string // may be empty
	Cause  error  // for the log; may be nil
}

// Error returns the reason and the cause.
func (e *UnavailableError) Error() string {
	text := ErrUnavailable.Error() + ": " + e.Reason
	if e.Cause != nil {
		text += " (" + e.Cause.Error() + ")"
	}
	return text
}

// Is reports whether target is ErrUnavailable.
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Cause }

// hindrances are the SQLSTATEs of a statement that fails because somebody changed the database,
// and what they mean. The same statement succeeds once that is undone, so senders keep what
// they report.
var hindrances = map[string]refusal{
	stateNotAllowed: {"The database's user lacks a right on one of its tables.", "Grant that user SELECT, INSERT, UPDATE, DELETE and TRUNCATE on them."},
	"3F000":         missingObject, // invalid_schema_name
	"42P01":         missingObject, // undefined_table
	"42703":         missingObject, // undefined_column
	"42883":         missingObject, // undefined_function
	"P0001":         {"A trigger that another program put into the database refuses it.", "Remove that trigger, or mend it."},
}

var missingObject = refusal{"The database lacks a table, a column or a function that belongs there.", "Restore what was removed or renamed."}

// outage gives words to an error that matches isOutage.
func outage(err error) *UnavailableError {
	if known, ok := errors.AsType[*UnavailableError](err); ok {
		return known
	}
	e := &UnavailableError{Reason: "The database cannot be reached.", Cause: err}
	pg, answered := errors.AsType[*pgconn.PgError](err)
	if !answered {
		return e
	}
	if r, known := hindrances[pg.Code]; known {
		e.Reason, e.Remedy = r.reason, r.remedy
		return e
	}
	if r, known := refusals[pg.Code]; known {
		e.Reason, e.Remedy = r.reason, r.remedy
		return e
	}
	switch {
	case pg.Code == stateCanceled:
		e.Reason = "The database did not finish in time. Another session may keep a table locked."
	case class(pg) == "40":
		e.Reason = "The database is busy with conflicting writes."
	case class(pg) == "53":
		e.Reason = "The database has no resources left."
	case class(pg) == "57":
		e.Reason = "The database is starting up or shutting down."
	case class(pg) == "58":
		e.Reason = "The database has trouble with its disk."
	}
	return e
}

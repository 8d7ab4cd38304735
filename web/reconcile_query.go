package web

import (
	"net/url"
	"strings"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// reconcileQuery is which payments a page lists. Its whole state stands in the page's URL.
type reconcileQuery struct {
	class  validator.ReconcileClass // "" for all that differ
	before db.PaymentCursor         // the page starts below this place
}

const paramClass = "class"

// classAllDiffering stands in an export for what a page lists without a class.
const classAllDiffering = "differing"

func classNames() []string {
	var names []string
	for _, c := range validator.ReconcileClasses {
		names = append(names, string(c))
	}
	return names
}

// parseClass reads a class by its name; "" are all that differ.
func parseClass(text string) (validator.ReconcileClass, error) {
	if text == "" || text == classAllDiffering {
		return "", nil
	}
	for _, c := range validator.ReconcileClasses {
		if string(c) == text {
			return c, nil
		}
	}
	return "", badField("query."+paramClass, "must be one of "+strings.Join(classNames(), ", ")+", or be left out for all that differ", text)
}

// parseReconcileQuery reads a URL's query. The error names the parameter that is wrong.
func parseReconcileQuery(v url.Values) (q reconcileQuery, err error) {
	if q.class, err = parseClass(v.Get(paramClass)); err != nil {
		return reconcileQuery{}, err
	}
	place, err := parsePlace(paramBefore, v.Get(paramBefore), db.SortSubmitted)
	if err != nil {
		return reconcileQuery{}, badField("query."+paramBefore, "is no place in a list of payments: leave it out to start at the newest", v.Get(paramBefore))
	}
	q.before = db.PaymentCursor{At: place.CreatedAt, Job: place.ID}
	return q, nil
}

// values writes what parseReconcileQuery reads.
func (q reconcileQuery) values() url.Values {
	v := url.Values{}
	for param, text := range map[string]string{paramClass: string(q.class), paramBefore: placeText(db.JobCursor{CreatedAt: q.before.At, ID: q.before.Job}, db.SortSubmitted)} {
		if text != "" {
			v.Set(param, text)
		}
	}
	return v
}

// newest is the first page of the same payments.
func (q reconcileQuery) newest() reconcileQuery { return reconcileQuery{class: q.class} }

func (q reconcileQuery) startingBelow(p validator.ReconciledPayment) reconcileQuery {
	return reconcileQuery{q.class, db.PaymentCursorAfter(p)}
}

// classes are those that the list is of.
func (q reconcileQuery) classes() []validator.ReconcileClass {
	if q.class != "" {
		return []validator.ReconcileClass{q.class}
	}
	var out []validator.ReconcileClass
	for _, c := range validator.ReconcileClasses {
		if c.Differs() {
			out = append(out, c)
		}
	}
	return out
}

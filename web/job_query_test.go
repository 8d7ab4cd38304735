package web

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestAJobQuerySurvivesItsURL(t *testing.T) {
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.TrimSpace(strings.ReplaceAll(rapid.StringN(0, longestText, -1).Draw(t, "text"), "\x00", ""))
	})
	place := func(t *rapid.T, by db.JobSort) db.JobCursor {
		id := "j" + text.Draw(t, "id")
		switch by {
		case db.SortPayment:
			return db.JobCursor{Payment: rapid.StringMatching("|0|[1-9][0-9]{0,76}").Draw(t, "payment"), ID: id}
		case db.SortDuration:
			return db.JobCursor{Duration: rapid.StringMatching("|0|[1-9][0-9]{0,17}").Draw(t, "duration"), ID: id}
		case db.SortSubmitted:
		}
		at := time.Unix(rapid.Int64Range(946684800, 7258118399).Draw(t, "second"), 1000*rapid.Int64Range(0, 999_999).Draw(t, "microsecond")).UTC()
		return db.JobCursor{CreatedAt: at, ID: id}
	}
	rapid.Check(t, func(t *rapid.T) {
		q := jobQuery{text: text.Draw(t, "q"), kind: text.Draw(t, "type"), status: rapid.SampledFrom(append(validator.JobStatuses, "")).Draw(t, "state")}
		q.gpu = text.Draw(t, "gpu")
		q.client = rapid.SampledFrom([]validator.Address{"", alice}).Draw(t, "client")
		q.from = rapid.SampledFrom([]string{"", "2026-01-31"}).Draw(t, "from")
		q.to = rapid.SampledFrom([]string{"", "2026-01-31", "2027-12-01"}).Draw(t, "to")
		q = q.inOrder(rapid.SampledFrom(jobOrders()).Draw(t, "order"))
		switch rapid.IntRange(0, 2).Draw(t, "place") {
		case 1:
			q.before = place(t, q.sorted().sort)
		case 2:
			q.after = place(t, q.sorted().sort)
		}
		v, err := url.ParseQuery(q.values().Encode())
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseJobQuery(v)
		if err != nil || got != q {
			t.Fatalf("%+v became %+v: %v", q, got, err)
		}
	})
}

func TestAWrongJobQueryIsRefusedByName(t *testing.T) {
	place := placeText(db.JobCursor{CreatedAt: time.Now(), ID: "1"}, db.SortSubmitted)
	for query, field := range map[string]string{
		"state=done":                            "query.state",
		"state=FAILED":                          "query.state",
		"before=x":                              "query.before",
		"before=%00":                            "query.before",
		"before=" + strings.Repeat("A", 12):     "query.before", // a time before all times
		"after=" + place[:8]:                    "query.after",
		"after=" + place + "&before=" + place:   "query.after",
		"q=" + strings.Repeat("a", 257):         "query.q",
		"q=%ff":                                 "query.q",
		"gpu=a%00b":                             "query.gpu",
		"client=0x0":                            "query.client",
		"from=yesterday":                        "query.from",
		"to=2026-02-30":                         "query.to",
		"to=1999-01-01":                         "query.to",
		"from=2026-02-02&to=2026-02-01":         "query.to",
		"order=best":                            "query.order",
		"order=highest&before=" + place:         "query.before", // a place in another list
		"order=longest&before=" + place:         "query.before",
		"order=highest&before=MDE6ag":           "query.before", // 01:j
		"order=longest&after=LTE6ag":            "query.after",  // -1:j
		"order=longest&after=MTo":               "query.after",  // 1:
		"type=a%00b":                            "query.type",
		"type=" + strings.Repeat("%C3%A9", 257): "query.type",
	} {
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		var p *problem
		if _, err := parseJobQuery(v); !errors.As(err, &p) || p.Status != 400 || p.Errors[0].Field != field || !strings.HasPrefix(p.Detail, field+" ") {
			t.Errorf("%s: %v", query, err)
		}
	}
	v, _ := url.ParseQuery("q=" + strings.Repeat("%C3%A9", 256) + "&unknown=1")
	if _, err := parseJobQuery(v); err != nil {
		t.Errorf("256 characters are refused: %v", err)
	}
}

func FuzzParsePlace(f *testing.F) {
	sound := placeText(db.JobCursor{CreatedAt: time.Date(2026, 11, 20, 0, 0, 0, 1000, time.UTC), ID: "job-1"}, db.SortSubmitted)
	for _, seed := range []string{"", sound, sound + "=", sound[:8], sound[:11], strings.Repeat("A", 11), strings.Repeat("_", 400), "!", "é", sound + "\n"} {
		f.Add(seed)
	}
	for _, c := range []db.JobCursor{{Payment: "12", ID: "j:1"}, {ID: "j"}} {
		f.Add(placeText(c, db.SortPayment))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, by := range []db.JobSort{db.SortSubmitted, db.SortPayment, db.SortDuration} {
			c, err := parsePlace(paramBefore, text, by)
			if err != nil {
				if !c.IsZero() || c.ID != "" {
					t.Errorf("%q is refused and read as %v", text, c)
				}
				continue
			}
			again, err := parsePlace(paramBefore, placeText(c, by), by)
			if err != nil || again != c || (text != "") == c.IsZero() {
				t.Errorf("%q is read as %v, and that as %v, %v", text, c, again, err)
			}
		}
	})
}

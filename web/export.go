package web

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// The formats of an export.
const (
	paramFormat  = "format"
	formatCSV    = "csv"
	formatNDJSON = "ndjson"
)

// exportTime is how an export writes times: ISO 8601 in UTC, as exactly as they are kept.
const exportTime = "2006-01-02T15:04:05.999999Z07:00"

// exportRow is a row of an export: what NDJSON has, and the same as the cells of CSV.
type exportRow interface{ cells() []string }

// exportWriter writes rows in one format.
type exportWriter interface {
	row(r exportRow) error
	end() error
}

// exportFormats are the ways to write rows under a header.
var exportFormats = map[string]struct {
	mime string
	make func(w io.Writer, header []string) exportWriter
}{formatCSV: {"text/csv; charset=utf-8", newCSVRows}, formatNDJSON: {"application/x-ndjson", newNDJSONRows}}

// export streams rows that each hands over one by one. However many there are, it holds few
// at a time.
func (s *Server) export(c echo.Context, what string, wallet validator.Address, header []string, each func(func(exportRow) error) error) error {
	format, known := exportFormats[c.QueryParam(paramFormat)]
	if !known {
		return badField("query."+paramFormat, "must be "+formatCSV+" or "+formatNDJSON, c.QueryParam(paramFormat))
	}
	if !s.db.Ready() {
		return newProblem(http.StatusServiceUnavailable, "The "+what+" cannot be read now: "+validator.Sentence(s.db.State().Reason))
	}
	end, refused := s.exports.begin(wallet)
	if refused != nil {
		return refused
	}
	defer end()
	stints := s.stints(c.Request().Context(), wallet)
	defer stints.end()
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, format.mime)
	h.Set(echo.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s-%s-%s.%s"`, what, wallet.Felt().Short(), s.now().Format(time.DateOnly), c.QueryParam(paramFormat)))
	out := bufio.NewWriterSize(patientWriter{c.Response(), http.NewResponseController(c.Response()), s.exports.stall, stints}, 64<<10)
	if err := streamRows(out, stints.pause(format.make(out, header)), each); err != nil {
		if !c.Response().Committed {
			h.Del(echo.HeaderContentDisposition)
			return err
		}
		if c.Request().Context().Err() == nil {
			s.log.ErrorContext(c.Request().Context(), "export broken off", slog.Any("error", err))
		}
		panic(http.ErrAbortHandler) // nothing else tells a client that what it has is not all
	}
	return nil
}

// patientWriter gives a client time for each part of an export, and gives up on one that takes none of
// it. The server's own limit is for answers that are made at once.
type patientWriter struct {
	w        io.Writer
	deadline *http.ResponseController
	patience time.Duration
	stints   *stints
}

func (p patientWriter) Write(part []byte) (int, error) {
	// A response that knows no deadlines, as in a test, needs none.
	began := time.Now()
	_ = p.deadline.SetWriteDeadline(began.Add(p.patience))
	defer func() { p.stints.idle += time.Since(began) }()
	return p.w.Write(part)
}

func streamRows(out *bufio.Writer, w exportWriter, each func(func(exportRow) error) error) error {
	if err := each(w.row); err != nil {
		return err
	}
	if err := w.end(); err != nil {
		return err
	}
	return out.Flush()
}

type ndjsonRows struct{ *json.Encoder }

func newNDJSONRows(w io.Writer, _ []string) exportWriter {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return ndjsonRows{e}
}

func (n ndjsonRows) row(r exportRow) error { return n.Encode(r) }

func (n ndjsonRows) end() error { return nil }

type csvRows struct {
	w      *csv.Writer
	header []string // nil once it is written
}

func newCSVRows(w io.Writer, header []string) exportWriter { return &csvRows{csv.NewWriter(w), header} }

func (c *csvRows) head() error {
	if c.header == nil {
		return nil
	}
	header := c.header
	c.header = nil
	return c.w.Write(header)
}

func (c *csvRows) row(r exportRow) error {
	if err := c.head(); err != nil {
		return err
	}
	return c.w.Write(r.cells())
}

func (c *csvRows) end() error {
	if err := c.head(); err != nil {
		return err
	}
	c.w.Flush()
	return c.w.Error()
}

// cell is a text, empty where it is not known.
func cell(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func exportedTime(t *time.Time) *string {
	if t == nil {
		return nil
	}
	text := t.UTC().Format(exportTime)
	return &text
}

// exactSAGE writes an amount in SAGE with all its decimals.
func exactSAGE(w validator.Wei) string {
	digits := w.String()
	if short := validator.SAGEDecimals + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	whole := len(digits) - validator.SAGEDecimals
	return digits[:whole] + "." + digits[whole:]
}

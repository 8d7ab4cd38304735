package web

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
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

// exportStall is how long a client may take for some jobs before an export gives up on it.
const exportStall = 30 * time.Second

// exportTime is how an export writes times: ISO 8601 in UTC, as exactly as they are kept.
const exportTime = "2006-01-02T15:04:05.999999Z07:00"

func (s *Server) exportURL(wallet validator.Address, q jobQuery, format string) string {
	v := q.first().values()
	v.Set(paramFormat, format)
	if wallet != s.validatorAddress {
		v.Set("wallet", string(wallet))
	}
	return "/jobs/export?" + v.Encode()
}

// exportJobs streams all jobs of a filter. However many there are, it holds few at a time.
func (s *Server) exportJobs(c echo.Context) error {
	wallet, err := s.pageWallet(c)
	if err != nil {
		return err
	}
	if wallet == "" {
		return badField("query.wallet", "is missing: name the wallet whose jobs are asked for", nil)
	}
	q, err := parseJobQuery(c.QueryParams())
	if err != nil {
		return err
	}
	formats := map[string]struct {
		mime string
		make func(io.Writer) jobWriter
	}{formatCSV: {"text/csv; charset=utf-8", newCSVJobs}, formatNDJSON: {"application/x-ndjson", newNDJSONJobs}}
	format, known := formats[c.QueryParam(paramFormat)]
	if !known {
		return badField("query."+paramFormat, "must be "+formatCSV+" or "+formatNDJSON, c.QueryParam(paramFormat))
	}
	if st := s.db.State(); st.Health != validator.HealthOK {
		return newProblem(http.StatusServiceUnavailable, "The jobs cannot be read now: "+validator.Sentence(st.Reason))
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, format.mime)
	h.Set(echo.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="jobs-%s-%s.%s"`, wallet.Felt().Short(), s.now().Format(time.DateOnly), c.QueryParam(paramFormat)))
	if err := s.streamJobs(c, wallet, q, format.make); err != nil {
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

func (s *Server) streamJobs(c echo.Context, wallet validator.Address, q jobQuery, format func(io.Writer) jobWriter) error {
	const together = 500 // jobs between two looks at the clock
	deadline := http.NewResponseController(c.Response())
	out := bufio.NewWriterSize(c.Response(), 64<<10)
	w := format(out)
	n := 0
	err := s.db.EachJob(c.Request().Context(), wallet, q.first().filter(0), func(j validator.Job) error {
		if n%together == 0 {
			// The server's limit is for answers that are made at once. A response that has
			// none, as in a test, needs no more time.
			_ = deadline.SetWriteDeadline(time.Now().Add(exportStall))
		}
		n++
		return w.job(j)
	})
	if err != nil {
		return err
	}
	if err := w.end(); err != nil {
		return err
	}
	return out.Flush()
}

// jobWriter writes jobs in one format.
type jobWriter interface {
	job(j validator.Job) error
	end() error
}

// exportedJob is a job in an export. What is not known is null, or empty in CSV.
type exportedJob struct {
	JobID           string  `json:"job_id"`
	JobType         string  `json:"job_type"`
	Status          string  `json:"status"`
	WorkerAddress   string  `json:"worker_address"`
	ClientAddress   *string `json:"client_address"`
	GPUUUID         *string `json:"gpu_uuid"`
	CreatedAt       string  `json:"created_at"`
	AssignedAt      *string `json:"assigned_at"`
	CompletedAt     *string `json:"completed_at"`
	ExecutionTimeMS *int64  `json:"execution_time_ms"`
	DurationMS      *int64  `json:"duration_ms"`
	PaymentWei      *string `json:"payment_wei"`
	PaymentSAGE     *string `json:"payment_sage"`
	TxHash          *string `json:"tx_hash"`
	BlockNumber     *uint64 `json:"block_number"`
	ResultHash      *string `json:"result_hash"`
	ErrorMessage    *string `json:"error_message"`
}

func exported(j validator.Job) exportedJob {
	out := exportedJob{
		JobID: j.ID, JobType: j.Type, Status: string(j.Status), WorkerAddress: string(j.Worker), ClientAddress: nonEmpty(string(j.Client)),
		GPUUUID: nonEmpty(j.GPUUUID), CreatedAt: j.CreatedAt.UTC().Format(exportTime), AssignedAt: exportedTime(j.AssignedAt), CompletedAt: exportedTime(j.CompletedAt),
		TxHash: nonEmpty(string(j.TxHash)), BlockNumber: j.BlockNumber, ResultHash: nonEmpty(j.ResultHash), ErrorMessage: nonEmpty(j.ErrorMessage),
	}
	if j.ExecutionTime != nil {
		ms := j.ExecutionTime.Milliseconds()
		out.ExecutionTimeMS = &ms
	}
	if d, known := j.Duration().Get(); known {
		ms := d.Milliseconds()
		out.DurationMS = &ms
	}
	if j.Payment != nil {
		wei, sage := j.Payment.String(), exactSAGE(*j.Payment)
		out.PaymentWei, out.PaymentSAGE = &wei, &sage
	}
	return out
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

type ndjsonJobs struct{ *json.Encoder }

func newNDJSONJobs(w io.Writer) jobWriter {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return ndjsonJobs{e}
}

func (n ndjsonJobs) job(j validator.Job) error { return n.Encode(exported(j)) }

func (n ndjsonJobs) end() error { return nil }

type csvJobs struct {
	w      *csv.Writer
	headed bool
}

func newCSVJobs(w io.Writer) jobWriter { return &csvJobs{w: csv.NewWriter(w)} }

// csvHeader names the columns as NDJSON names the members.
var csvHeader = []string{"job_id", "job_type", "status", "worker_address", "client_address", "gpu_uuid", "created_at", "assigned_at", "completed_at", "execution_time_ms", "duration_ms", "payment_wei", "payment_sage", "tx_hash", "block_number", "result_hash", "error_message"}

func (c *csvJobs) head() error {
	if c.headed {
		return nil
	}
	c.headed = true
	return c.w.Write(csvHeader)
}

func (c *csvJobs) job(j validator.Job) error {
	if err := c.head(); err != nil {
		return err
	}
	e := exported(j)
	cell := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	number := func(n *int64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatInt(*n, 10)
	}
	block := ""
	if e.BlockNumber != nil {
		block = strconv.FormatUint(*e.BlockNumber, 10)
	}
	return c.w.Write([]string{
		plainCell(e.JobID), plainCell(e.JobType), e.Status, e.WorkerAddress, cell(e.ClientAddress), plainCell(cell(e.GPUUUID)), e.CreatedAt, cell(e.AssignedAt), cell(e.CompletedAt),
		number(e.ExecutionTimeMS), number(e.DurationMS), cell(e.PaymentWei), cell(e.PaymentSAGE), cell(e.TxHash), block, plainCell(cell(e.ResultHash)), plainCell(cell(e.ErrorMessage)),
	})
}

func (c *csvJobs) end() error {
	if err := c.head(); err != nil {
		return err
	}
	c.w.Flush()
	return c.w.Error()
}

// plainCell keeps a spreadsheet from reading a text of somebody else's as a formula.
func plainCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

package web

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
)

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
	return s.export(c, "jobs", wallet, csvHeader, func(row func(exportRow) error) error {
		return s.db.EachJob(c.Request().Context(), wallet, q.first().filter(0), func(j validator.Job) error { return row(exported(j)) })
	})
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
	KeptApart       *string `json:"kept_apart"`
	SelfReported    bool    `json:"self_reported"`
}

func exported(j validator.Job) exportedJob {
	out := exportedJob{
		JobID: j.ID, JobType: j.Type, Status: string(j.Status), WorkerAddress: string(j.Worker), ClientAddress: nonEmpty(string(j.Client)),
		GPUUUID: nonEmpty(j.GPUUUID), CreatedAt: j.CreatedAt.UTC().Format(exportTime), AssignedAt: exportedTime(j.AssignedAt), CompletedAt: exportedTime(j.CompletedAt),
		TxHash: nonEmpty(string(j.TxHash)), BlockNumber: j.BlockNumber, ResultHash: nonEmpty(j.ResultHash), ErrorMessage: nonEmpty(j.ErrorMessage), KeptApart: nonEmpty(string(j.KeptApart)), SelfReported: j.SelfReported,
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

// csvHeader names the columns as NDJSON names the members.
var csvHeader = []string{"job_id", "job_type", "status", "worker_address", "client_address", "gpu_uuid", "created_at", "assigned_at", "completed_at", "execution_time_ms", "duration_ms", "payment_wei", "payment_sage", "tx_hash", "block_number", "result_hash", "error_message", "kept_apart", "self_reported"}

func (e exportedJob) cells() []string {
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
	return []string{
		plainCell(e.JobID), plainCell(e.JobType), plainCell(e.Status), plainCell(e.WorkerAddress), plainCell(cell(e.ClientAddress)), plainCell(cell(e.GPUUUID)), e.CreatedAt, cell(e.AssignedAt), cell(e.CompletedAt),
		number(e.ExecutionTimeMS), number(e.DurationMS), cell(e.PaymentWei), cell(e.PaymentSAGE), plainCell(cell(e.TxHash)), block, plainCell(cell(e.ResultHash)), plainCell(cell(e.ErrorMessage)), cell(e.KeptApart), strconv.FormatBool(e.SelfReported),
	}
}

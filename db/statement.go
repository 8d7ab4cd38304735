package db

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// statements are the queries whose results pages show, by the names that queries/ gives them.
var statements = map[string]string{
	"workerJobTotals":         workerJobTotals,
	"countJobsSubmittedSince": countJobsSubmittedSince,
	"jobPaymentsSince":        jobPaymentsSince,
	"claimedSince":            claimedSince,
	"workerEarningDays":       workerEarningDays,
	"sumJobTime":              sumJobTime,
	"workerEnergy":            workerEnergy,
	"newestConfirmedClaim":    newestConfirmedClaim,
	"heartbeatHours":          heartbeatHours,
	"hostHeartbeatHours":      hostHeartbeatHours,
	"uptimeDays":              uptimeDays,
	"hostUptimeDays":          hostUptimeDays,
	"newestHeartbeat":         newestHeartbeat,
	"listWorkerGPUs":          listWorkerGPUs,
	"countWorkers":            countWorkers,
	"listReconciled":          listReconciled,
	"networkJobTotals":        networkJobTotals,
	"networkHours":            networkHours,
	"stakeLeaders":            stakeLeaders,
	"workerMonths":            workerMonths,
	"countJobsCompletedSince": countJobsCompletedSince,
	"activeHosts":             activeHosts,
}

var parameter = regexp.MustCompile(`\$[0-9]+`)

// Statement returns a query as this program runs it, with its parameters written into it so
// that anyone can repeat it in psql; "" if pages show nothing of a query of that name. The
// parameters are addresses, times and lists of times. The text is for reading and
// repeating: the program itself sends parameters apart.
func Statement(name string, parameters ...any) string {
	sql, known := statements[name]
	if !known {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(sql), "\n")
	for len(lines) > 0 && strings.HasPrefix(lines[0], "--") {
		lines = lines[1:]
	}
	return parameter.ReplaceAllStringFunc(strings.Join(lines, "\n"), func(p string) string {
		n, err := strconv.Atoi(p[1:])
		if err != nil || n > len(parameters) {
			return p
		}
		return literal(parameters[n-1])
	}) + ";"
}

// literal writes a parameter as SQL does.
func literal(v any) string {
	switch v := v.(type) {
	case validator.Address:
		return quoted(string(v))
	case time.Time:
		return "timestamptz " + quoted(v.UTC().Format("2006-01-02 15:04:05.999999+00"))
	case []time.Time:
		texts := make([]string, len(v))
		for i, t := range v {
			texts[i] = literal(t)
		}
		return "ARRAY[" + strings.Join(texts, ", ") + "]"
	}
	return quoted(fmt.Sprint(v))
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

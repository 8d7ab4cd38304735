package db_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// TestChecksReadEveryTableOnce: none looks something up for every row, which takes a time that
// grows with the square of the rows. Nothing is known here of how many rows there are.
func TestChecksReadEveryTableOnce(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	conn, err := pgx.Connect(t.Context(), url)
	check(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	for _, fill := range []string{"", "INSERT INTO jobs (job_id, worker_address, status, payment_amount) SELECT 'j' || n, '0xa11', 'completed', 5 FROM generate_series(1, 3000) n"} {
		if fill != "" {
			dbtest.Exec(t, url, fill)
		}
		for name, sql := range db.Checks() {
			rows, err := conn.Query(t.Context(), "EXPLAIN "+strings.ReplaceAll(sql, "$1", "1000"))
			check(t, err)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			check(t, err)
			for _, line := range lines {
				if strings.Contains(line, "SubPlan") && !strings.Contains(line, "InitPlan") {
					t.Errorf("%s looks something up for every row:\n%s", name, strings.Join(lines, "\n"))
					break
				}
			}
		}
	}
}

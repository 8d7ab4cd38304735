package db_test

import (
	"errors"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// Who changes the database under the program hinders it: nothing is wrong with the report, so
// that its sender must keep it.
func TestWhatOthersChangeInTheDatabaseIsAnOutage(t *testing.T) {
	report := func(s *db.Store) error {
		_, err := s.StoreJobs(t.Context(), []validator.Job{{ID: "hindered", Worker: alice, Status: validator.JobRunning, CreatedAt: time.Now().UTC()}})
		return err
	}
	for name, c := range map[string]struct{ hinder, undo string }{
		"a table is gone":   {"ALTER TABLE jobs RENAME TO jobs_away", "ALTER TABLE jobs_away RENAME TO jobs"},
		"a trigger refuses": {"CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'; CREATE TRIGGER no BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION no()", "DROP TRIGGER no ON jobs"},
	} {
		t.Run(name, func(t *testing.T) {
			url := dbtest.NewURL(t)
			s := dbtest.Open(t, db.Config{URL: url})
			dbtest.Exec(t, url, c.hinder)
			var e *db.UnavailableError
			if err := report(s); !errors.As(err, &e) || !errors.Is(err, db.ErrUnavailable) || e.Reason == "" {
				t.Errorf("a report of a job: %v", err)
			}
			dbtest.Exec(t, url, c.undo)
			waitFor(t, "the report to be stored", func() bool {
				err := report(s)
				if err != nil && !errors.Is(err, db.ErrUnavailable) {
					t.Fatal(err)
				}
				return err == nil
			})
		})
	}
}

func TestARightThatIsTakenAwayIsAnOutage(t *testing.T) {
	url := dbtest.NewURL(t)
	s := dbtest.Open(t, db.Config{URL: url})
	// A trigger that gives up the superuser's rights has the report meet a table as a user who may not write.
	dbtest.Exec(t, url, `DO $$ BEGIN CREATE ROLE hindered_nobody; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
		CREATE TABLE forbidden (n integer);
		CREATE FUNCTION writes_forbidden() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN SET LOCAL ROLE hindered_nobody; INSERT INTO forbidden VALUES (1); RETURN NEW; END';
		CREATE TRIGGER writes_forbidden BEFORE INSERT ON heartbeats FOR EACH ROW EXECUTE FUNCTION writes_forbidden()`)
	var e *db.UnavailableError
	if err := beat(s); !errors.As(err, &e) || e.Remedy == "" {
		t.Errorf("a heartbeat: %v", err)
	}
}

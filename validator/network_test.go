package validator

import (
	"testing"
	"time"
)

func TestActivityHasEveryHourOfItsWindow(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 30, 0, 0, time.UTC)
	at := func(h int) time.Time { return time.Date(2026, 5, 4, h, 0, 0, 0, time.UTC) }
	a := ActivitySince([]NetworkHour{{Hour: at(-12), Completed: 100}, {Hour: at(-11), Submitted: 2, Completed: 3, Failed: 1, ComputeTime: 0.5}, {Hour: at(12), Submitted: 7}}, now.Truncate(time.Hour).Add(-23*time.Hour), now)
	if len(a.Hours) != 24 || !a.Hours[0].Hour.Equal(at(-11)) || !a.Hours[23].Hour.Equal(at(12)) || a.Submitted != 9 || a.Completed != 3 || a.Failed != 1 || a.Compute != 0.5 {
		t.Errorf("%+v", a)
	}
	if p, _ := a.SuccessPercent().Get(); p != 75 {
		t.Errorf("%v %% succeed", p)
	}
	if ActivitySince(nil, now, now).SuccessPercent().Known() {
		t.Error("without a job there is a success rate")
	}
}

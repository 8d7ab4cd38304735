package validator

import "time"

// Window is a stretch of time, in days, that ends now. A window of one day is the last 24
// hours. Longer ones are days in UTC, today included, so that figures, charts by day, tables
// and exports of one window count the same rows.
type Window int

// The windows that figures have.
const (
	Window24h  Window = 1
	Window7d   Window = 7
	Window30d  Window = 30
	Window90d  Window = 90
	Window365d Window = 365
)

// WindowsMeaning says what every window covers.
const WindowsMeaning = "24 h are the last 24 hours. 7 d, 30 d and longer are days in UTC, today included: from 00:00 of the first day until now."

// Start returns the time at which a window that ends now begins.
func (w Window) Start(now time.Time) time.Time {
	if w == Window24h {
		return now.Add(-24 * time.Hour)
	}
	return DayOf(now).AddDate(0, 0, 1-int(w))
}

package db

import (
	"context"
	"math/bits"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// How far back UptimeHistory tells of hours and of days.
const (
	UptimeHourReach = 30 * 24 * time.Hour
	UptimeDayReach  = 365 * 24 * time.Hour
)

// UptimeHistory returns when a worker and each of its hosts was heard: by minute in the hours
// of UptimeHourReach before now, by day before that as far as UptimeDayReach. It costs by the
// hours and days, not by the heartbeats, and needs none of those that are past their age.
func (s *Store) UptimeHistory(ctx context.Context, worker validator.Address, now time.Time) (validator.UptimeHistory, error) {
	var u validator.UptimeHistory
	hosts := map[string]*validator.HostUptime{}
	firstHour, firstDay := utcDay(now.Add(-UptimeHourReach)), utcDay(now.Add(-UptimeDayReach))
	err := s.inSnapshot(ctx, func(q *Queries) error {
		var err error
		if u.First, err = firstMinute(ctx, q, worker); err != nil {
			return err
		}
		days, err := q.hostUptimeDays(ctx, hostUptimeDaysParams{WorkerAddress: worker, FirstDay: firstDay})
		if err != nil {
			return err
		}
		var order []*validator.HostUptime
		host := func(id string) *validator.HostUptime {
			if hosts[id] == nil {
				hosts[id] = &validator.HostUptime{WorkerID: id}
				order = append(order, hosts[id])
			}
			return hosts[id]
		}
		for _, d := range days {
			if d.Day.Before(firstHour) {
				h := host(d.WorkerID)
				h.Days = append(h.Days, validator.UptimeDay{Day: d.Day.UTC(), Minutes: int(d.Minutes)})
			}
		}
		hours, err := q.hostHeartbeatHours(ctx, hostHeartbeatHoursParams{WorkerAddress: worker, Since: firstHour})
		if err != nil {
			return err
		}
		for _, r := range hours {
			h := host(r.WorkerID)
			h.Hours = append(h.Hours, validator.HourMask{Hour: r.Hour, Minutes: uint64(r.Minutes)})
		}
		for _, h := range order {
			h.Days = append(h.Days, daysOf(h.Hours)...)
			u.Hosts = append(u.Hosts, *h)
		}
		all, err := q.heartbeatHours(ctx, heartbeatHoursParams{WorkerAddress: worker, Since: firstHour})
		if err != nil {
			return err
		}
		for _, r := range all {
			u.Hours = append(u.Hours, validator.HourMask{Hour: r.Hour, Minutes: uint64(r.Minutes)})
		}
		older, err := q.uptimeDays(ctx, uptimeDaysParams{WorkerAddress: worker, FirstDay: firstDay})
		for _, d := range older {
			if d.Day.Before(firstHour) {
				u.Days = append(u.Days, validator.UptimeDay{Day: d.Day.UTC(), Minutes: int(d.Minutes)})
			}
		}
		u.Days = append(u.Days, daysOf(u.Hours)...)
		return err
	})
	return u, s.fail("read the uptime", err)
}

// daysOf sums hours up by UTC day. Both are oldest first.
func daysOf(hours []validator.HourMask) []validator.UptimeDay {
	var days []validator.UptimeDay
	for _, h := range hours {
		day := utcDay(h.Hour)
		if n := len(days); n == 0 || !days[n-1].Day.Equal(day) {
			days = append(days, validator.UptimeDay{Day: day})
		}
		days[len(days)-1].Minutes += bits.OnesCount64(h.Minutes)
	}
	return days
}

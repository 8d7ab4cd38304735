package db

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// UptimeHistory returns when a worker and each of its hosts was heard: by minute in the hours
// that every window and grid of an uptime report needs, and before that how many minutes of
// each day are up. It costs by the hours and days, not by the heartbeats, and needs none of
// those that are past their age.
func (s *Store) UptimeHistory(ctx context.Context, worker validator.Address, interval validator.HeartbeatInterval, now time.Time) (validator.UptimeHistory, error) {
	u := validator.UptimeHistory{
		Interval: interval, Since: validator.Window30d.Start(now),
		FirstDay: utcDay(now).AddDate(0, 0, -validator.UptimeYearDays+1),
	}
	minutes, before := int32(interval.Minutes()), u.Since.Add(-time.Hour)
	err := s.inSnapshot(ctx, func(q *Queries) error {
		hours, err := q.heartbeatHours(ctx, heartbeatHoursParams{WorkerAddress: worker, Since: before})
		if err != nil {
			return err
		}
		for _, r := range hours {
			u.Hours = append(u.Hours, validator.HourMask{Hour: r.Hour, Minutes: uint64(r.Minutes)})
		}
		days, err := q.uptimeDays(ctx, uptimeDaysParams{WorkerAddress: worker, IntervalMinutes: minutes, FirstDay: u.FirstDay, EndDay: u.Since})
		if err != nil {
			return err
		}
		for _, d := range days {
			u.Days = append(u.Days, validator.UptimeDay{Day: d.Day.UTC(), Minutes: int(d.Minutes)})
		}
		return addHosts(ctx, q, worker, minutes, before, &u)
	})
	return u, s.fail("read the uptime", err)
}

// addHosts adds the part of each host that was heard in what a history reaches back to, and
// when any host ever was heard first: as far as the days before tell of it, so that no day is
// counted as missed while it waits to be folded.
func addHosts(ctx context.Context, q *Queries, worker validator.Address, minutes int32, before time.Time, u *validator.UptimeHistory) error {
	hosts := map[string]*validator.HostHeard{}
	host := func(id string) *validator.HostHeard {
		if hosts[id] == nil {
			hosts[id] = &validator.HostHeard{WorkerID: id}
		}
		return hosts[id]
	}
	days, err := q.hostUptimeDays(ctx, hostUptimeDaysParams{WorkerAddress: worker, IntervalMinutes: minutes, FirstDay: u.FirstDay, EndDay: u.Since})
	if err != nil {
		return err
	}
	for _, d := range days {
		h := host(d.WorkerID)
		h.Days = append(h.Days, validator.UptimeDay{Day: d.Day.UTC(), Minutes: int(d.Minutes)})
	}
	hours, err := q.hostHeartbeatHours(ctx, hostHeartbeatHoursParams{WorkerAddress: worker, Since: before})
	if err != nil {
		return err
	}
	for _, r := range hours {
		h := host(r.WorkerID)
		h.Hours = append(h.Hours, validator.HourMask{Hour: r.Hour, Minutes: uint64(r.Minutes)})
		if h.First == nil { // unless it was heard before
			at := firstOf(r.Hour, r.Minutes)
			h.First = &at
		}
	}
	firsts, err := q.hostFirstHours(ctx, string(worker))
	if err != nil {
		return err
	}
	for _, f := range firsts {
		at := firstOf(f.Hour, f.Minutes)
		if u.First == nil || at.Before(*u.First) {
			u.First = &at
		}
		if h := hosts[f.WorkerID]; h != nil && (h.First == nil || at.Before(*h.First)) {
			h.First = &at
		}
	}
	for _, h := range hosts {
		u.Hosts = append(u.Hosts, *h)
		if u.First == nil || h.First != nil && h.First.Before(*u.First) {
			u.First = h.First
		}
	}
	slices.SortFunc(u.Hosts, func(a, b validator.HostHeard) int { return cmp.Compare(a.WorkerID, b.WorkerID) })
	return nil
}

// firstOf is the first marked minute of an hour.
func firstOf(hour time.Time, minutes int64) time.Time {
	return hour.UTC().Add(time.Duration(bits.TrailingZeros64(uint64(minutes))) * time.Minute)
}

// HeartbeatHours returns in which minutes between two times any host of a worker was heard,
// by the hours that hold those times, and when the first heartbeat ever was; nil: there is none.
func (s *Store) HeartbeatHours(ctx context.Context, worker validator.Address, from, to time.Time) ([]validator.HourMask, *time.Time, error) {
	var hours []validator.HourMask
	var first *time.Time
	err := s.inSnapshot(ctx, func(q *Queries) error {
		var err error
		if first, err = firstMinute(ctx, q, worker); err != nil {
			return err
		}
		rows, err := q.heartbeatHoursBetween(ctx, heartbeatHoursBetweenParams{WorkerAddress: worker, Since: from, Until: to})
		for _, r := range rows {
			hours = append(hours, validator.HourMask{Hour: r.Hour.UTC(), Minutes: uint64(r.Minutes)})
		}
		return err
	})
	return hours, first, s.fail("read the minutes of uptime", err)
}

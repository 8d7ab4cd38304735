package db

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// NetworkCounts sums up all workers. Active means a heartbeat less than activeFor before
// now; a host counts by its newest one.
func (s *Store) NetworkCounts(ctx context.Context, activeFor time.Duration, now time.Time) (validator.NetworkCounts, error) {
	var c validator.NetworkCounts
	err := s.inSnapshot(ctx, func(q *Queries) error {
		var err error
		if c.TotalWorkers, err = q.countWorkers(ctx); err != nil {
			return err
		}
		jobs, err := q.networkJobTotals(ctx)
		if err != nil {
			return err
		}
		c.JobsProcessed, c.ComputeTime = jobs.Jobs, validator.ComputeTime(jobs.ExecutionHours)
		c.AverageCompletion = average(jobs.CompletionMS, jobs.CompletionJobs)
		if c.JobsLast24h, err = q.countJobsCompletedSince(ctx, now.Add(-24*time.Hour)); err != nil {
			return err
		}
		groups, err := q.activeHosts(ctx, activeHostsParams{Since: now.Add(-activeFor), Until: now})
		if err != nil {
			return err
		}
		for _, g := range groups {
			addActiveHosts(&c, g)
		}
		return nil
	})
	if err != nil {
		return validator.NetworkCounts{}, s.fail("count the network", err)
	}
	return c, nil
}

// NetworkHours lists what all workers did in each hour from first to last, oldest first.
// Hours in which nothing happened are left out.
func (s *Store) NetworkHours(ctx context.Context, first, last time.Time) ([]validator.NetworkHour, error) {
	rows, err := s.q.networkHours(ctx, networkHoursParams{FirstHour: first.UTC().Truncate(time.Hour), LastHour: last})
	if err != nil {
		return nil, s.fail("count the network by hour", err)
	}
	out := make([]validator.NetworkHour, len(rows))
	for i, r := range rows {
		out[i] = validator.NetworkHour{Hour: r.Hour.UTC(), Submitted: r.Submitted, Completed: r.Completed, Failed: r.Failed, ComputeTime: validator.ComputeTime(r.ExecutionHours)}
	}
	return out, nil
}

// addActiveHosts adds one group of active hosts: all of them, those of one version, or those
// with one number of GPUs.
func addActiveHosts(c *validator.NetworkCounts, g activeHostsRow) {
	switch {
	case g.ByVersion:
		c.ByVersion = append(c.ByVersion, validator.VersionCount{Version: orZero(g.Version), Hosts: g.Hosts})
	case g.ByGPUCount:
		if g.GPUCount != nil { // hosts that do not report it are not hosts with 0
			c.ByGPUCount = append(c.ByGPUCount, validator.GPUCountWorkers{GPUs: *g.GPUCount, Hosts: g.Hosts})
		}
	default:
		c.ActiveWorkers, c.ActiveHosts, c.ActiveGPUs, c.BusyHosts = g.Workers, g.Hosts, g.GPUs, g.BusyHosts
		if g.GPUUtilizationHosts > 0 {
			avg := g.GPUUtilizationSum / float64(g.GPUUtilizationHosts)
			c.AverageGPUUtilization = &avg
		}
	}
}

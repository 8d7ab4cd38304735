package db

import "github.com/prometheus/client_golang/prometheus"

// Collector reports on the connection pool and on whether the database is ready.
func (s *Store) Collector() prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("validator_dashboard_database_"+name, help, nil, nil)
	}
	return &collector{
		s:            s,
		ready:        desc("ready", "1 while the database answers and its tables are up to date."),
		writable:     desc("writable", "1 while it also takes writes."),
		open:         desc("connections", "Open connections of the pool."),
		busy:         desc("connections_busy", "Connections that are in use."),
		most:         desc("connections_max", "Most connections that the pool opens."),
		acquired:     desc("acquires_total", "Connections taken from the pool."),
		waited:       desc("acquires_waited_total", "Of them, those that had to wait for a connection."),
		waitedTime:   desc("acquire_wait_seconds_total", "Time spent taking connections from the pool."),
		cancelled:    desc("acquires_cancelled_total", "Callers that gave up waiting for a connection."),
		newlyOpened:  desc("connections_opened_total", "Connections opened."),
		lastObserved: desc("observed_timestamp_seconds", "When the database last answered, as Unix time; 0 if never."),
	}
}

type collector struct {
	s                                       *Store
	ready, writable, lastObserved           *prometheus.Desc
	open, busy, most                        *prometheus.Desc
	acquired, waited, waitedTime, cancelled *prometheus.Desc
	newlyOpened                             *prometheus.Desc
}

func (c *collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
		ch <- prometheus.MustNewConstMetric(d, kind, v)
	}
	state := c.s.State()
	ready, writable, observed := 0.0, 0.0, 0.0
	if isReady(state) {
		ready = 1
	}
	if takesWrites(state) {
		writable = 1
	}
	if !state.ObservedAt.IsZero() {
		observed = float64(state.ObservedAt.UnixMilli()) / 1000
	}
	stat := c.s.pool.Stat()
	send(c.ready, prometheus.GaugeValue, ready)
	send(c.lastObserved, prometheus.GaugeValue, observed)
	send(c.writable, prometheus.GaugeValue, writable)
	send(c.open, prometheus.GaugeValue, float64(stat.TotalConns()))
	send(c.busy, prometheus.GaugeValue, float64(stat.AcquiredConns()))
	send(c.most, prometheus.GaugeValue, float64(stat.MaxConns()))
	send(c.acquired, prometheus.CounterValue, float64(stat.AcquireCount()))
	send(c.waited, prometheus.CounterValue, float64(stat.EmptyAcquireCount()))
	send(c.waitedTime, prometheus.CounterValue, stat.AcquireDuration().Seconds())
	send(c.cancelled, prometheus.CounterValue, float64(stat.CanceledAcquireCount()))
	send(c.newlyOpened, prometheus.CounterValue, float64(stat.NewConnsCount()))
}

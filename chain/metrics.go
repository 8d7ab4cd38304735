package chain

import (
	"strconv"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/prometheus/client_golang/prometheus"
)

// Collector returns the client's figures for Prometheus. It keeps none of its own, so it
// may be registered any number of times with different registries.
func (c *Client) Collector() prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("validator_chain_"+name, help, labels, nil)
	}
	return &collector{
		client:    c,
		requests:  desc("rpc_requests_total", "HTTP requests to a Starknet node, each of them one JSON-RPC batch.", "node", "position"),
		calls:     desc("rpc_calls_total", "JSON-RPC calls inside those requests.", "node", "position"),
		failures:  desc("rpc_failures_total", "Times that a node failed to serve.", "node", "position"),
		open:      desc("rpc_circuit_open", "1 while a node is left alone because it failed repeatedly.", "node", "position"),
		limit:     desc("rpc_batch_calls", "Calls that a node is asked for in one HTTP request at most.", "node", "position"),
		batches:   desc("reads_total", "Batches of contract reads that were answered."),
		wallets:   desc("wallet_reads_total", "Wallets read in those batches."),
		events:    desc("event_reads_total", "Times that a wallet's events were read, all their pages."),
		heads:     desc("heads_total", "New heads that were followed, by how they came to be known.", "way"),
		polls:     desc("head_polls_total", "Times that nodes were asked for the head."),
		announced: desc("socket_heads_total", "Heads that a websocket announced, those that were not news included."),
		opened:    desc("socket_opened_total", "Times that a subscription to new heads was granted over a websocket."),
		dropped:   desc("socket_dropped_total", "Times that such a subscription ended."),
		socket:    desc("socket_up", "1 while a websocket tells new heads, 0 while the head is polled."),
		watched:   desc("watched_wallets", "Wallets that are read with every block."),
		head:      desc("head_block", "Number of the newest block that was read."),
		lag:       desc("head_age_seconds", "Age of the newest block that was read, by its own timestamp."),
	}
}

type collector struct {
	client                                           *Client
	heads, polls, announced, opened, dropped, socket *prometheus.Desc
	requests, calls, failures, open, limit           *prometheus.Desc
	batches, wallets, events, watched                *prometheus.Desc
	head, lag                                        *prometheus.Desc
}

func (m *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.requests, m.calls, m.failures, m.open, m.limit, m.batches, m.wallets, m.events, m.watched, m.head, m.lag, m.heads, m.polls, m.announced, m.opened, m.dropped, m.socket} {
		ch <- d
	}
}

func (m *collector) Collect(ch chan<- prometheus.Metric) {
	metric := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, v, labels...)
	}
	c := m.client
	for i, e := range c.pool.nodes {
		node := []string{e.host, strconv.Itoa(i + 1)}
		metric(m.requests, prometheus.CounterValue, float64(e.requests.Load()), node...)
		metric(m.calls, prometheus.CounterValue, float64(e.calls.Load()), node...)
		metric(m.failures, prometheus.CounterValue, float64(e.failures.Load()), node...)
		isOpen := 0.0
		if e.breaker.State() == circuitbreaker.OpenState {
			isOpen = 1
		}
		metric(m.open, prometheus.GaugeValue, isOpen, node...)
		calls, _ := e.limits.callsNow()
		metric(m.limit, prometheus.GaugeValue, float64(calls), node...)
	}
	c.mu.Lock()
	batches, wallets, events, watched, block := c.batches, c.walletsInAll, c.histories, c.watched.len(), c.block
	socket, trusted := c.socket, c.socketTrusted()
	for _, way := range []headWay{headPolled, headPushed} {
		metric(m.heads, prometheus.CounterValue, float64(c.heads[way]), string(way))
	}
	c.mu.Unlock()
	up := 0.0
	if trusted {
		up = 1
	}
	metric(m.socket, prometheus.GaugeValue, up)
	metric(m.polls, prometheus.CounterValue, float64(c.polls.Load()))
	metric(m.announced, prometheus.CounterValue, float64(socket.heads))
	metric(m.opened, prometheus.CounterValue, float64(socket.opened))
	metric(m.dropped, prometheus.CounterValue, float64(socket.dropped))
	metric(m.batches, prometheus.CounterValue, float64(batches))
	metric(m.wallets, prometheus.CounterValue, float64(wallets))
	metric(m.events, prometheus.CounterValue, float64(events))
	metric(m.watched, prometheus.GaugeValue, float64(watched))
	if block != nil {
		metric(m.head, prometheus.GaugeValue, float64(block.Number))
		metric(m.lag, prometheus.GaugeValue, c.cfg.Now().Sub(block.Time).Seconds())
	}
}

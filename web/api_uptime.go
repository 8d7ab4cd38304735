package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// uptimeJSON answers /api/worker/uptime.
type uptimeJSON struct {
	WorkerAddress         string           `json:"worker_address"`
	Host                  *string          `json:"host" doc:"The host that uptime_percent, windows, year, hours and days are of; null: any host of the worker"`
	UptimePercent         *float64         `json:"uptime_percent" doc:"Of the last 24 hours"`
	Windows               []windowJSON     `json:"windows"`
	Year                  *spanJSON        `json:"year" doc:"All of days"`
	Hours                 []spanJSON       `json:"hours" doc:"Of the last 30 UTC days, oldest first; the running hour is the last"`
	Days                  []spanJSON       `json:"days" doc:"The last 365 UTC days, oldest first; today is the last"`
	Hosts                 []hostUptimeJSON `json:"hosts" doc:"That were heard in those days, by name"`
	Definition            string           `json:"definition"`
	HeartbeatIntervalSecs int              `json:"heartbeat_interval_secs" doc:"How often hosts are expected to be heard"`
	FirstHeartbeat        *int64           `json:"first_heartbeat" doc:"Unix seconds of the minute of the first heartbeat ever"`
	LastHeartbeat         *int64           `json:"last_heartbeat" doc:"Unix seconds, of any host"`
	ClocksAhead           []clockJSON      `json:"clocks_ahead" doc:"Hosts whose newest heartbeats are ahead of the database's clock: these do not count"`
	Sources               sourcesJSON      `json:"sources"`
}

// windowJSON is the uptime of one window.
type windowJSON struct {
	Window        string    `json:"window" enum:"24h,7d,30d"`
	From          int64     `json:"from" doc:"Unix seconds of the first minute that counts"`
	To            int64     `json:"to" doc:"Unix seconds of the end of the last"`
	UptimePercent *float64  `json:"uptime_percent"`
	MinutesUp     int       `json:"minutes_up"`
	MinutesTotal  int       `json:"minutes_total"`
	Gaps          []gapJSON `json:"gaps" doc:"Oldest first"`
}

// gapJSON is a run of minutes that are not up.
type gapJSON struct {
	From    int64 `json:"from" doc:"Unix seconds"`
	To      int64 `json:"to" doc:"Unix seconds"`
	Minutes int   `json:"minutes"`
}

// spanJSON is the uptime of an hour, a day, or many.
type spanJSON struct {
	From          int64    `json:"from" doc:"Unix seconds"`
	To            int64    `json:"to" doc:"Unix seconds"`
	UptimePercent *float64 `json:"uptime_percent" doc:"null: no minute of it counts, such as before the first heartbeat"`
	MinutesUp     int      `json:"minutes_up"`
	MinutesTotal  int      `json:"minutes_total" doc:"That count: from the first heartbeat ever until now"`
}

// hostUptimeJSON is the uptime of one of the worker's hosts.
type hostUptimeJSON struct {
	WorkerID       string       `json:"worker_id"`
	FirstHeartbeat *int64       `json:"first_heartbeat" doc:"Unix seconds of the minute of the first heartbeat ever"`
	LastHeard      *int64       `json:"last_heard" doc:"Unix seconds of the newest minute with a heartbeat; null: more than 30 days ago"`
	Windows        []windowJSON `json:"windows"`
	Year           *spanJSON    `json:"year"`
}

// uptimeInput names a worker, and perhaps one of its hosts.
type uptimeInput struct {
	WalletInput

	Host string `query:"host" doc:"A host's name: tell of this host alone" example:"rig-1"`
	host *string
}

// Resolve tells a host without a name from none that is asked for.
func (in *uptimeInput) Resolve(c huma.Context) []error {
	u := c.URL()
	if u.Query().Has("host") {
		in.host = &in.Host
	}
	return in.WalletInput.Resolve(c)
}

var _ huma.Resolver = (*uptimeInput)(nil)

// uptimeOf is what a report tells of one host, of any host for nil.
func uptimeOf(r validator.UptimeReports, host *string) (validator.UptimeReport, error) {
	if host == nil {
		return r.UptimeReport, nil
	}
	of, has := r.Host(*host)
	if !has {
		return of, newProblem(http.StatusNotFound, "No host of this worker was heard under that name in the last 365 days.")
	}
	return of, nil
}

func (s *Server) apiUptime(ctx context.Context, in *uptimeInput) (*reply[uptimeJSON], error) {
	wallet, err := s.walletFor(ctx, in.WalletInput)
	if err != nil {
		return nil, err
	}
	asked := s.reads(ctx)
	beats, reports := asked.Heartbeats(ctx, wallet), asked.Uptime(ctx, wallet)
	out := uptimeJSON{
		WorkerAddress: string(wallet), Host: in.host, Windows: []windowJSON{}, Hours: []spanJSON{}, Days: []spanJSON{}, Hosts: []hostUptimeJSON{},
		Definition: s.heartbeatInterval.Definition(), HeartbeatIntervalSecs: int(s.heartbeatInterval.Duration() / time.Second),
		ClocksAhead: clocksOf(beats.Or(validator.HeartbeatSummary{})), Sources: sources(asked.State()),
	}
	if h, has := beats.Get(); has && h.Last != nil {
		out.LastHeartbeat = unix(h.Last.At)
	}
	all, has := reports.Get()
	if !has {
		return ok(out)
	}
	of, err := uptimeOf(all, in.host)
	if err != nil {
		return nil, err
	}
	out.UptimePercent, out.FirstHeartbeat, out.Windows, out.Year = known(of.Day.Percent()), unixOf(of.First), windowsJSON(of), spanOf(of.Year)
	for _, h := range of.Hours {
		out.Hours = append(out.Hours, *spanOf(h))
	}
	for _, d := range of.Days {
		out.Days = append(out.Days, *spanOf(d))
	}
	for _, h := range all.Hosts {
		out.Hosts = append(out.Hosts, hostUptimeJSON{h.WorkerID, unixOf(h.First), unixOf(h.LastMinute), windowsJSON(h), spanOf(h.Year)})
	}
	return ok(out)
}

func windowsJSON(r validator.UptimeReport) []windowJSON {
	var out []windowJSON
	for _, w := range []struct {
		name string
		u    validator.Uptime
	}{{"24h", r.Day}, {"7d", r.Week}, {"30d", r.Month}} {
		j := windowJSON{Window: w.name, From: w.u.From.Unix(), To: w.u.To.Unix(), UptimePercent: known(w.u.Percent()), MinutesUp: w.u.UpMinutes, MinutesTotal: w.u.TotalMinutes, Gaps: []gapJSON{}}
		for _, g := range w.u.Gaps {
			j.Gaps = append(j.Gaps, gapJSON{g.From.Unix(), g.To.Unix(), g.Minutes()})
		}
		out = append(out, j)
	}
	return out
}

func spanOf(s validator.UptimeSpan) *spanJSON {
	return &spanJSON{s.From.Unix(), s.To.Unix(), known(s.Percent()), s.UpMinutes, s.TotalMinutes}
}

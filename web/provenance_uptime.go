package web

import (
	"fmt"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// uptimeOrigin is what the provenance of an uptime is made from.
type uptimeOrigin struct {
	evidence

	reports validator.Maybe[validator.UptimeReports]
	host    *string // nil: any host of the worker
}

// uptimeFigures tell where the uptime of a wallet came from, and, followed by "@" and a
// host's name, that of one of its hosts.
var uptimeFigures = map[string]func(uptimeOrigin) views.Provenance{
	"uptime.24h":  uptimeWindow("Uptime, 24 h", validator.Window24h, func(r validator.UptimeReport) validator.Uptime { return r.Day }),
	"uptime.7d":   uptimeWindow("Uptime, 7 d", validator.Window7d, func(r validator.UptimeReport) validator.Uptime { return r.Week }),
	"uptime.30d":  uptimeWindow("Uptime, 30 d", validator.Window30d, func(r validator.UptimeReport) validator.Uptime { return r.Month }),
	"uptime.365d": uptimeYear,
}

func (o uptimeOrigin) tell(title, tables string, up, total int, percentage func(validator.UptimeReport) validator.Maybe[float64]) views.Provenance {
	p := o.fromDatabase(title, tables, o.reports.Known(), o.reports.Reason())
	p.Value = views.Row{Value: show(validator.None[float64](o.reports.Reason()), "%", percent)}
	if r, known := o.reports.Get(); known {
		of, err := uptimeOf(r, o.host)
		if err != nil {
			p.When, p.Reason = nil, "No host of this worker was heard under that name in the last 365 days."
			return p
		}
		p.Value.Value = show(percentage(of), "%", percent)
		p.Formula = fmt.Sprintf("minutes that are up / minutes · 100\n= %s / %s · 100", integer(up), integer(total))
	}
	if o.host != nil {
		p.Rows = append(p.Rows, views.Row{Label: "Host", Value: views.Value{Text: hostName(*o.host)}})
	}
	return p
}

// of is the report that is asked for, an empty one if there is none.
func (o uptimeOrigin) of() validator.UptimeReport {
	r, _ := o.reports.Get()
	of, _ := uptimeOf(r, o.host)
	return of
}

func uptimeWindow(title string, window validator.Window, of func(validator.UptimeReport) validator.Uptime) func(uptimeOrigin) views.Provenance {
	return func(o uptimeOrigin) views.Provenance {
		u := of(o.of())
		p := o.tell(title, "view uptime_hours, which the database keeps of heartbeats", u.UpMinutes, u.TotalMinutes, func(r validator.UptimeReport) validator.Maybe[float64] { return of(r).Percent() })
		if u.TotalMinutes > 0 {
			p.Rows = append(p.Rows, views.Row{Label: "From", Value: views.Value{Text: utc(u.From)}}, views.Row{Label: "To", Value: views.Value{Text: utc(u.To)}}, views.Row{Label: "Gaps", Value: views.Value{Text: integer(len(u.Gaps))}})
		}
		p.Note = validator.WindowsMeaning + " Each hour's minutes are the bits of one number, bit n for minute n. " + o.HeartbeatInterval.Definition()
		statement := "heartbeatHours"
		if o.host != nil {
			statement = "hostHeartbeatHours"
		}
		p.Commands = []views.Command{sql("Repeat it in psql", db.Statement(statement, o.Address, window.Start(o.Now).Add(-time.Hour)))}
		return p
	}
}

func uptimeYear(o uptimeOrigin) views.Provenance {
	year := o.of().Year
	p := o.tell("Uptime, 365 d", "table worker_days, and view uptime_hours for the last 30 days; the database keeps both of heartbeats", year.UpMinutes, year.TotalMinutes, func(r validator.UptimeReport) validator.Maybe[float64] { return r.Year.Percent() })
	p.Note = validator.WindowsMeaning + " A day keeps how many of its minutes are up for every interval that can be set. " + o.HeartbeatInterval.Definition()
	statement := "uptimeDays"
	if o.host != nil {
		statement = "hostUptimeDays"
	}
	today := o.Now.Truncate(24 * time.Hour)
	p.Commands = []views.Command{sql("The days, in psql", db.Statement(statement, o.HeartbeatInterval.Minutes(), o.Address, today.AddDate(0, 0, 1-validator.UptimeYearDays), today.AddDate(0, 0, 1)))}
	return p
}

//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"
)

// table writes the outcomes as Markdown.
func table(all []outcome) string {
	var b strings.Builder
	b.WriteString("| # | breaks | fault | the page said | the API said | noticed | well again | acknowledged | stored | lost | doubled | |\n")
	b.WriteString("|--:|---|---|---|---|--:|--:|--:|--:|--:|--:|---|\n")
	made, failed, lost, doubled := 0, 0, 0, 0
	for i, o := range all {
		verdict := "ok"
		switch {
		case o.skipped != "":
			verdict = "not made: " + o.skipped
		case len(o.problems) > 0:
			verdict = "**fails**: " + strings.Join(o.problems, "; ")
			failed++
			made++
		default:
			made++
		}
		lost, doubled = lost+o.lost, doubled+o.doubled
		page, notice := o.page, seconds(o.notice)
		if !o.noticed {
			notice = "—"
		}
		again := "—"
		if o.recovered {
			again = seconds(o.recover)
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s | %s | %d | %d | %d | %d | %s |\n", i+1, o.source, cell(o.name, 120), cell(page, 220), cell(o.api, 220), notice, again,
			o.acknowledged, o.stored, o.lost, o.doubled, cell(verdict, 600))
	}
	fmt.Fprintf(&b, "\n%d faults made, %d failed; %d rows lost, %d doubled.\n", made, failed, lost, doubled)
	return b.String()
}

// cell makes text fit into a cell of a table.
func cell(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return strings.NewReplacer("|", "\\|", "<", "&lt;").Replace(s)
}

// seconds writes a time with a tenth of a second.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

//go:build linux

package main

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// panic is what no program should log.
var panics = regexp.MustCompile(`panic|fatal error|runtime error`)

// livePanels are the panels of the dashboard by the source whose values they show.
var livePanels = map[string][]string{
	sourceGPU:      {"gpus"},
	sourceDatabase: {"jobs", "status", "rewards"},
	sourceChain:    {"status", "network"},
}

// judge looks for answers that are wrong whatever the fault.
func (f fault) judge(s *stage, o *outcome, seen []sight, t tally, logPlace int) {
	may := f.allowed()
	f.judgeReads(o, seen, may)
	f.judgeReports(o, t, may)
	judgePages(o, seen)
	if n := s.program().logged(logPlace, panics); n > 0 {
		o.problemf("the log tells of %d panics", n)
	}
}

func (f fault) judgeReads(o *outcome, seen []sight, may allowance) {
	bad := map[string]int{}
	for i := range seen {
		v := &seen[i]
		for path, code := range v.codes {
			switch {
			case code == 0 && may.silence, code == http.StatusServiceUnavailable && path == readyPath:
			case code == http.StatusServiceUnavailable && may.reads503 && v.waits[path] != "":
			case code == 0:
				bad[path+" was not answered"]++
			case code >= http.StatusInternalServerError:
				bad[fmt.Sprintf("%s was answered %d", path, code)]++
			}
		}
		for path, took := range v.slow {
			o.slowestRead = max(o.slowestRead, took)
			if !may.slow && !may.silence {
				bad[path+" took over "+slowLook.String()]++
			}
		}
	}
	o.addCounts(bad)
}

func (f fault) judgeReports(o *outcome, t tally, may allowance) {
	o.slowestPut = t.slowest
	bad := map[string]int{}
	for code, n := range t.answers {
		switch {
		case code == http.StatusServiceUnavailable && !may.ingest503, code == 0 && !may.unheard && !may.slow,
			code >= http.StatusInternalServerError && code != http.StatusServiceUnavailable:
			what := "a report was answered " + codeName(code)
			if code == http.StatusServiceUnavailable {
				what += fmt.Sprintf(" (%s)", t.last503)
			}
			bad[what] += n
		}
	}
	if t.bare503 > 0 {
		bad["a report was answered 503 or 429 without Retry-After"] = t.bare503
	}
	for _, r := range t.refusals {
		bad["a report was refused: "+r]++
	}
	o.addCounts(bad)
}

func (o *outcome) addCounts(bad map[string]int) {
	keys := make([]string, 0, len(bad))
	for k := range bad {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		o.problemf("%s (%d times)", k, bad[k])
	}
}

func codeName(code int) string {
	if code == 0 {
		return "not at all"
	}
	return fmt.Sprint(code)
}

// judgePages looks for values that are shown as live while the API says that their source is
// down. One sight's requests follow each other, so a source must be down in two of them.
func judgePages(o *outcome, seen []sight) {
	bad := map[string]int{}
	for i := 1; i < len(seen); i++ {
		before, v := &seen[i-1], &seen[i]
		for source, panels := range livePanels {
			if !down(before.health[source].status) || !down(v.health[source].status) || v.codes[dashboardPath] != http.StatusOK || before.codes[dashboardPath] != http.StatusOK {
				continue
			}
			if v.pills[source].status == "ok" && before.pills[source].status == "ok" {
				bad["the page's pill of "+source+" is green while the API says "+v.health[source].status]++
			}
			for _, id := range panels {
				if p, shown := v.panels[id]; shown && !p.marked && !before.panels[id].marked {
					bad["the panel "+id+" looks live while "+source+" is "+v.health[source].status]++
				}
			}
		}
	}
	o.addCounts(bad)
}

// apiDuring sums up what the API said while a fault lasted.
func apiDuring(seen []sight, w *writer) string {
	states := map[string][]string{}
	var order []string
	note := func(what, value string) {
		if value == "" {
			return
		}
		if _, known := states[what]; !known {
			order = append(order, what)
		}
		if !slices.Contains(states[what], value) {
			states[what] = append(states[what], value)
		}
	}
	for i := range seen {
		v := &seen[i]
		for _, source := range []string{sourceGPU, sourceDatabase, sourceChain} {
			if st := v.sources[source].status; st != "ok" {
				note(source, st)
			}
		}
		for _, path := range []string{healthPath, readyPath, statusPath} {
			if code, asked := v.codes[path]; asked {
				note(path, codeName(code))
			}
		}
	}
	answers, _ := w.seen()
	for _, code := range slices.Sorted(mapKeys(answers)) {
		note("ingest", codeName(code))
	}
	var parts []string
	for _, what := range order {
		parts = append(parts, what+" "+strings.Join(states[what], "→"))
	}
	return strings.Join(parts, ", ")
}

func mapKeys[V any](m map[int]V) func(func(int) bool) {
	return func(yield func(int) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// pageOf is what the page said when a condition held.
func pageOf(c condition, v *sight) string {
	if c.page != nil {
		return c.page(v)
	}
	var parts []string
	for _, source := range []string{sourceGPU, sourceDatabase, sourceChain} {
		if p := v.pills[source]; down(p.status) {
			parts = append(parts, fmt.Sprintf("%s %s: %s", source, p.status, p.reason))
		}
	}
	if len(parts) == 0 {
		return "as before"
	}
	return strings.Join(parts, " ")
}

func lastOf(seen []sight) string {
	if len(seen) == 0 {
		return "nothing was seen"
	}
	return describe(&seen[len(seen)-1])
}

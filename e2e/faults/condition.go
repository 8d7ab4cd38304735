//go:build linux

package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// The sources, by the names that the API gives them.
const (
	sourceGPU      = "gpu"
	sourceDatabase = "database"
	sourceChain    = "chain"
)

// condition is something that must be seen of the program.
type condition struct {
	what  string
	holds func(*sight) bool
	page  func(*sight) string // what the page says of it; nil: the pills that are not ok
}

// sourceIs holds when API and page both say that a source is in one of some states.
func sourceIs(source string, states ...string) condition {
	return condition{
		what: source + " is " + strings.Join(states, " or "),
		holds: func(s *sight) bool {
			for _, st := range states {
				if s.sources[source].status == st && s.pills[source].status == st {
					return true
				}
			}
			return false
		},
	}
}

// sourceSays holds when API and page both say that a source is not ok, with a reason that matches.
func sourceSays(source, pattern string) condition {
	match := regexp.MustCompile(pattern)
	return condition{
		what: fmt.Sprintf("%s is not ok and says %q", source, pattern),
		holds: func(s *sight) bool {
			api, pill := s.sources[source], s.pills[source]
			return down(api.status) && down(pill.status) && match.MatchString(api.reason) && match.MatchString(pill.reason)
		},
	}
}

// down reports whether a source's state says that its values are not live.
func down(status string) bool { return status == "stale" || status == "unavailable" }

// sourceDown holds when API and page both say that a source is stale or unavailable. They
// may differ in which: the API calls values that it remembers stale.
func sourceDown(source string) condition { return sourceSays(source, "") }

// cannotStore holds when the database is said to be down, the program is not ready and
// reports are answered 503.
func cannotStore() condition {
	return all(sourceDown(sourceDatabase), codeIs(readyPath, http.StatusServiceUnavailable), condition{
		what:  "reports are answered 503",
		holds: func(s *sight) bool { return s.ingest.status == http.StatusServiceUnavailable },
	})
}

// codeIs holds when a path is answered with a status.
func codeIs(path string, code int) condition {
	return condition{what: fmt.Sprintf("%s is %d", path, code), holds: func(s *sight) bool { return s.codes[path] == code }}
}

// noAnswer holds when nothing answers at all.
func noAnswer() condition {
	return condition{what: "nothing answers", holds: func(s *sight) bool {
		for _, code := range s.codes {
			if code != 0 {
				return false
			}
		}
		return true
	}, page: func(*sight) string { return "nothing: the connection is refused or silent" }}
}

// pageSays holds when a page's text matches; the table then shows what matched.
func pageSays(path, pattern string) condition {
	match := regexp.MustCompile(pattern)
	return condition{
		what:  fmt.Sprintf("%s says %q", path, pattern),
		holds: func(s *sight) bool { return match.MatchString(s.text[path]) },
		page: func(s *sight) string {
			found := match.FindStringSubmatch(s.text[path])
			if len(found) > 1 {
				return found[1]
			}
			return match.FindString(s.text[path])
		},
	}
}

// gpuIs holds when the API's GPU of an index is as a predicate has it.
func gpuIs(what string, index int, is func(map[string]any) bool) condition {
	return condition{what: fmt.Sprintf("GPU %d %s", index, what), holds: func(s *sight) bool {
		list, err := s.list(gpusPath, "gpus")
		if err != nil {
			return false
		}
		for _, v := range list {
			if g, ok := v.(map[string]any); ok && g["index"] == float64(index) && g["host"] == nil {
				return is(g)
			}
		}
		return false
	}}
}

// gpuUnknown holds when a member of a GPU is null and the API says why.
func gpuUnknown(index int, member, pattern string) condition {
	match := regexp.MustCompile(pattern)
	return gpuIs(fmt.Sprintf("has no %s: %q", member, pattern), index, func(g map[string]any) bool {
		why, _ := g["unknown"].(map[string]any)
		text, _ := why[member].(string)
		return g[member] == nil && match.MatchString(text)
	})
}

// gpuRead holds when a GPU's temperature is the one that the healthy values have.
func gpuRead(index int) condition {
	return gpuIs("has 61 °C", index, func(g map[string]any) bool { return g["temperature_celsius"] == 61.0 })
}

// statusMember holds when a member of the validator's status is as a predicate has it.
func statusMember(member, what string, is func(any) bool) condition {
	return condition{what: member + " " + what, holds: func(s *sight) bool {
		status, ok := s.json[statusPath].(map[string]any)
		return ok && is(status[member])
	}}
}

// statusUnknown holds when a member of the status is null.
func statusUnknown(member string) condition {
	return statusMember(member, "is null", func(v any) bool { return v == nil })
}

// contractIs holds when a contract's check has a status.
func contractIs(name, status string) condition {
	return condition{what: name + " is " + status, holds: func(s *sight) bool {
		list, _ := s.list(contractsPath, "contracts")
		for _, v := range list {
			if c, ok := v.(map[string]any); ok && c["name"] == name {
				return c["status"] == status
			}
		}
		return false
	}}
}

// all holds when every condition does.
func all(list ...condition) condition {
	c := condition{}
	var whats []string
	for _, one := range list {
		whats = append(whats, one.what)
		if one.page != nil {
			c.page = one.page
		}
	}
	c.what = strings.Join(whats, ", ")
	c.holds = func(s *sight) bool {
		for _, one := range list {
			if !one.holds(s) {
				return false
			}
		}
		return true
	}
	return c
}

// either holds when one of the conditions does.
func either(list ...condition) condition {
	var whats []string
	for _, one := range list {
		whats = append(whats, one.what)
	}
	return condition{what: strings.Join(whats, ", or "), holds: func(s *sight) bool {
		for _, one := range list {
			if one.holds(s) {
				return true
			}
		}
		return false
	}}
}

// describe says what a sight showed, for messages.
func describe(s *sight) string {
	var parts []string
	for _, source := range []string{sourceGPU, sourceDatabase, sourceChain} {
		api, pill := s.sources[source], s.pills[source]
		parts = append(parts, fmt.Sprintf("%s: API %s (%s), page %s (%s)", source, api.status, api.reason, pill.status, pill.reason))
	}
	return fmt.Sprintf("%s; statuses %v; ingest %d", strings.Join(parts, "; "), s.codes, s.ingest.status)
}

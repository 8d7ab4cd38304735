package gpu

import (
	"fmt"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"pgregory.net/rapid"
)

// Whatever cards come, go, fail and change places: none is ever forgotten, doubled or
// shown with another's values, and one that answers is never called missing.
func TestCardsKeepTheirIdentity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cards := []validator.GPU(nil)
		lastTemperature := map[string]int{}
		at := time.Unix(0, 0)
		for range rapid.IntRange(1, 12).Draw(t, "passes") {
			at = at.Add(time.Second)
			order := rapid.Permutation([]string{"GPU-a", "GPU-b", "GPU-c", "GPU-d"}).Draw(t, "order")
			order = order[:rapid.IntRange(0, 4).Draw(t, "listed")]
			answering := map[string]bool{}
			var read []validator.GPU
			for i, uuid := range order {
				g := card(i, uuid, rapid.IntRange(20, 100).Draw(t, "temperature"))
				switch rapid.SampledFrom([]string{"fine", "fine", "lost", "nameless"}).Draw(t, "state") {
				case "fine":
					answering[uuid] = true
					lastTemperature[uuid] = g.TemperatureC.Or(0)
				case "lost":
					g = validator.GPU{Index: i, UUID: uuid, Fault: validator.Some("GPU is lost")}
				case "nameless":
					g = validator.GPU{Index: i, Fault: validator.Some("GPU is lost")}
				}
				read = append(read, g)
			}
			cards = merge(cards, read, at)
			checkCards(t, cards, answering, lastTemperature, at)
		}
	})
}

func checkCards(t *rapid.T, cards []validator.GPU, answering map[string]bool, temperature map[string]int, at time.Time) {
	seen := map[string]bool{}
	for _, g := range cards {
		key := fmt.Sprint(g.UUID, g.SampledAt.IsZero(), g.Index)
		if g.UUID != "" {
			key = g.UUID
		}
		if seen[key] {
			t.Fatalf("%s is listed twice in %+v", key, cards)
		}
		seen[key] = true
		if g.UUID == "" || g.SampledAt.IsZero() {
			continue
		}
		if got := g.TemperatureC.Or(0); got != temperature[g.UUID] {
			t.Fatalf("%s has %d °C, last read were %d", g.UUID, got, temperature[g.UUID])
		}
		since, missing := g.MissingSince.Get()
		if missing == answering[g.UUID] || g.Fault.Known() != missing {
			t.Fatalf("%s answers: %v, yet missing: %v, fault: %v", g.UUID, answering[g.UUID], missing, g.Fault)
		}
		if missing && !since.After(g.SampledAt) || !missing && !g.SampledAt.Equal(at) {
			t.Fatalf("%s sampled at %v, missing since %v, now %v", g.UUID, g.SampledAt, since, at)
		}
	}
	for uuid := range temperature {
		if !seen[uuid] {
			t.Fatalf("%s was forgotten", uuid)
		}
	}
}

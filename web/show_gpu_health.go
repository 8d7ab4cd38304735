package web

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

func (s *Server) showGPUHealth(g gpuAsked) views.GPUHealth {
	m := views.GPUHealth{Panel: g.panel("gpu-health", everyGPUHealth), Notice: g.notice(), UUID: g.member.GPU.UUID, XIDURL: validator.XIDCatalogURL}
	m.Panel.Stale = m.Notice != nil
	var notReported []string
	if m.XIDs, m.XIDNote = xidRows(g); m.XIDNote == "" {
		notReported = append(notReported, "XID errors")
	}
	link, narrow := linkRows(g.member.GPU)
	for _, p := range []struct {
		part  views.HealthPart
		named string // in a sentence
	}{
		{views.HealthPart{Name: "Memory errors (ECC)", Rows: eccRows(g.member.GPU)}, "memory errors (ECC)"},
		{views.HealthPart{Name: "PCIe link", Rows: link, Remedy: narrow}, "the PCIe link"},
		{views.HealthPart{Name: "Confidential computing", Rows: trustRows(g)}, "confidential computing"},
	} {
		if g.local() || slices.ContainsFunc(p.part.Rows, func(r views.Row) bool { return r.Value.Known() }) {
			m.Parts = append(m.Parts, p.part)
		} else {
			notReported = append(notReported, p.named)
		}
	}
	if len(notReported) > 0 {
		m.NotReported = "Its host does not report: " + strings.Join(notReported, ", ") + "."
	}
	m.Identity = identityRows(g)
	return m
}

func eccRows(g validator.GPU) []views.Row {
	count := func(label string, m validator.Maybe[uint64], tone views.Tone) views.Row {
		r := views.Row{Label: label, Value: show(m, "", integer[uint64])}
		if m.Or(0) > 0 {
			r.Tone = tone
		}
		return r
	}
	rows := []views.Row{
		{Label: "Mode", Value: show(g.ECCEnabled, "", func(on bool) string {
			if on {
				return "on"
			}
			return "off: errors stay unseen"
		})},
		count("Corrected since the driver was loaded", g.ECCCorrectedVolatile, views.TonePlain),
		count("Not correctable since then", g.ECCUncorrectedVolatile, views.ToneBad),
		count("Not correctable in the card's life", g.ECCUncorrectedAggregate, views.ToneWarn),
		count("Pages retired or rows remapped", validator.Map(g.RetiredPages, func(n uint32) uint64 { return uint64(n) }), views.ToneWarn),
	}
	if on, known := g.ECCEnabled.Get(); known && !on {
		rows[0].Tone = views.ToneWarn
	}
	return rows
}

// linkRows show the PCIe link; a narrow one slows every copy and has a cause to be found.
func linkRows(g validator.GPU) ([]views.Row, string) {
	of := func(now, most validator.Maybe[int], prefix string) views.Value {
		v := show(now, "", func(n int) string { return fmt.Sprintf("%s%d", prefix, n) })
		if m, known := most.Get(); known && v.Known() {
			v.Unit = fmt.Sprintf("of %s%d", prefix, m)
		}
		return v
	}
	width := views.Row{Label: "Width", Value: of(g.PCIeWidth, g.PCIeWidthMax, "x")}
	generation := views.Row{Label: "Generation", Value: of(g.PCIeGeneration, g.PCIeGenerationMax, "")}
	if generation.Value.Known() {
		generation.Value.Title = "An idle card lowers its generation to save power."
	}
	note := ""
	if n, known := g.PCIeWidth.Get(); known && n < g.PCIeWidthMax.Or(n) {
		width.Tone = views.ToneWarn
		note = "The link is narrower than this card and slot could be: copies to and from the host take longer. Check the card's seating, its riser, and how the board shares its lanes."
	}
	return []views.Row{width, generation}, note
}

func trustRows(g gpuAsked) []views.Row {
	onOff := func(on bool) string {
		if on {
			return "on"
		}
		return "off"
	}
	rows := []views.Row{{Label: "This GPU", Value: show(g.member.GPU.ConfidentialComputeActive, "", onOff)}}
	if !g.local() {
		return rows
	}
	cc := g.fleet.host.Host.ConfidentialCompute
	tools := views.Row{Label: "Debugging mode", Value: show(cc, "", func(c validator.ConfidentialCompute) string { return onOff(c.DevTools) })}
	if cc.Or(validator.ConfidentialCompute{}).DevTools {
		tools.Tone, tools.Value.Title = views.ToneWarn, "Attestation does not protect data while it is on."
	}
	ready := validator.None[bool](cc.Reason())
	if c, known := cc.Get(); known {
		ready = c.GPUsReady
	}
	return append(rows,
		views.Row{Label: "This host", Value: show(cc, "", func(c validator.ConfidentialCompute) string { return onOff(c.Enabled) + ", " + c.Environment })},
		tools,
		views.Row{Label: "Accepts work", Value: show(ready, "", func(yes bool) string {
			if yes {
				return "yes"
			}
			return "no"
		})},
	)
}

func identityRows(g gpuAsked) []views.Row {
	gpu, host := g.member.GPU, g.fleet.host.Host
	text := func(s string) string { return s }
	rows := []views.Row{
		{Label: "PCI bus id", Value: show(gpu.PCIBusID, "", text)},
		{Label: "VBIOS", Value: show(gpu.VBIOS, "", text)},
		{Label: "Index", Value: views.Value{Text: fmt.Sprintf("%d", gpu.Index), Title: "May change with a reboot."}},
		{Label: "MIG", Value: show(gpu.MIGEnabled, "", func(on bool) string {
			if on {
				return "on"
			}
			return "off"
		})},
	}
	if !g.local() {
		return append(rows, views.Row{Label: "Host", Value: views.Value{Text: g.member.WorkerID}})
	}
	return append(rows,
		views.Row{Label: "Driver", Value: show(host.DriverVersion, "", text)},
		views.Row{Label: "CUDA, at most", Value: show(host.CUDAVersion, "", text)},
	)
}

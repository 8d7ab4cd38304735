package gpusim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// model is what distinguishes one product from another. What the driver tells of such a
// card is as NVIDIA's tools show it on real ones; idle draw and thermal resistance are
// chosen so that a card settles where such cards do in a server.
type model struct {
	memoryBytes     uint64
	reservedBytes   uint64
	powerLimitWatts float64 // the default, which is also the highest here
	powerLowWatts   float64 // the lowest limit that can be set
	idleWatts       float64
	smClockMHz      float64 // highest
	smClockIdleMHz  float64
	memoryClockMHz  uint32
	memoryIdleMHz   uint32
	slowdownC       float64
	shutdownC       float64
	maxC            float64 // highest operating temperature
	resistance      float64 // kelvin a watt, from the die to the air
	pcieGeneration  int
	has             features
}

// features are what a driver answers "not supported" about on the cards without them.
type features struct {
	fan           bool // its own, which the driver drives
	ecc           bool // with remapped rows
	mig           bool
	memorySensor  bool
	confidential  bool // takes part in confidential computing
	videoEncoders bool
}

const mebibyte = 1 << 20

// models are the cards that can be simulated, by NVML's name.
//
// Sources: nvidia-smi -q of such cards (memory and its reserve, power limits, clocks,
// thresholds, and what is "N/A"), as published with the nvidia_gpu_exporter project for
// H100 (driver 590), H200 (590), L40S (595) and RTX 4080 SUPER (595) and with telegraf for
// A100 (535); power limit of the 400 W A100 from its data sheet. Hopper and L40S drivers
// tell thresholds as a distance to the highest operating temperature: H100, H200 and L40S
// slow 2 kelvin above theirs; an H800, the same board as the H100, reported 87, 89 and 92 °C as
// absolute values (driver 525), and an L40S at 64 °C was 24 kelvin from its highest.
var models = map[string]model{
	"NVIDIA H100 80GB HBM3": {
		memoryBytes: 81559 * mebibyte, reservedBytes: 479 * mebibyte, powerLimitWatts: 700, powerLowWatts: 200, idleWatts: 70,
		smClockMHz: 1980, smClockIdleMHz: 345, memoryClockMHz: 2619, memoryIdleMHz: 2619,
		slowdownC: 89, shutdownC: 92, maxC: 87, resistance: 0.053, pcieGeneration: 5,
		has: features{ecc: true, mig: true, memorySensor: true, confidential: true},
	},
	"NVIDIA H200": {
		memoryBytes: 143771 * mebibyte, reservedBytes: 614 * mebibyte, powerLimitWatts: 700, powerLowWatts: 200, idleWatts: 77,
		smClockMHz: 1980, smClockIdleMHz: 345, memoryClockMHz: 3201, memoryIdleMHz: 3201,
		slowdownC: 89, shutdownC: 92, maxC: 87, resistance: 0.051, pcieGeneration: 5,
		has: features{ecc: true, mig: true, memorySensor: true, confidential: true},
	},
	"NVIDIA A100-SXM4-80GB": {
		memoryBytes: 81920 * mebibyte, reservedBytes: 869 * mebibyte, powerLimitWatts: 400, powerLowWatts: 100, idleWatts: 58,
		smClockMHz: 1410, smClockIdleMHz: 210, memoryClockMHz: 1593, memoryIdleMHz: 1593,
		slowdownC: 89, shutdownC: 92, maxC: 85, resistance: 0.094, pcieGeneration: 4,
		has: features{ecc: true, mig: true, memorySensor: true},
	},
	"NVIDIA L40S": {
		memoryBytes: 46068 * mebibyte, reservedBytes: 609 * mebibyte, powerLimitWatts: 350, powerLowWatts: 100, idleWatts: 34,
		smClockMHz: 2520, smClockIdleMHz: 210, memoryClockMHz: 9001, memoryIdleMHz: 405,
		slowdownC: 90, shutdownC: 93, maxC: 88, resistance: 0.113, pcieGeneration: 4,
		has: features{ecc: true, videoEncoders: true},
	},
	"NVIDIA GeForce RTX 4080 SUPER": {
		memoryBytes: 16376 * mebibyte, reservedBytes: 434 * mebibyte, powerLimitWatts: 320, powerLowWatts: 150, idleWatts: 20,
		smClockMHz: 3165, smClockIdleMHz: 210, memoryClockMHz: 11501, memoryIdleMHz: 405,
		slowdownC: 96, shutdownC: 101, maxC: 90, resistance: 0.128, pcieGeneration: 4,
		has: features{fan: true, videoEncoders: true},
	},
}

func modelNamed(name string) (model, error) {
	m, ok := models[name]
	if !ok {
		return model{}, fmt.Errorf("gpusim: there is no model %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(models)), ", "))
	}
	return m, nil
}

// modelOf returns the model of a card with what the card sets otherwise.
func modelOf(c Card) (model, error) {
	m, err := modelNamed(c.Name)
	if err != nil {
		return model{}, err
	}
	if c.MemoryBytes != 0 {
		if c.MemoryBytes <= m.reservedBytes {
			return model{}, fmt.Errorf("gpusim: %d bytes of memory are no more than the driver's own %d", c.MemoryBytes, m.reservedBytes)
		}
		m.memoryBytes = c.MemoryBytes
	}
	if limit := c.PowerLimitWatts; limit != 0 && (limit < m.powerLowWatts || limit > m.powerLimitWatts) {
		return model{}, fmt.Errorf("gpusim: the power limit of %s is from %g to %g W, this is %g W", c.Name, m.powerLowWatts, m.powerLimitWatts, limit)
	}
	return m, nil
}

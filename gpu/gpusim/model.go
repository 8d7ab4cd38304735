package gpusim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// model is what distinguishes one product from another. Limits are those of NVIDIA's data
// sheets and of what NVML tells on such cards; thermal resistance and idle draw are chosen
// so that a card settles where such cards do in a server.
type model struct {
	memoryBytes     uint64
	reservedBytes   uint64
	powerLimitWatts float64
	idleWatts       float64
	smClockMHz      float64 // boost
	smClockIdleMHz  float64
	memoryClockMHz  uint32
	slowdownC       float64
	shutdownC       float64
	maxC            float64 // highest operating temperature
	resistance      float64 // kelvin a watt, from the die to the air
	hasFan          bool
	hasConfidential bool
	pcieGeneration  int
	memoryIdleMHz   uint32
}

const mebibyte = 1 << 20

// models are the cards that can be simulated, by NVML's name. Sources: NVIDIA's data sheets
// of H100, H200, A100 80GB and L40S (memory, power, clocks); thresholds as nvidia-smi -q
// tells them.
var models = map[string]model{
	"NVIDIA H100 80GB HBM3": {
		memoryBytes: 81559 * mebibyte, reservedBytes: 551 * mebibyte, powerLimitWatts: 700, idleWatts: 71, smClockMHz: 1980, smClockIdleMHz: 345, memoryClockMHz: 2619, memoryIdleMHz: 2619,
		slowdownC: 87, shutdownC: 92, maxC: 85, resistance: 0.053, hasConfidential: true, pcieGeneration: 5,
	},
	"NVIDIA H200": {
		memoryBytes: 143771 * mebibyte, reservedBytes: 602 * mebibyte, powerLimitWatts: 700, idleWatts: 76, smClockMHz: 1980, smClockIdleMHz: 345, memoryClockMHz: 3201, memoryIdleMHz: 3201,
		slowdownC: 87, shutdownC: 92, maxC: 85, resistance: 0.051, hasConfidential: true, pcieGeneration: 5,
	},
	"NVIDIA A100-SXM4-80GB": {
		memoryBytes: 81920 * mebibyte, reservedBytes: 610 * mebibyte, powerLimitWatts: 400, idleWatts: 58, smClockMHz: 1410, smClockIdleMHz: 210, memoryClockMHz: 1593, memoryIdleMHz: 1593,
		slowdownC: 89, shutdownC: 92, maxC: 85, resistance: 0.094, pcieGeneration: 4,
	},
	"NVIDIA L40S": {
		memoryBytes: 46068 * mebibyte, reservedBytes: 589 * mebibyte, powerLimitWatts: 350, idleWatts: 34, smClockMHz: 2520, smClockIdleMHz: 210, memoryClockMHz: 9001, memoryIdleMHz: 405,
		slowdownC: 98, shutdownC: 101, maxC: 89, resistance: 0.124, hasFan: true, pcieGeneration: 4,
	},
}

func modelNamed(name string) (model, error) {
	m, ok := models[name]
	if !ok {
		return model{}, fmt.Errorf("gpusim: there is no model %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(models)), ", "))
	}
	return m, nil
}

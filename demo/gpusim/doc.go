// Package gpusim is the simulated host of the demo: cards whose load, memory, power,
// clocks and temperature move together as they do on real ones, behind the same seam as
// NVML ([gpu.Reader]). Nothing but the demo and tests may import it.
//
// A [Host] follows its clock in ticks of a quarter of a second: what is read at a moment
// depends on the seed, the clock and the loads, not on how often it was read before.
package gpusim

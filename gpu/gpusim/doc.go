// Package gpusim is the simulated host of the demo: cards whose load, memory, power,
// clocks and temperature move together as they do on real ones, behind the same seam as
// NVML. Nothing but the demo and tests may import it.
package gpusim

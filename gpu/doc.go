// Package gpu reads the GPUs of this host through NVIDIA's management library (NVML).
//
// A [Sampler] polls a [Reader] on a goroutine of its own and keeps the newest reading
// and a short history in memory; pages and the API read those and never wait for a GPU.
// The reader of real GPUs is [OpenNVML]; a demonstration may put another behind the same
// interface. Nothing here makes a value up: a value that the driver or the card does not
// give is a validator.None with the reason, and a card that stops answering keeps its
// last reading and is marked missing.
//
// go-nvml finds the functions of libnvidia-ml.so.1 at their first call, and a function
// that the installed driver lacks then ends the process. So every function is looked up
// before it is called, which needs lazy linking: where a toolchain defaults to -z now,
// build with CGO_LDFLAGS=-Wl,-z,lazy. go-nvml's bindings also call deprecated functions;
// CGO_CFLAGS=-Wno-deprecated-declarations keeps the compiler quiet about it.
//
// The package gputest builds a stand-in for NVIDIA's library, for tests.
package gpu

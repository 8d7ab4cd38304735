//go:build linux && cgo

package gpu

import (
	"fmt"
	"time"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// nvmlReader reads NVIDIA's GPUs between one nvmlInit and its nvmlShutdown.
type nvmlReader struct {
	lib     nvml.Interface
	symbols map[string]bool // whether the driver has a function
	host    validator.GPUHost

	lasting  map[nvml.Device]validator.GPU // what does not change while NVML is initialised
	watching map[nvml.Device]string        // UUIDs of the GPUs whose XIDs are waited for
	watch    *xidWatch                     // nil before the first pass, and without events
	watched  map[nvml.Device]validator.Maybe[time.Time]
	untaken  []XID // of a watch that was replaced
}

// mostGPUs is how many GPUs a host can have: more is a fault of the driver.
const mostGPUs = 1024

// Functions of which any will do: go-nvml calls the newest that the library has.
var (
	countSymbols    = []string{"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"}
	handleSymbols   = []string{"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"}
	pciSymbols      = []string{"nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"}
	computeSymbols  = []string{"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2", "nvmlDeviceGetComputeRunningProcesses"}
	graphicsSymbols = []string{"nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2", "nvmlDeviceGetGraphicsRunningProcesses"}
	waitSymbols     = []string{"nvmlEventSetWait_v2", "nvmlEventSetWait"}
)

// has says whether the driver has one of the functions.
func (r *nvmlReader) has(either ...string) bool {
	for _, symbol := range either {
		ok, known := r.symbols[symbol]
		if !known {
			ok = r.lib.Extensions().LookupSymbol(symbol) == nil
			r.symbols[symbol] = ok
		}
		if ok {
			return true
		}
	}
	return false
}

// Close ends the wait for XIDs and shuts NVML down.
func (r *nvmlReader) Close() error {
	r.watch.close()
	if ret := r.lib.Shutdown(); ret != nvml.SUCCESS {
		return fmt.Errorf("gpu: nvmlShutdown returned %s", explain(ret).name)
	}
	return nil
}

// Read makes one pass over the GPUs.
func (r *nvmlReader) Read() (reading Reading, err error) {
	defer func() { reading.XIDs = r.takeXIDs() }()
	n, ret := r.lib.DeviceGetCount()
	if ret != nvml.SUCCESS {
		return reading, sourceError("nvmlDeviceGetCount", ret)
	}
	if n < 0 || n > mostGPUs {
		return reading, &Error{
			Reason: fmt.Sprintf("NVIDIA's driver says that this host has %d GPUs, which cannot be.", uint32(n)),
			Remedy: seeKernelLog,
		}
	}
	reading.Host = r.readHost()
	present := make(map[nvml.Device]string, n)
	handles := make([]nvml.Device, n)
	for i := range n {
		q := r.begin(i)
		g := q.readGPU(i, reading.Host.ConfidentialCompute)
		if breaksSource(q.broken) {
			return reading, sourceError("reading a GPU", q.broken)
		}
		reading.GPUs = append(reading.GPUs, g)
		if handles[i] = q.device; q.device != nil && g.UUID != "" {
			present[q.device] = g.UUID
		}
	}
	r.watchXIDs(present)
	for i, device := range handles {
		g := &reading.GPUs[i]
		if device == nil {
			g.XIDsWatchedSince = validator.None[time.Time](g.Fault.Or(""))
			continue
		}
		g.XIDsWatchedSince = r.watchedSince(device)
	}
	return reading, nil
}

// readVersions reads what stays while NVML is initialised.
func (r *nvmlReader) readVersions() {
	q := &query{r: r}
	r.host.DriverVersion = ask(q, r.lib.SystemGetDriverVersion, "nvmlSystemGetDriverVersion")
	cuda := either(
		ask(q, r.lib.SystemGetCudaDriverVersion_v2, "nvmlSystemGetCudaDriverVersion_v2"),
		func() validator.Maybe[int] {
			return ask(q, r.lib.SystemGetCudaDriverVersion, "nvmlSystemGetCudaDriverVersion")
		})
	r.host.CUDAVersion = cudaVersion(cuda)
}

// cudaVersion writes 12080 as 12.8.
func cudaVersion(number validator.Maybe[int]) validator.Maybe[string] {
	if v, known := number.Get(); known && (v < 1000 || v >= 1_000_000) {
		return validator.None[string](fmt.Sprintf("the driver said %d", v))
	}
	return validator.Map(number, func(v int) string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) })
}

func (r *nvmlReader) readHost() validator.GPUHost {
	host, q := r.host, &query{r: r}
	state := ask(q, r.lib.SystemGetConfComputeState, "nvmlSystemGetConfComputeState")
	host.ConfidentialCompute = validator.Map(state, func(s nvml.ConfComputeSystemState) validator.ConfidentialCompute {
		return validator.ConfidentialCompute{
			Enabled:     s.CcFeature == nvml.CC_SYSTEM_FEATURE_ENABLED,
			DevTools:    s.DevToolsMode == nvml.CC_SYSTEM_DEVTOOLS_MODE_ON,
			Environment: environmentWord(s.Environment),
			GPUsReady: validator.Map(
				ask(q, r.lib.SystemGetConfComputeGpusReadyState, "nvmlSystemGetConfComputeGpusReadyState"),
				func(v uint32) bool { return v == nvml.CC_ACCEPTING_CLIENT_REQUESTS_TRUE }),
		}
	})
	return host
}

// environmentWord is the word of NVML_CC_SYSTEM_ENVIRONMENT_….
func environmentWord(v uint32) string {
	switch v {
	case nvml.CC_SYSTEM_ENVIRONMENT_UNAVAILABLE:
		return "unavailable"
	case nvml.CC_SYSTEM_ENVIRONMENT_SIM:
		return "simulation"
	case nvml.CC_SYSTEM_ENVIRONMENT_PROD:
		return "production"
	}
	return "unknown"
}

// query asks NVML for the fields of one GPU, or of the host.
type query struct {
	r      *nvmlReader
	device nvml.Device // nil for the host, and for a GPU without a handle
	broken nvml.Return // the answer after which nothing else needs to be asked; SUCCESS so far
	passed bool        // some answer was one that may be another the next time
}

// ask returns what get reads, or why there is nothing. It calls get only if the driver
// has one of the functions (symbols) that get may call.
func ask[T any](q *query, get func() (T, nvml.Return), symbols ...string) validator.Maybe[T] {
	if q.broken != nvml.SUCCESS {
		return validator.None[T](explain(q.broken).phrase)
	}
	if !q.r.has(symbols...) {
		return validator.None[T](fromDriver)
	}
	v, ret, sane := called(get)
	switch {
	case !sane:
		return validator.None[T](noSense)
	case ret == nvml.SUCCESS:
		return validator.Some(v)
	}
	q.passed = q.passed || !settled(ret)
	if breaksGPU(ret) {
		q.broken = ret
	}
	return validator.None[T](explain(ret).phrase)
}

// called calls get and reports whether the answer made sense: go-nvml cuts a list to the
// length that the driver gives, and panics where that is longer than the list.
func called[T any](get func() (T, nvml.Return)) (v T, ret nvml.Return, sane bool) {
	defer func() {
		if recover() != nil {
			sane = false
		}
	}()
	v, ret = get()
	return v, ret, true
}

// either returns the newer function's value, or else the older one's. If neither has
// one, the reason is the newer's unless the driver merely lacks that function.
func either[T any](newer validator.Maybe[T], older func() validator.Maybe[T]) validator.Maybe[T] {
	if newer.Known() {
		return newer
	}
	old := older()
	if old.Known() || newer.Reason() == fromDriver {
		return old
	}
	return newer
}

//go:build linux && cgo

package gpu

import (
	"fmt"

	"github.com/NVIDIA/go-nvml/pkg/nvml"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// answer is what one of NVML's return codes means to people.
type answer struct {
	name   string // as in nvml.h, for the log
	phrase string // why one field or one GPU has no value
	reason string // why the source as a whole cannot be read
	remedy string
}

// What several answers say alike.
const (
	fromGPU    = NotSupportedByGPU
	fromDriver = "not supported by this driver"
	noSense    = "the driver's answer makes no sense"

	opensAgain    = "It is opened again by itself; if this stays, restart the host."
	seeKernelLog  = "Look for NVRM and Xid in the kernel's log (dmesg); if this stays, reboot the host."
	internalError = "NVIDIA's driver failed with an internal error."
	refusedCall   = "NVIDIA's library refuses a call of this program."
	updateDriver  = "Install a current NVIDIA driver; if it is current, report this."
)

// answers is the one table of NVML's return codes (nvmlReturn_t). go-nvml's own texts
// come from a function of the library that may itself be missing, which ends the process.
var answers = map[nvml.Return]answer{
	nvml.SUCCESS:                         {"NVML_SUCCESS", "read", "The GPUs can be read.", ""},
	nvml.ERROR_UNINITIALIZED:             {"NVML_ERROR_UNINITIALIZED", "the connection to the driver was lost", "The connection to NVIDIA's driver was lost, as when it is restarted.", opensAgain},
	nvml.ERROR_INVALID_ARGUMENT:          {"NVML_ERROR_INVALID_ARGUMENT", "the driver refused the question", refusedCall, updateDriver},
	nvml.ERROR_NOT_SUPPORTED:             {"NVML_ERROR_NOT_SUPPORTED", fromGPU, "NVIDIA's driver does not support NVML on this host.", updateDriver},
	nvml.ERROR_NO_PERMISSION:             {"NVML_ERROR_NO_PERMISSION", "no permission", "This user may not talk to NVIDIA's driver.", "Give it access to /dev/nvidiactl and /dev/nvidia0 and so on, or start the container with its GPUs."},
	nvml.ERROR_ALREADY_INITIALIZED:       {"NVML_ERROR_ALREADY_INITIALIZED", "the driver was busy starting", internalError, opensAgain},
	nvml.ERROR_NOT_FOUND:                 {"NVML_ERROR_NOT_FOUND", "not found", "NVIDIA's driver finds no GPU on this host.", "Check with lspci that the card is there and with nvidia-smi that the driver took it."},
	nvml.ERROR_INSUFFICIENT_SIZE:         {"NVML_ERROR_INSUFFICIENT_SIZE", "the answer is too long", refusedCall, updateDriver},
	nvml.ERROR_INSUFFICIENT_POWER:        {"NVML_ERROR_INSUFFICIENT_POWER", "its power cables are not properly attached", "A GPU's power cables are not properly attached.", "Switch the host off and check the cables of its GPUs."},
	nvml.ERROR_DRIVER_NOT_LOADED:         {"NVML_ERROR_DRIVER_NOT_LOADED", "the driver is not loaded", "NVIDIA's library is installed, but the kernel's driver is not loaded.", "Load it with modprobe nvidia, or reboot the host; in a container, start it with its GPUs."},
	nvml.ERROR_TIMEOUT:                   {"NVML_ERROR_TIMEOUT", "the driver did not answer in time", "NVIDIA's driver did not answer in time.", seeKernelLog},
	nvml.ERROR_IRQ_ISSUE:                 {"NVML_ERROR_IRQ_ISSUE", "the kernel has trouble with its interrupts", "The kernel has trouble with the interrupts of a GPU.", seeKernelLog},
	nvml.ERROR_LIBRARY_NOT_FOUND:         {"NVML_ERROR_LIBRARY_NOT_FOUND", "a library of the driver is missing", "A library of NVIDIA's driver is missing.", "Install NVIDIA's driver again."},
	nvml.ERROR_FUNCTION_NOT_FOUND:        {"NVML_ERROR_FUNCTION_NOT_FOUND", fromDriver, "NVIDIA's driver lacks what this program needs.", updateDriver},
	nvml.ERROR_CORRUPTED_INFOROM:         {"NVML_ERROR_CORRUPTED_INFOROM", "the card's infoROM is corrupted", "The infoROM of a GPU is corrupted.", "Have the card checked by its maker."},
	nvml.ERROR_GPU_IS_LOST:               {"NVML_ERROR_GPU_IS_LOST", validator.FaultLost, "A GPU is lost: it fell off the bus or no longer answers.", seeKernelLog},
	nvml.ERROR_RESET_REQUIRED:            {"NVML_ERROR_RESET_REQUIRED", "GPU must be reset before it can be used again", "A GPU must be reset before it can be used again.", "Stop what uses it and run nvidia-smi --gpu-reset, or reboot the host."},
	nvml.ERROR_OPERATING_SYSTEM:          {"NVML_ERROR_OPERATING_SYSTEM", "blocked by the operating system", "The operating system blocks NVIDIA's control device.", "Allow the container or service (cgroup) to use /dev/nvidiactl and its GPUs."},
	nvml.ERROR_LIB_RM_VERSION_MISMATCH:   {"NVML_ERROR_LIB_RM_VERSION_MISMATCH", "driver and library are of different versions", "NVIDIA's kernel driver and its library are of different versions, as after an update.", "Reboot the host, or reload the kernel's driver, then restart this program."},
	nvml.ERROR_IN_USE:                    {"NVML_ERROR_IN_USE", "in use by another program", "NVIDIA's driver is in exclusive use by another program.", opensAgain},
	nvml.ERROR_MEMORY:                    {"NVML_ERROR_MEMORY", "the host is out of memory", "The host has too little free memory to ask NVIDIA's driver.", "Free memory on this host."},
	nvml.ERROR_NO_DATA:                   {"NVML_ERROR_NO_DATA", "the driver has no data for it", "NVIDIA's driver has no data.", opensAgain},
	nvml.ERROR_VGPU_ECC_NOT_SUPPORTED:    {"NVML_ERROR_VGPU_ECC_NOT_SUPPORTED", "not supported while ECC is on", refusedCall, updateDriver},
	nvml.ERROR_INSUFFICIENT_RESOURCES:    {"NVML_ERROR_INSUFFICIENT_RESOURCES", "the driver is out of resources", "NVIDIA's driver is out of resources.", seeKernelLog},
	nvml.ERROR_FREQ_NOT_SUPPORTED:        {"NVML_ERROR_FREQ_NOT_SUPPORTED", "the clock is not supported", refusedCall, updateDriver},
	nvml.ERROR_ARGUMENT_VERSION_MISMATCH: {"NVML_ERROR_ARGUMENT_VERSION_MISMATCH", fromDriver, refusedCall, updateDriver},
	nvml.ERROR_DEPRECATED:                {"NVML_ERROR_DEPRECATED", "no longer supported by this driver", refusedCall, updateDriver},
	nvml.ERROR_NOT_READY:                 {"NVML_ERROR_NOT_READY", "the driver is not ready for it", "NVIDIA's driver is not ready yet.", opensAgain},
	nvml.ERROR_GPU_NOT_FOUND:             {"NVML_ERROR_GPU_NOT_FOUND", "the driver no longer finds this GPU", "NVIDIA's driver finds no GPU on this host.", "Check with lspci that the card is there and with nvidia-smi that the driver took it."},
	nvml.ERROR_INVALID_STATE:             {"NVML_ERROR_INVALID_STATE", "not available in the GPU's present state", internalError, seeKernelLog},
	nvml.ERROR_RESET_TYPE_NOT_SUPPORTED:  {"NVML_ERROR_RESET_TYPE_NOT_SUPPORTED", fromGPU, refusedCall, updateDriver},
	nvml.ERROR_UNKNOWN:                   {"NVML_ERROR_UNKNOWN", "the driver failed with an internal error", internalError, seeKernelLog},
}

// explain says what a return code means; one that came after this was written has its
// number in the log only.
func explain(ret nvml.Return) answer {
	if a, ok := answers[ret]; ok {
		return a
	}
	return answer{
		name:   fmt.Sprintf("nvmlReturn_t %d", int32(ret)),
		phrase: "the driver reported an error that this version does not know",
		reason: "NVIDIA's driver reported an error that this version does not know.",
		remedy: seeKernelLog,
	}
}

// sourceError is why the source as a whole cannot be read after a call returned ret.
func sourceError(call string, ret nvml.Return) *Error {
	a := explain(ret)
	return &Error{Reason: a.reason, Remedy: a.remedy, Err: fmt.Errorf("%s returned %s", call, a.name)}
}

// breaksGPU says that no other call for this GPU will succeed either.
func breaksGPU(ret nvml.Return) bool {
	return ret == nvml.ERROR_GPU_IS_LOST || ret == nvml.ERROR_RESET_REQUIRED || ret == nvml.ERROR_GPU_NOT_FOUND || breaksSource(ret)
}

// breaksSource says that no call for any GPU will succeed until NVML is initialised again.
func breaksSource(ret nvml.Return) bool {
	return ret == nvml.ERROR_UNINITIALIZED || ret == nvml.ERROR_DRIVER_NOT_LOADED
}

// settled says that asking again will bring the same answer.
func settled(ret nvml.Return) bool {
	return ret == nvml.SUCCESS || ret == nvml.ERROR_NOT_SUPPORTED || ret == nvml.ERROR_FUNCTION_NOT_FOUND ||
		ret == nvml.ERROR_ARGUMENT_VERSION_MISMATCH || ret == nvml.ERROR_DEPRECATED
}

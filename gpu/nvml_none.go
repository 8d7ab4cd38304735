//go:build !linux || !cgo

package gpu

// OpenNVML returns an *Error: this build cannot load NVIDIA's library.
func OpenNVML(string) (Reader, error) {
	return nil, &Error{
		Reason: "This build of the program has no NVML, so it cannot read GPUs.",
		Remedy: "Run the build for Linux that was made with cgo (CGO_ENABLED=1).",
	}
}

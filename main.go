// The BitSage validator dashboard: real figures of one validator's GPUs, jobs and stake, as
// pages and as JSON.
package main

import (
	"fmt"
	"os"

	"github.com/bitsage-network/validator-dashboard/app"
	"github.com/bitsage-network/validator-dashboard/demo"
)

// Set by the linker; see the Makefile.
var (
	version = "unknown"
	commit  = "unknown"
)

func main() {
	ctx, stop := app.UntilSignal(os.Stderr)
	defer stop()
	program := app.Program{Version: version, Commit: commit, Getenv: os.Getenv, Stdout: os.Stdout, Stderr: os.Stderr, Demo: demo.Run}
	if err := program.Run(ctx, os.Args[1:]); err != nil {
		app.LastWords(os.Stderr, fmt.Sprintln("validator-dashboard:", err))
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

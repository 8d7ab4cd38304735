// The BitSage validator dashboard: real figures of one validator's GPUs, jobs and stake, as
// pages and as JSON. This package only reads the configuration, wires the rooms together
// and waits for them to end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
)

// Set by the linker; see the Makefile.
var (
	version = "unknown"
	commit  = "unknown"
)

func main() {
	ctx, stop := untilSignal(os.Stderr)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil {
		lastWords(os.Stderr, fmt.Sprintln("validator-dashboard:", err))
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

const usage = `The BitSage validator dashboard.

  validator-dashboard [serve]   serve the dashboard (the default)
  validator-dashboard demo      serve it with simulated GPUs, a simulated chain and a year of made-up jobs
  validator-dashboard migrate   bring the database's schema up to date, and end
  validator-dashboard check     count all rows again and compare the events with the chain, and fail where something differs
  validator-dashboard token     make, list or revoke tokens for scripts, hosts and coordinators
  validator-dashboard version   print version and commit

Flags after the command override the environment; see "validator-dashboard serve -h".
`

// memoryGoal is what the Go runtime keeps to where it can, in bytes: it collects garbage more often
// as the program comes near. What requests and answers may need at most leaves room below.
const memoryGoal = 192 << 20

// limitMemory sets memoryGoal unless whoever runs the program sets another by the runtime's own
// variable.
func limitMemory(getenv func(string) string) {
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryGoal)
	}
}

// run is the program: it returns when the command has ended or ctx has.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	command := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	switch command {
	case "help":
		_, err := io.WriteString(stdout, usage)
		return err
	case "version":
		_, err := fmt.Fprintf(stdout, "%s (commit %s)\n", version, commit)
		return err
	case "token":
		return token(ctx, args, getenv, stdout, stderr)
	case "serve", "demo", "migrate", "check":
	default:
		return fmt.Errorf("there is no command %q; there are serve, demo, migrate, check, token, version and help", command)
	}
	cfg, rest, err := LoadConfig(args, getenv, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case len(rest) > 0:
		return fmt.Errorf("%s takes flags only, not %q", command, rest[0])
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: cfg.LogLevel}))
	switch command {
	case "migrate":
		return migrate(ctx, cfg, log, stdout)
	case "check":
		return checkTotals(ctx, cfg, log, stdout)
	}
	limitMemory(getenv)
	out := startLogs(cfg.LogLevel, stdout, stderr)
	defer out.close()
	if command == "demo" {
		return demo(ctx, cfg, out.log, out.stdout)
	}
	return serve(ctx, cfg, out.log, out.stdout)
}

// Package app is the program: it reads the configuration, wires the rooms together, runs the
// commands and waits for them to end. Nothing simulated may be in it.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
)

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

// Program is what runs the commands.
type Program struct {
	Version, Commit string
	Getenv          func(string) string
	Stdout, Stderr  io.Writer
	// Demo serves with sources that are simulated, which this package cannot reach.
	Demo func(ctx context.Context, cfg Config, log *slog.Logger, stdout io.Writer) error
}

// Run runs a command with its flags. It returns when the command has ended or ctx has.
func (p Program) Run(ctx context.Context, args []string) error {
	getenv, stdout, stderr := p.Getenv, p.Stdout, p.Stderr
	command := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	switch command {
	case "help":
		_, err := io.WriteString(stdout, usage)
		return err
	case "version":
		_, err := fmt.Fprintf(stdout, "%s (commit %s)\n", p.Version, p.Commit)
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
	cfg.Version, cfg.Commit = p.Version, p.Commit
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
		return p.Demo(ctx, cfg, out.log, out.stdout)
	}
	return serve(ctx, cfg, out.log, out.stdout)
}

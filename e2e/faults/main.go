//go:build linux

// Faults breaks on purpose what the built program stands on, one thing after another, and
// prints for each what page and API said, how soon it was noticed and gone, and what became
// of the rows that hosts reported meanwhile. It ends with 1 if any of it is wrong.
//
//	go run ./e2e/faults -program bin/validator-dashboard -only 'database.*locked'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

func main() {
	program := flag.String("program", "bin/validator-dashboard", "the built server")
	only := flag.String("only", "", "a regular expression: only faults whose lane, source or name matches")
	out := flag.String("out", "", "a file that the table is written to, besides")
	parallel := flag.Int("parallel", 5, "how many lanes of faults run side by side")
	list := flag.Bool("list", false, "list the faults, and end")
	keep := flag.Bool("keep", false, "leave the folder of the run for a look")
	flag.Parse()
	log.SetFlags(log.Ltime)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *program, *only, *out, *parallel, *list, *keep)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

var errFailed = errors.New("some faults were not borne as they should be; the table says which")

func run(ctx context.Context, program, only, out string, parallel int, list, keep bool) (err error) {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("read -only: %w", err)
	}
	all := matching(lanes(), wanted)
	if list {
		for _, l := range all {
			for _, f := range l.faults {
				fmt.Printf("%s %s: %s\n", l.name, f.source, f.name) //nolint:forbidigo // it is what was asked for
			}
		}
		return nil
	}
	h, err := newHarness(ctx, program)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close(keep)) }()
	start := time.Now()
	results := h.runAll(ctx, all, parallel)
	text := table(results)
	fmt.Print(text) //nolint:forbidigo // the table is the program's output
	log.Printf("%d faults in %s", len(results), time.Since(start).Round(time.Second))
	if out != "" {
		if err := os.WriteFile(out, []byte(text), 0o644); err != nil { //nolint:gosec // a table for everybody
			return fmt.Errorf("write the table: %w", err)
		}
	}
	for _, o := range results {
		if len(o.problems) > 0 {
			return errFailed
		}
	}
	return ctx.Err()
}

// newHarness makes what all lanes share.
func newHarness(ctx context.Context, program string) (h *harness, err error) {
	h = &harness{binDir: os.Getenv("PG_BINDIR")}
	if h.program, err = filepath.Abs(program); err != nil {
		return nil, fmt.Errorf("find the program: %w", err)
	}
	if _, err := os.Stat(h.program); err != nil {
		return nil, fmt.Errorf("find the program (build it first: make build): %w", err)
	}
	if h.dir, err = os.MkdirTemp("", "faults"); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	if err := os.Chmod(h.dir, 0o755); err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	if h.shared, err = openPostgres(ctx, filepath.Join(h.dir, "shared"), h.binDir, "max_connections=200"); err != nil {
		return nil, err
	}
	if err := h.shared.prepare(ctx, h.program); err != nil {
		return nil, errors.Join(err, h.close(false))
	}
	return h, nil
}

func (h *harness) close(keep bool) error {
	err := h.shared.close()
	if !keep {
		err = errors.Join(err, os.RemoveAll(h.dir))
	}
	return err
}

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// startPatience is how long the line that says "ready" waits for the database's first
// answer. The server answers before that, and says what is missing.
const startPatience = 10 * time.Second

// serve runs the server until ctx ends and everything it started has ended: first requests,
// then what works by itself, the database last.
func serve(ctx context.Context, cfg Config, log *slog.Logger, stdout io.Writer) error {
	listener, err := Listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // the server closes it first
	LogAccess(cfg, listener.Addr(), log)

	store, err := OpenStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	d, err := NewDashboard(cfg, store, Overrides{}, log)
	if err != nil {
		return errors.Join(err, store.Close())
	}

	g := NewGroup(ctx, log)
	defer g.Stop()
	g.Run(StageSources, "database", store.Run)
	d.Start(g, listener)

	ready, cancel := context.WithTimeout(g.Context(), startPatience)
	_ = store.WaitReady(ready) // what keeps it is shown by the page
	cancel()
	if cfg.PublicURL == "" && !listensOnLoopback(cfg.Listen) {
		log.Warn("PUBLIC_URL is not set, so nobody can sign in from another machine: set it to the address that people open")
	}
	if g.Context().Err() == nil {
		if _, err := fmt.Fprintf(stdout, "BitSage validator dashboard ready at %s\n", PublicURL(cfg, listener.Addr())); err != nil {
			g.Stop()
		}
	}
	return errors.Join(g.Wait(), store.Close())
}

// migrate brings the schema up to date and says so.
func migrate(ctx context.Context, cfg Config, log *slog.Logger, stdout io.Writer) error {
	store, err := OpenStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return errors.Join(err, store.Close())
	}
	_, err = fmt.Fprintln(stdout, "The database's schema is up to date.")
	return errors.Join(err, store.Close())
}

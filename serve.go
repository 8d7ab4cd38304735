package main

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
	listener, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // the server closes it first
	logAccess(cfg, listener.Addr(), log)

	store, err := openStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	s, err := newSite(cfg, store, standIns{}, log)
	if err != nil {
		return errors.Join(err, store.Close())
	}

	g := newGroup(ctx, log)
	defer g.stop()
	g.run(stageSources, "database", store.Run)
	s.start(g, listener)

	ready, cancel := context.WithTimeout(g.asked, startPatience)
	_ = store.WaitReady(ready) // what keeps it is shown by the page
	cancel()
	if cfg.PublicURL == "" && !listensOnLoopback(cfg.Listen) {
		log.Warn("PUBLIC_URL is not set, so nobody can sign in from another machine: set it to the address that people open")
	}
	if g.asked.Err() == nil {
		if _, err := fmt.Fprintf(stdout, "BitSage validator dashboard ready at %s\n", publicURL(cfg, listener.Addr())); err != nil {
			g.stop()
		}
	}
	return errors.Join(g.wait(), store.Close())
}

// migrate brings the schema up to date and says so.
func migrate(ctx context.Context, cfg Config, log *slog.Logger, stdout io.Writer) error {
	store, err := openStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return errors.Join(err, store.Close())
	}
	_, err = fmt.Fprintln(stdout, "The database's schema is up to date.")
	return errors.Join(err, store.Close())
}

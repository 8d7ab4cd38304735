package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// group runs goroutines that live and end together.
type group struct {
	stop context.CancelFunc
	wg   sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

// run starts f; its end, with or without an error, ends the group.
func (g *group) run(name string, f func() error) {
	g.wg.Go(func() {
		defer g.stop()
		if err := f(); err != nil && !errors.Is(err, context.Canceled) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.errs = append(g.errs, fmt.Errorf("%s: %w", name, err))
		}
	})
}

func (g *group) wait() error {
	g.wg.Wait()
	return errors.Join(g.errs...)
}

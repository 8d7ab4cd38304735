package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Stage is when a goroutine of a Group ends: after all of the stages before its own.
type Stage int

// The stages, in the order of their end: whatever is used ends after its users.
const (
	StageRequests Stage = iota // answers
	StageWork                  // reads and writes by itself
	StageSources               // is read and written
	stageCount
)

func (s Stage) String() string { return [...]string{"requests", "work", "sources"}[s] }

// Group runs goroutines that live together and end stage by stage.
type Group struct {
	// asked ends when the group is to end. What is done in the meantime goes on: each stage
	// has a context of its own.
	asked  context.Context
	stop   context.CancelFunc // ends asked
	stages [stageCount]struct {
		over chan struct{} // closed when it is to end
		wg   sync.WaitGroup
	}
	ctx context.Context // of what runs, without an end
	log *slog.Logger

	mu   sync.Mutex
	errs []error
}

// NewGroup returns a group that ends once ctx ends, Stop is called, or one of its goroutines
// ends. Whoever made it calls Wait.
func NewGroup(ctx context.Context, log *slog.Logger) *Group {
	g := &Group{log: log, ctx: context.WithoutCancel(ctx)}
	g.asked, g.stop = context.WithCancel(ctx)
	for i := range g.stages {
		g.stages[i].over = make(chan struct{})
	}
	return g
}

// Context ends when the group is to end.
func (g *Group) Context() context.Context { return g.asked }

// Stop asks the group to end.
func (g *Group) Stop() { g.stop() }

// Run starts f, whose context ends with its stage. Its end, with or without an error, ends the
// group.
func (g *Group) Run(at Stage, name string, f func(ctx context.Context) error) {
	s := &g.stages[at]
	s.wg.Go(func() {
		defer g.stop()
		ctx, cancel := context.WithCancel(g.ctx)
		defer cancel()
		go func() {
			select {
			case <-s.over:
				cancel()
			case <-ctx.Done():
			}
		}()
		if err := f(ctx); err != nil && !errors.Is(err, context.Canceled) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.errs = append(g.errs, fmt.Errorf("%s: %w", name, err))
		}
	})
}

// Wait waits until the group is to end, ends it stage by stage, and returns what went wrong.
func (g *Group) Wait() error {
	<-g.asked.Done()
	for i := range g.stages {
		s, began := &g.stages[i], time.Now()
		close(s.over)
		s.wg.Wait()
		g.log.Debug("stage ended", slog.String("stage", Stage(i).String()), slog.Duration("took", time.Since(began).Round(time.Millisecond)))
	}
	g.stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	return errors.Join(g.errs...)
}

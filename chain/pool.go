package chain

import (
	"context"
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
)

// pool asks the nodes in their order: a later one is asked only for what those before it
// did not serve, so the first is back in use as soon as it serves again.
type pool struct {
	nodes []*endpoint
	retry failsafe.Executor[any]
}

func newPool(cfg Config) (*pool, error) {
	p := &pool{retry: failsafe.With[any](retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return worthRetrying(err) }).
		WithMaxRetries(max(cfg.Retries, 0)).
		WithBackoff(cfg.RetryBackoff, 8*cfg.RetryBackoff).
		WithJitterFactor(0.3).
		ReturnLastFailure().
		Build())}
	for _, u := range cfg.RPCURLs {
		e, err := newEndpoint(u, cfg)
		if err != nil {
			return nil, err
		}
		p.nodes = append(p.nodes, e)
	}
	return p, nil
}

func worthRetrying(err error) bool {
	var o *outage
	if !errors.As(err, &o) {
		return false
	}
	for _, f := range o.asked {
		if f.passing() {
			return true
		}
	}
	return false
}

// do runs op on the first node that serves it. Each try has the timeout; op's error must
// be a *fault if the node is to blame. The error is ctx's own, an *outage, or what op
// returned otherwise.
func (p *pool) do(ctx context.Context, timeout time.Duration, op func(context.Context, *endpoint) error) error {
	return p.retry.WithContext(ctx).Run(func() error { return p.round(ctx, timeout, op) })
}

func (p *pool) round(ctx context.Context, timeout time.Duration, op func(context.Context, *endpoint) error) error {
	failed := &outage{}
	for _, e := range p.nodes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.restLeft() > 0 || !e.breaker.TryAcquirePermit() {
			failed.faults = append(failed.faults, e.lastFault())
			continue
		}
		err := func() error {
			tctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			return op(tctx, e)
		}()
		var f *fault
		switch {
		case err == nil:
			e.record(nil)
			return nil
		case ctx.Err() != nil:
			e.release()
			return ctx.Err()
		case errors.As(err, &f):
			switch {
			case f.beside:
				e.release()
			case f.early:
				e.breaker.RecordSuccess()
			default:
				e.record(f)
			}
			failed.faults, failed.asked = append(failed.faults, f), append(failed.asked, f)
		default:
			e.record(nil)
			return err
		}
	}
	return failed
}

// open says whether no node would be asked now.
func (p *pool) open() bool { return p.standingOutage() != nil }

// standingOutage returns why no node would be asked now, and nil if one would.
func (p *pool) standingOutage() *outage {
	o := &outage{}
	for _, e := range p.nodes {
		if !e.idle() {
			return nil
		}
		o.faults = append(o.faults, e.lastFault())
	}
	return o
}

// widestSpan is of how many blocks some node tells the events at once.
func (p *pool) widestSpan() uint64 {
	widest := uint64(1)
	for _, e := range p.nodes {
		if !e.idle() || len(p.nodes) == 1 {
			widest = max(widest, e.limits.sizeOf(&e.limits.span))
		}
	}
	return widest
}

package web

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// pace bounds how much of the server's time one wallet takes: for two seconds its requests run
// side by side, and then one after the other, so that others have a processor. Who asks one thing
// at a time never waits.
type pace struct {
	left *rate.Limiter       // milliseconds
	lone *semaphore.Weighted // of requests that run while none are left
}

// paceBurst is for how long the requests of a wallet may run side by side, in milliseconds; it grows
// back by as much as passes. An open dashboard uses some 50 ms a second.
const paceBurst = 2000

func newPace() pace {
	return pace{rate.NewLimiter(1000, paceBurst), semaphore.NewWeighted(1)}
}

// rested says whether nothing that ran before matters any more.
func (p pace) rested() bool { return p.left.Tokens() >= paceBurst }

// turn waits until the wallet has time left; used must get how much of it was taken.
func (p pace) turn(ctx context.Context) (used func(time.Duration), err error) {
	lone := p.left.Tokens() < 0
	if lone {
		if err := p.lone.Acquire(ctx, 1); err != nil {
			return nil, err
		}
		if err := p.left.WaitN(ctx, 0); err != nil {
			p.lone.Release(1)
			return nil, err
		}
	}
	return func(d time.Duration) {
		p.left.ReserveN(time.Now(), int(min(d.Milliseconds(), paceBurst)))
		if lone {
			p.lone.Release(1)
		}
	}, nil
}

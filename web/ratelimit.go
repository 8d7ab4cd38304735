package web

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// allowance is how much somebody may ask: so many requests at once, and so many a second
// after that.
type allowance struct {
	name      string
	burst     int
	perSecond rate.Limit
}

// An open dashboard asks less than 2 requests a second, and some 10 at once when it is
// opened or looked at again. A network address may hold several people.
var (
	ofAddress = allowance{"address", 600, 60}
	ofMachine = allowance{"machine", 6000, 600} // scripts and reports of the server's own machine
	ofWallet  = allowance{"wallet", 300, 30}
	ofToken   = allowance{"token", 500, 50}
	ofSignIn  = allowance{"sign-in", 30, 0.5} // a sign-in is two requests
	ofChanges = allowance{"changes", 30, 0.5} // of a wallet's sessions and tokens
)

// limits remembers what was asked lately, by whom.
type limits struct {
	asked *otter.Cache[string, *rate.Limiter]
}

const (
	limitsSize = 50_000           // those who asked longest ago are forgotten first
	limitsFor  = 15 * time.Minute // after its last request, longer than any allowance takes to fill
)

func newLimits() (*limits, error) {
	asked, err := otter.New(&otter.Options[string, *rate.Limiter]{
		MaximumSize:      limitsSize,
		ExpiryCalculator: otter.ExpiryAccessing[string, *rate.Limiter](limitsFor),
	})
	if err != nil {
		return nil, fmt.Errorf("memory of requests: %w", err)
	}
	return &limits{asked}, nil
}

// take counts a request; wait is how long to wait if it is one too many.
func (l *limits) take(a allowance, who string, now time.Time) (wait time.Duration) {
	key := a.name + " " + who
	limiter, known := l.asked.GetIfPresent(key)
	if !known {
		limiter, _ = l.asked.SetIfAbsent(key, rate.NewLimiter(a.perSecond, a.burst))
	}
	r := limiter.ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// check answers 429 if somebody asked too much.
func (s *Server) check(c echo.Context, a allowance, who string) error {
	wait := s.limits.take(a, who, s.now())
	if wait <= 0 {
		return nil
	}
	seconds := int(math.Ceil(wait.Seconds()))
	c.Response().Header().Set("Retry-After", strconv.Itoa(seconds))
	return newProblem(http.StatusTooManyRequests, fmt.Sprintf("These are more requests than one %s may send. Wait %d s.", limitWords[a.name], seconds))
}

var limitWords = map[string]string{
	ofAddress.name: "network address", ofMachine.name: "machine", ofWallet.name: "wallet", ofToken.name: "token", ofSignIn.name: "network address that signs in", ofChanges.name: "wallet whose settings change",
}

// limitAddresses bounds what one client network asks, before anything is looked up for it.
// The server's own programs may ask more.
func (s *Server) limitAddresses(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if c.Path() == staticRoute {
			return next(c)
		}
		if s.localAccess && s.isLocal(r) {
			if err := s.check(c, ofMachine, ""); err != nil {
				return err
			}
			return next(c)
		}
		network := clientNetwork(c.RealIP())
		if err := s.check(c, ofAddress, network); err != nil {
			return err
		}
		if r.Method == http.MethodPost && strings.HasPrefix(c.Path(), "/signin") {
			if err := s.check(c, ofSignIn, network); err != nil {
				return err
			}
		}
		return next(c)
	}
}

// limitCredentials bounds what one wallet's browsers ask, and one token.
func (s *Server) limitCredentials(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		v := viewerOf(c.Request().Context())
		var err error
		switch {
		case v.local:
		case v.token != nil:
			err = s.check(c, ofToken, strconv.FormatInt(v.token.ID, 10))
		case v.session != nil:
			err = s.check(c, ofWallet, string(v.session.Wallet))
			if err == nil && c.Request().Method == http.MethodPost && strings.HasPrefix(c.Path(), "/settings") {
				err = s.check(c, ofChanges, string(v.session.Wallet))
			}
		}
		if err != nil {
			return err
		}
		return next(c)
	}
}

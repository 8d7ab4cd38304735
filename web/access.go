package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// access says who may call a route.
type access int

const (
	accessPublic   access = iota // anyone: nothing of a wallet or of this host is in the answer
	accessWallet                 // who may see the wallet that is asked for
	accessIngest                 // who may write for the worker that is written about
	accessOperator               // who runs this server
)

// viewer is who a request comes from.
type viewer struct {
	local bool // by the local access rule: may read any wallet, and write for any worker
}

// may says whether the viewer may call a route of that access at all; which wallet a
// route may show is decided by mayRead.
func (v viewer) may(a access) bool { return a == accessPublic || v.local }

// mayRead says whether the viewer may see a wallet's data.
func (v viewer) mayRead(validator.Address) bool { return v.local }

// mayWrite says whether the viewer may write heartbeats and samples for a worker.
func (v viewer) mayWrite(validator.Address) bool { return v.local }

// notYourWallet refuses to show a wallet that mayRead denies.
func notYourWallet() *problem {
	return newProblem(http.StatusForbidden, "These credentials do not show that wallet.")
}

type viewerKey struct{}

func viewerOf(ctx context.Context) viewer {
	v, _ := ctx.Value(viewerKey{}).(viewer)
	return v
}

// identify finds out who a request comes from, for everything behind it.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		v := viewer{local: s.localAccess && isLocal(r)}
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), viewerKey{}, v)))
		return next(c)
	}
}

// forwardingHeaders are set by proxies: a request that has one did not start on this machine
// as far as anybody can tell.
var forwardingHeaders = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip", "Via"}

// isLocal is the local access rule: the request comes from loopback, names a loopback host
// (another name is DNS rebinding), and no proxy forwarded it.
func isLocal(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	for _, h := range forwardingHeaders {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	return isLoopbackHost(r.Host)
}

// isLoopbackHost says whether a Host header, with or without a port, names this machine.
func isLoopbackHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	} else if len(name) > 1 && name[0] == '[' && name[len(name)-1] == ']' {
		name = name[1 : len(name)-1]
	}
	if name == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

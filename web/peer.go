package web

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/user"
	"strconv"
	"sync"
)

// A proxy on this machine that adds no header, such as nginx with a bare proxy_pass, makes
// strangers look local. It runs as a user of its own, and the kernel knows whose the socket
// at the other end of a connection is.

// PeerOwners finds out whose program is at the other end of a connection.
type PeerOwners interface {
	// Owner returns the ID of the user whose socket at peer is connected to the server's
	// own end of the connection. The error says why that is not known.
	Owner(peer, own netip.AddrPort) (uid int, err error)
}

// Errors of PeerOwners, for errors.Is.
var (
	errNoSocketTable = errors.New("the kernel's table of sockets cannot be read")
	errPeerNotListed = errors.New("the socket is not in the kernel's table of this network namespace")
	errPeerClosed    = errors.New("the program has closed its socket")
)

// peerConn is a connection's other end. Its owner is asked for once, and only if it matters.
type peerConn struct{ isOwn func() bool }

type peerConnKey struct{}

// withPeer is the context of all requests of a connection.
func (s *Server) withPeer(ctx context.Context, c net.Conn) context.Context {
	peer, own := addrPort(c.RemoteAddr()), addrPort(c.LocalAddr())
	return context.WithValue(ctx, peerConnKey{}, peerConn{sync.OnceValue(func() bool { return s.ownsPeer(peer, own) })})
}

func addrPort(a net.Addr) netip.AddrPort {
	if tcp, is := a.(*net.TCPAddr); is {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// isOwnPeer reports whether a program of the server's own user or of root sent a request.
// PUBLIC_URL with a loopback host says that nobody elsewhere is served, so that every user
// of this machine counts.
func (s *Server) isOwnPeer(r *http.Request) bool {
	if isLoopbackHTTP(s.publicURL) {
		return true
	}
	if conn, has := r.Context().Value(peerConnKey{}).(peerConn); has {
		return conn.isOwn()
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && s.ownsPeer(peer, netip.AddrPort{})
}

// ownsPeer asks for a connection's owner, and logs why it does not count.
func (s *Server) ownsPeer(peer, own netip.AddrPort) bool {
	uid, err := s.peers.Owner(peer, own)
	switch {
	case errors.Is(err, errPeerClosed): // nobody waits for the answer
		return false
	case err != nil:
		s.peerNotes.once(err.Error(), func() {
			s.log.Warn("requests from this machine are not local, since it is not known whose program sends them", slog.Any("error", err),
				slog.String("next_step", "set PUBLIC_URL to the loopback URL that you open if no proxy on this machine serves others; else sign in, or use a token"))
		})
		return false
	case uid == overflowUID: // nobody: shared by programs, and what the users of other namespaces are called
	case uid == 0, uid == os.Geteuid():
		return true
	}
	s.peerNotes.once("uid "+strconv.Itoa(uid), func() {
		s.log.Warn("requests from this machine are not local, since another user's program sends them: a proxy, or somebody else", slog.String("user", userName(uid)), slog.String("server_user", userName(os.Geteuid())),
			slog.String("next_step", "for a proxy, set PUBLIC_URL and TRUSTED_PROXIES; for a program, run it as the server's user, sign in, or use a token"))
	})
	return false
}

// overflowUID is the user that the kernel names where a user has no ID in the namespace.
const overflowUID = 65534

// userName names a user for the log.
func userName(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return cmp.Or(u.Username, id)
	}
	return id
}

// noteOnce does things once per key, for at most maxNotes keys.
type noteOnce struct {
	mu   sync.Mutex
	done map[string]bool
}

const maxNotes = 20

func (n *noteOnce) once(key string, do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.done[key] || len(n.done) >= maxNotes {
		return
	}
	if n.done == nil {
		n.done = make(map[string]bool)
	}
	n.done[key] = true
	do()
}

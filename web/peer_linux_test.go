package web

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
)

// dialled is both ends of a connection on loopback.
type dialled struct{ client, server *net.TCPConn }

func (d dialled) owner(p PeerOwners) (int, error) {
	return p.Owner(addrPort(d.server.RemoteAddr()), addrPort(d.server.LocalAddr()))
}

func dialLoopback(t *testing.T, listen string, dial func(net.Addr) (net.Conn, error)) dialled {
	t.Helper()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := dial(l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return dialled{client.(*net.TCPConn), server.(*net.TCPConn)}
}

func plainly(a net.Addr) (net.Conn, error) { return net.Dial("tcp", a.String()) }

// mapped connects a socket of IPv6 to an address of IPv4, as Java and others do.
func mapped(a net.Addr) (net.Conn, error) {
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "mapped")
	defer f.Close()
	end := a.(*net.TCPAddr)
	to := &syscall.SockaddrInet6{Port: end.Port}
	copy(to.Addr[:], end.IP.To16())
	if err := syscall.Connect(fd, to); err != nil {
		return nil, err
	}
	return net.FileConn(f)
}

// waysToAsk are the ways in which the kernel tells; each must do alone.
func waysToAsk() map[string]PeerOwners {
	diag := systemPeers().(socketDiag)
	return map[string]PeerOwners{"the table": diag.table, "sock_diag": socketDiag{socketTable{"/nonexistent"}}}
}

func TestTheKernelTellsWhoseAConnectionIs(t *testing.T) {
	for name, c := range map[string]struct {
		listen string
		dial   func(net.Addr) (net.Conn, error)
	}{
		"IPv4":                       {"127.0.0.1:0", plainly},
		"IPv6":                       {"[::1]:0", plainly},
		"another loopback address":   {"127.7.7.7:0", plainly},
		"IPv4 from a socket of IPv6": {"127.0.0.1:0", mapped},
		"IPv4 to a socket of both": {"[::]:0", func(a net.Addr) (net.Conn, error) {
			return net.DialTCP("tcp4", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: a.(*net.TCPAddr).Port})
		}},
		"IPv4-mapped on both ends": {"[::]:0", func(a net.Addr) (net.Conn, error) {
			return mapped(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: a.(*net.TCPAddr).Port})
		}},
		"IPv6 to all addresses' socket": {"[::]:0", func(a net.Addr) (net.Conn, error) {
			return net.DialTCP("tcp6", nil, &net.TCPAddr{IP: net.IPv6loopback, Port: a.(*net.TCPAddr).Port})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := dialLoopback(t, c.listen, c.dial)
			for way, ask := range waysToAsk() {
				if uid, err := d.owner(ask); uid != os.Geteuid() || err != nil {
					t.Errorf("by %s its owner is %d, %v", way, uid, err)
				}
			}
		})
	}
}

func TestAnothersConnectionIsTold(t *testing.T) {
	const other = 33
	d := dialLoopback(t, "127.0.0.1:0", plainly)
	raw, err := d.client.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var changed error
	if err := raw.Control(func(fd uintptr) { changed = syscall.Fchown(int(fd), other, -1) }); err != nil {
		t.Fatal(err)
	}
	if errors.Is(changed, syscall.EPERM) {
		t.Skip("only root can give a socket to another user; the tests with real proxies show the same")
	}
	for way, ask := range waysToAsk() {
		if uid, err := d.owner(ask); uid != other || err != nil {
			t.Errorf("by %s its owner is %d, %v", way, uid, err)
		}
	}
}

// TestAClosedConnectionIsNobodys closes a client at once, after which the kernel names root
// as its user.
func TestAClosedConnectionIsNobodys(t *testing.T) {
	d := dialLoopback(t, "127.0.0.1:0", plainly)
	if err := d.client.Close(); err != nil {
		t.Fatal(err)
	}
	for way, ask := range waysToAsk() {
		if uid, err := d.owner(ask); !errors.Is(err, errPeerClosed) {
			t.Errorf("by %s its owner is %d, %v", way, uid, err)
		}
	}
}

func TestWhoIsNotInTheTableIsNobody(t *testing.T) {
	for name, ends := range map[string][2]string{
		"another connection": {"127.0.0.1:1", "127.0.0.1:2"},
		"two kinds":          {"[::1]:1", "127.0.0.1:2"},
	} {
		if _, err := systemPeers().Owner(netip.MustParseAddrPort(ends[0]), netip.MustParseAddrPort(ends[1])); !errors.Is(err, errPeerNotListed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := systemPeers().Owner(netip.AddrPort{}, netip.AddrPort{}); !errors.Is(err, errPeerNotListed) {
		t.Errorf("no connection: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := systemPeers().Owner(addrPort(l.Addr()), netip.MustParseAddrPort("127.0.0.1:2")); !errors.Is(err, errPeerNotListed) {
		t.Errorf("a listening socket: %v", err)
	}
	d := dialLoopback(t, "127.0.0.1:0", plainly)
	if _, err := d.owner(socketTable{t.TempDir()}); !errors.Is(err, errNoSocketTable) {
		t.Errorf("without a table: %v", err)
	}
}

func BenchmarkPeerOwner(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	for way, ask := range waysToAsk() {
		b.Run(way, func(b *testing.B) {
			for b.Loop() {
				if _, err := ask.Owner(addrPort(client.LocalAddr()), addrPort(client.RemoteAddr())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

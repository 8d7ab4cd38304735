package web

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"
)

// socketDiag asks the kernel for one socket by its ends (sock_diag(7)), which costs
// microseconds. Containers and sandboxes may forbid it, and it then says nothing: the table
// knows the same.
type socketDiag struct{ table socketTable }

// Messages of linux/sock_diag.h and linux/inet_diag.h.
const (
	sockDiagByFamily = 20
	diagPatience     = time.Second
	diagMessageMost  = 4 << 10 // bytes
)

// diagSocketID names a socket; its addresses and ports are in network byte order.
type diagSocketID struct {
	SourcePort, DestinationPort [2]byte
	Source, Destination         [16]byte
	Interface                   uint32
	Cookie                      [2]uint32
}

type diagRequest struct {
	Header                               syscall.NlMsghdr
	Family, Protocol, Extension, Padding uint8
	States                               uint32
	ID                                   diagSocketID
}

type diagAnswer struct {
	Family, State, Timer, Retransmits           uint8
	ID                                          diagSocketID
	Expires, ReadQueue, WriteQueue, User, Inode uint32
}

// Owner asks for the socket whose local end is the peer's and whose remote end is the
// server's.
func (d socketDiag) Owner(peer, own netip.AddrPort) (int, error) {
	if !peer.IsValid() || !own.IsValid() {
		return 0, errPeerNotListed
	}
	uid, err := d.ask(peer, own)
	if err == nil || errors.Is(err, errPeerClosed) {
		return uid, err
	}
	return d.table.Owner(peer, own)
}

func (d socketDiag) ask(peer, own netip.AddrPort) (int, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, syscall.NETLINK_INET_DIAG)
	if err != nil {
		return 0, fmt.Errorf("open a socket for sock_diag: %w", err)
	}
	defer syscall.Close(fd) //nolint:errcheck // nothing is left to be sent
	patience := syscall.NsecToTimeval(diagPatience.Nanoseconds())
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &patience); err != nil {
		return 0, fmt.Errorf("limit sock_diag: %w", err)
	}
	request, err := diagQuestion(peer, own)
	if err != nil {
		return 0, err
	}
	if err := syscall.Sendto(fd, request, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return 0, fmt.Errorf("ask sock_diag: %w", err)
	}
	b := make([]byte, diagMessageMost)
	n, _, err := syscall.Recvfrom(fd, b, 0)
	if err != nil {
		return 0, fmt.Errorf("wait for sock_diag: %w", err)
	}
	return diagOwner(b[:n], peer, own)
}

// diagQuestion writes the request for one socket.
func diagQuestion(peer, own netip.AddrPort) ([]byte, error) {
	r := diagRequest{Protocol: syscall.IPPROTO_TCP, States: ^uint32(0), ID: diagSocketID{Cookie: [2]uint32{^uint32(0), ^uint32(0)}}}
	if peer.Addr().Unmap().Is4() {
		r.Family = syscall.AF_INET
		source, destination := peer.Addr().Unmap().As4(), own.Addr().Unmap().As4()
		copy(r.ID.Source[:], source[:])
		copy(r.ID.Destination[:], destination[:])
	} else {
		r.Family, r.ID.Source, r.ID.Destination = syscall.AF_INET6, peer.Addr().As16(), own.Addr().As16()
	}
	binary.BigEndian.PutUint16(r.ID.SourcePort[:], peer.Port())
	binary.BigEndian.PutUint16(r.ID.DestinationPort[:], own.Port())
	r.Header = syscall.NlMsghdr{Len: uint32(binary.Size(r)), Type: sockDiagByFamily, Flags: syscall.NLM_F_REQUEST}
	var b bytes.Buffer
	err := binary.Write(&b, binary.NativeEndian, r)
	return b.Bytes(), err
}

// diagOwner reads the answer. The kernel may answer with a listening socket where it has no
// connection, so the ends are compared.
func diagOwner(b []byte, peer, own netip.AddrPort) (int, error) {
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil || len(messages) == 0 || messages[0].Header.Type != sockDiagByFamily {
		return 0, errPeerNotListed
	}
	var a diagAnswer
	if err := binary.Read(bytes.NewReader(messages[0].Data), binary.NativeEndian, &a); err != nil {
		return 0, fmt.Errorf("read the answer of sock_diag: %w", err)
	}
	if a.end(a.ID.Source, a.ID.SourcePort) != unmapped(peer) || a.end(a.ID.Destination, a.ID.DestinationPort) != unmapped(own) {
		return 0, errPeerNotListed
	}
	if a.Inode == 0 {
		return 0, errPeerClosed
	}
	return int(a.User), nil
}

func (a diagAnswer) end(address [16]byte, port [2]byte) netip.AddrPort {
	ip := netip.AddrFrom16(address).Unmap()
	if a.Family == syscall.AF_INET {
		ip = netip.AddrFrom4([4]byte(address[:4]))
	}
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(port[:]))
}

func unmapped(end netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(end.Addr().Unmap(), end.Port())
}

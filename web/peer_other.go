//go:build !linux

package web

import "net/netip"

// noSocketTable is a system whose table of sockets this program cannot read.
type noSocketTable struct{}

func systemPeers() PeerOwners { return noSocketTable{} }

// Owner knows nobody.
func (noSocketTable) Owner(_, _ netip.AddrPort) (int, error) { return 0, errNoSocketTable }

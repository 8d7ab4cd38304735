package web

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// socketTable reads the kernel's table of TCP sockets (proc_pid_net(5)): tcp and tcp6 in
// dir, of the network namespace that this process is in.
type socketTable struct{ dir string }

func systemPeers() PeerOwners { return socketDiag{socketTable{"/proc/self/net"}} }

// tableTries is how often the table is read for a row: while sockets come and go, a reading
// may leave one out.
const tableTries = 3

// Owner finds the row whose local end is the peer's and whose remote end is the server's.
func (t socketTable) Owner(peer, own netip.AddrPort) (int, error) {
	if !peer.IsValid() || !own.IsValid() || peer.Addr().Unmap().Is4() != own.Addr().Unmap().Is4() {
		return 0, errPeerNotListed
	}
	tables := []string{"tcp6"}
	if peer.Addr().Unmap().Is4() {
		tables = []string{"tcp", "tcp6"} // a socket of IPv6 may be connected by IPv4
	}
	for range tableTries {
		for _, name := range tables {
			uid, err := t.find(name, peer, own)
			if err == nil || !errors.Is(err, errPeerNotListed) {
				return uid, err
			}
		}
	}
	return 0, errPeerNotListed
}

func (t socketTable) find(name string, peer, own netip.AddrPort) (uid int, err error) {
	f, err := os.Open(t.dir + "/" + name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == "tcp6": // a kernel without IPv6
		return 0, errPeerNotListed
	case err != nil:
		return 0, fmt.Errorf("%w: %w", errNoSocketTable, err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	ends := []byte(" " + tableEnd(peer, name) + " " + tableEnd(own, name) + " ")
	rows := bufio.NewScanner(f)
	for rows.Scan() {
		if bytes.Contains(rows.Bytes(), ends) {
			return socketOwner(rows.Bytes())
		}
	}
	if err := rows.Err(); err != nil {
		return 0, fmt.Errorf("%w: %w", errNoSocketTable, err)
	}
	return 0, errPeerNotListed
}

// socketOwner reads a row's user. A socket that its program has closed has no inode, and
// the kernel then names root, whoever it was.
func socketOwner(row []byte) (int, error) {
	const uidField, inodeField = 7, 9
	fields := bytes.Fields(row)
	if len(fields) <= inodeField {
		return 0, fmt.Errorf("%w: a row of it has %d fields", errNoSocketTable, len(fields))
	}
	if string(fields[inodeField]) == "0" {
		return 0, errPeerClosed
	}
	uid, err := strconv.ParseUint(string(fields[uidField]), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoSocketTable, err)
	}
	return int(uid), nil
}

// tableEnd writes one end of a connection as a table does: the address in hexadecimal as
// words in the machine's byte order, and the port.
func tableEnd(end netip.AddrPort, table string) string {
	var address []byte
	if table == "tcp" {
		a := end.Addr().Unmap().As4()
		address = a[:]
	} else {
		a := end.Addr().As16()
		address = a[:]
	}
	var text strings.Builder
	for ; len(address) > 0; address = address[4:] {
		fmt.Fprintf(&text, "%08X", binary.NativeEndian.Uint32(address))
	}
	fmt.Fprintf(&text, ":%04X", end.Port())
	return text.String()
}

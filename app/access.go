package app

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// checkLocalAccess refuses to serve with the local access rule where others reach the
// listener: a name such as localhost can stand for any address.
func checkLocalAccess(cfg Config, addr net.Addr) error {
	tcp, is := addr.(*net.TCPAddr)
	if !cfg.LocalAccess || is && tcp.IP.IsLoopback() {
		return nil
	}
	return fmt.Errorf("LISTEN is %q, which is %s and not this machine's own loopback address, while LOCAL_ACCESS is on: listen on 127.0.0.1 or [::1], or set LOCAL_ACCESS to false", cfg.Listen, addr)
}

// LogAccess says what is open to whom.
func LogAccess(cfg Config, addr net.Addr, log *slog.Logger) {
	log.Info("access", slog.String("without_credentials", openToAll(addr)), slog.String("this_machine", openToMachine(cfg)), slog.String("sign_in", openToSignIn(cfg)),
		slog.String("trusted_proxies", trustedProxies(cfg)))
}

func openToAll(addr net.Addr) string {
	return fmt.Sprintf("who reaches %s sees the network's totals, health and the API's description", addr)
}

func openToMachine(cfg Config) string {
	const all = " may read every wallet, send reports and read /metrics"
	switch {
	case !cfg.LocalAccess:
		return "nothing more (LOCAL_ACCESS is off)"
	case strings.HasPrefix(cfg.PublicURL, "http://") && isLoopbackURL(cfg.PublicURL):
		return "programs of every user" + all
	}
	own := "user " + strconv.Itoa(os.Geteuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		own = u.Username
	}
	if own != "root" {
		own += " and root"
	}
	return "programs of " + own + all + ", at a loopback address and not through a proxy"
}

func openToSignIn(cfg Config) string {
	if cfg.PublicURL == "" {
		return "at this machine's loopback address only (PUBLIC_URL is not set)"
	}
	return "at " + cfg.PublicURL
}

func trustedProxies(cfg Config) string {
	if len(cfg.TrustedProxies) == 0 {
		return "none"
	}
	texts := make([]string, len(cfg.TrustedProxies))
	for i, p := range cfg.TrustedProxies {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

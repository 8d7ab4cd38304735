package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// The local access rule: a request is local if it comes from loopback, names a loopback
// host (another name is DNS rebinding), passed no proxy, and was sent by a program of the
// server's own user or of root. Who may do what with it is decided in access.go.

// localOnlyMessage tells who is refused an operator's page.
const localOnlyMessage = "This page answers programs on the server's own machine only, while LOCAL_ACCESS is on. Ask for it at a loopback address, not through a proxy, as the user that runs the server or as root."

// forwardingHeaders are what proxies, load balancers and tunnels add to the requests that
// they forward, in lower case with dashes. One of them ends locality, whatever its value.
var forwardingHeaders = map[string]bool{
	"via":                   true, // RFC 9110
	"max-forwards":          true, // RFC 9110; Azure App Service
	"early-data":            true, // RFC 8470
	"cdn-loop":              true, // RFC 8586
	"surrogate-capability":  true, // Edge Architecture Specification
	"client-ip":             true, // Azure App Service, Squid
	"x-clientip":            true,
	"x-client-ip":           true,
	"x-client-port":         true,
	"x-client-proto":        true,
	"x-client-dn":           true,
	"x-client-verify":       true,
	"x-scheme":              true, // ingress-nginx
	"x-url-scheme":          true,
	"url-scheme":            true,
	"front-end-https":       true, // IIS, Squid
	"x-host":                true,
	"x-rewrite-url":         true, // IIS
	"x-request-start":       true, // Heroku, New Relic
	"x-queue-start":         true,
	"x-cloud-trace-context": true, // Google Cloud
	"disguised-host":        true, // Azure App Service
	"was-default-hostname":  true, // Azure App Service
	"x-site-deployment-id":  true, // Azure App Service
	"do-connecting-ip":      true, // DigitalOcean
	"rndr-id":               true, // Render
	"x-coming-from":         true,
	"x-imforwards":          true,
	"x-varnish":             true,
	"x-traffic-policy":      true,
}

// forwardingPrefixes begin whole families of such headers.
var forwardingPrefixes = []string{
	"forward", "x-forward", "x-my-forward", "z-forward", // RFC 7239 and X-Forwarded-For, -Host, -Proto, -Port, -Server, -Prefix, -By, -User …
	"x-real-",                   // nginx: X-Real-IP
	"x-original-", "x-originat", // ingress-nginx, Envoy, Azure Application Gateway: X-Original-Host; X-Originating-IP
	"x-remote-", "remote-", // X-Remote-Addr; Authelia: Remote-User
	"true-client-",      // Akamai, Cloudflare
	"x-cluster-",        // Rackspace, Riverbed: X-Cluster-Client-IP
	"proxy-", "x-proxy", // Proxy-Connection, X-ProxyUser-Ip
	"cf-", "x-cf-", // Cloudflare: CF-Connecting-IP, CF-RAY
	"fastly-", "x-fastly-", // Fastly-Client-IP
	"fly-",                        // Fly.io
	"x-azure-", "x-fd-", "x-arr-", // Azure Front Door and App Service
	"x-waws-", "x-appservice-", "x-ms-client-", // Azure App Service
	"x-amzn-", "x-amz-", "cloudfront-", // Amazon
	"x-appengine-", "x-goog-", "x-serverless-", // Google
	"x-envoy-", "x-istio-", "l5d-", // Envoy, Linkerd
	"x-traefik-", "x-haproxy-", "x-nginx-", "x-accel-",
	"x-kong-", "kong-", "x-consumer-", "x-credential-", // Kong
	"ngrok-", "x-ngrok-", "tailscale-", "x-tailscale-", "x-pinggy-", "x-inlets-", "x-zrok-", "x-tunnel-", // tunnels
	"x-akamai-", "akamai-", "incap-", "x-sucuri-", "x-vercel-", "x-nf-", "x-bunny-", "x-heroku-", "x-railway-", "x-edge-", "x-zscaler-", "x-bluecoat-",
	"x-ssl-", "ssl-client-", "x-client-cert", // what ends TLS
	"x-auth-request-", "x-authentik-", "x-webauth-", "x-pomerium-", "x-vouch-", // what signs people in
	"x-gateway-", "x-ingress-", "x-upstream-",
}

// wasForwarded reports whether a request's headers have a trace of a proxy: the name
// counts, on whichever line, also where its value is empty.
func wasForwarded(h http.Header) bool {
	for name := range h {
		name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
		if forwardingHeaders[name] || slices.ContainsFunc(forwardingPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			return true
		}
	}
	return false
}

// seemsLocal reports whether a request looks like one of this machine's own: all of the
// local access rule but whose program sent it.
func (s *Server) seemsLocal(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := peer.Addr().Unmap()
	if !ip.IsLoopback() || slices.ContainsFunc(s.trustedProxies, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return false
	}
	return isLoopbackHost(r.Host) && !wasForwarded(r.Header)
}

// isLocal reports whether the local access rule holds for a request.
func (s *Server) isLocal(r *http.Request) bool { return s.seemsLocal(r) && s.isOwnPeer(r) }

// isLoopbackHost reports whether a Host header, with or without a port, names this machine.
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

//go:build linux

package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
)

// front stands before a node as a provider's proxy does: it passes requests on, or answers
// in the node's place.
type front struct {
	node   *devchain.Node
	server *http.Server
	relay  *relay // between the program and the front
	url    string
	served atomic.Int64 // requests

	mu       sync.Mutex
	instead  http.HandlerFunc // nil: the node answers
	rewrite  func(method string, answer json.RawMessage) json.RawMessage
	chain    tls.Certificate // that is shown, with TLS
	elsewhen *tls.Certificate
}

// newFront serves a node. With a certificate authority it speaks TLS.
func newFront(node *devchain.Node, ca *authority) (*front, error) {
	f := &front{node: node}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen before a node: %w", err)
	}
	quiet := log.New(io.Discard, "", 0) // clients that refuse a certificate are what is wanted
	f.server = &http.Server{Handler: f, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet}
	scheme := "http"
	if ca != nil {
		scheme = "https"
		if f.chain, err = ca.issue(time.Now().Add(24 * time.Hour)); err != nil {
			return nil, err
		}
		f.server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.elsewhen != nil {
				return f.elsewhen, nil
			}
			return &f.chain, nil
		}}
		f.server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){} // websockets need HTTP/1.1
		go func() { _ = f.server.ServeTLS(l, "", "") }()
	} else {
		go func() { _ = f.server.Serve(l) }()
	}
	if f.relay, err = newRelay(l.Addr().String()); err != nil {
		return nil, err
	}
	f.url = scheme + "://" + f.relay.address()
	return f, nil
}

// answerInstead makes h answer in the node's place; nil lets the node answer again.
func (f *front) answerInstead(h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instead = h
}

// showCertificate shows another certificate in new connections; nil shows the good one.
func (f *front) showCertificate(c *tls.Certificate) {
	f.mu.Lock()
	f.elsewhen = c
	f.mu.Unlock()
	f.relay.cut(false)
}

// rewriteAnswers changes each single answer of the node on its way; nil leaves them alone.
func (f *front) rewriteAnswers(r func(method string, answer json.RawMessage) json.RawMessage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rewrite = r
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.served.Add(1)
	f.mu.Lock()
	instead, rewrite := f.instead, f.rewrite
	f.mu.Unlock()
	switch {
	case instead != nil:
		instead(w, r)
	case rewrite != nil && r.Method == http.MethodPost:
		f.rewritten(w, r, rewrite)
	default:
		f.node.ServeHTTP(w, r)
	}
}

// rewritten asks the node and changes its answers.
func (f *front) rewritten(w http.ResponseWriter, r *http.Request, change func(string, json.RawMessage) json.RawMessage) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := &kept{header: http.Header{}, status: http.StatusOK}
	f.node.ServeHTTP(answer, r)
	methods := map[string]string{}
	for _, q := range many(body) {
		methods[string(q.ID)] = q.Method
	}
	answers := many(answer.body.Bytes())
	for i := range answers {
		if answers[i].Result != nil {
			answers[i].Result = change(methods[string(answers[i].ID)], answers[i].Result)
		}
	}
	var out any = answers
	if len(answers) == 1 && !bytes.HasPrefix(bytes.TrimSpace(answer.body.Bytes()), []byte("[")) {
		out = answers[0]
	}
	b, err := json.Marshal(out)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(answer.status)
	_, _ = w.Write(b)
}

// message is a request or an answer of JSON-RPC.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

// many reads one message or a list of them; what is neither has none.
func many(body []byte) []message {
	var list []message
	if json.Unmarshal(body, &list) == nil {
		return list
	}
	var one message
	if json.Unmarshal(body, &one) != nil {
		return nil
	}
	return []message{one}
}

// kept is an answer that is kept instead of sent.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) WriteHeader(status int)      { k.status = status }
func (k *kept) Write(b []byte) (int, error) { return k.body.Write(b) }

func (f *front) close() {
	f.relay.close()
	_ = f.server.Close()
	f.node.DropSockets()
}

// authority issues certificates for 127.0.0.1.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	path string // of its certificate
}

func newAuthority(path string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "faults"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	if t, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("make an authority: %w", err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return nil, fmt.Errorf("write an authority's certificate: %w", err)
	}
	return &authority{key: key, cert: t, path: path}, nil
}

// issue makes a certificate that is good until a time, which may have passed.
func (a *authority) issue(until time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "node"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("issue a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// status answers every request with a status and a body.
func status(code int, contentType, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.Copy(w, strings.NewReader(body))
	}
}

// hostURL is a URL of a host under a name.
func hostURL(raw, name string) string { return strings.Replace(raw, "127.0.0.1", name, 1) }

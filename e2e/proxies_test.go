package e2e

import (
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// proxySetup is a proxy with a configuration that people have.
type proxySetup struct {
	name   string
	kind   string // nginx, haproxy or caddy
	lines  string // of its configuration, where it forwards; SERVER stands for the server's address
	asRoot bool   // its workers are root's, as in some containers
}

// proxySetups are the proxies in their default and in careless configurations.
var proxySetups = []proxySetup{
	{name: "nginx, bare proxy_pass", kind: "nginx", lines: "proxy_pass http://SERVER;"},
	{name: "nginx, Debian's proxy_params", kind: "nginx", lines: "proxy_pass http://SERVER; include PARAMS;"},
	{name: "nginx, Host handed on", kind: "nginx", lines: "proxy_pass http://SERVER; proxy_set_header Host $http_host;"},
	{name: "nginx, Host localhost", kind: "nginx", lines: "proxy_pass http://SERVER; proxy_set_header Host localhost;"},
	{name: "nginx, forwarding headers cleared", kind: "nginx", lines: `proxy_pass http://SERVER; proxy_set_header X-Forwarded-For ""; proxy_set_header Via "";`},
	{name: "nginx, kept-alive connections", kind: "nginx", lines: `proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host localhost;`},
	{name: "HAProxy, mode http", kind: "haproxy"},
	{name: "HAProxy, option forwardfor", kind: "haproxy", lines: "option forwardfor"},
	{name: "HAProxy, forwardfor if-none", kind: "haproxy", lines: "option forwardfor if-none"},
	{name: "HAProxy, Host localhost", kind: "haproxy", lines: "http-request set-header Host localhost"},
	{name: "HAProxy, forwarding headers deleted", kind: "haproxy", lines: "option forwardfor\nhttp-request del-header x-forwarded-for"},
	{name: "HAProxy, mode tcp", kind: "haproxy", lines: "mode tcp"},
	{name: "Caddy, reverse_proxy", kind: "caddy"},
	{name: "Caddy, Host localhost", kind: "caddy", lines: "header_up Host localhost"},
	{name: "Caddy, forwarding headers removed", kind: "caddy", lines: "header_up -X-Forwarded-For\nheader_up -X-Forwarded-Proto\nheader_up -X-Forwarded-Host\nheader_up -Via"},
}

// proxyPrograms are where the proxies are: unpacked in the project's cache, or installed.
type proxyPrograms struct {
	path      map[string]string
	libraries string // folders, in the form of LD_LIBRARY_PATH
	params    string // Debian's proxy_params of nginx
}

// findProxies copies what is in the project's cache to where the proxies' users may read it.
var findProxies = sync.OnceValues(func() (proxyPrograms, error) {
	p := proxyPrograms{path: map[string]string{}, params: "/etc/nginx/proxy_params"}
	dir, err := shared()
	if err != nil {
		return p, err
	}
	cache, err := filepath.Abs("../.cache/proxies/root")
	if err != nil {
		return p, err
	}
	root := filepath.Join(dir, "proxies")
	for _, part := range []string{"usr/sbin", "usr/bin", "usr/lib", "etc/nginx"} {
		if err := os.CopyFS(filepath.Join(root, part), os.DirFS(filepath.Join(cache, part))); err != nil && !os.IsNotExist(err) {
			return p, err
		}
	}
	if _, err := os.Stat(filepath.Join(root, "etc/nginx/proxy_params")); err == nil {
		p.params = filepath.Join(root, "etc/nginx/proxy_params")
	}
	libraries, err := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu*"))
	if err != nil {
		return p, err
	}
	p.libraries = strings.Join(libraries, ":")
	for _, name := range []string{"nginx", "haproxy", "caddy"} {
		for _, candidate := range []string{filepath.Join(root, "usr/sbin", name), filepath.Join(root, "usr/bin", name), "/usr/sbin/" + name, name} {
			if path, err := exec.LookPath(candidate); err == nil {
				p.path[name] = path
				break
			}
		}
		if p.path[name] == "" {
			return p, fmt.Errorf("%w: %s: run 'make proxies', or install it", fs.ErrNotExist, name)
		}
	}
	return p, nil
})

// proxyUser is who the proxies' workers run as. Debian's nginx has it.
const proxyUser = "www-data"

// proxy puts a proxy before a server and returns the URL at which it listens.
func (s proxySetup) proxy(t *testing.T, to server) string {
	t.Helper()
	programs, err := findProxies()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "proxy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	listen := freeAddress(t)
	config := filepath.Join(dir, "config")
	if err := os.WriteFile(config, []byte(s.config(dir, listen, to.address, programs.params)), 0o644); err != nil {
		t.Fatal(err)
	}
	user, command := "root", []string{programs.path[s.kind]}
	switch s.kind {
	case "nginx":
		command = append(command, "-p", dir, "-c", config, "-e", "stderr")
	case "haproxy":
		command = append(command, "-db", "-f", config)
	case "caddy":
		user = proxyUser // its service starts it so
		command = append(command, "run", "--adapter", "caddyfile", "--config", config)
	}
	p := start(t, user, []string{"LD_LIBRARY_PATH=" + programs.libraries, "HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}, command...)
	p.eventually(t, s.name+" handing requests on", func() bool {
		code, _ := answer(t, http.MethodGet, "http://"+listen+"/health/live", "", "", nil)
		return code == http.StatusOK
	})
	return "http://" + listen
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// config writes a proxy's configuration as Debian's packages arrange it, but for the files.
func (s proxySetup) config(dir, listen, to, params string) string {
	worker := proxyUser
	if s.asRoot {
		worker = "root"
	}
	var text string
	switch s.kind {
	case "nginx":
		text = `user WORKER; daemon off; pid DIR/nginx.pid; worker_processes 1; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi; uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
	upstream up { server SERVER; keepalive 4; }
	server { listen LISTEN; location / { LINES } }
}
`
	case "haproxy":
		text = `global
	user WORKER
	group WORKER
defaults
	mode http
	timeout connect 5s
	timeout client 50s
	timeout server 50s
listen site
	bind LISTEN
	LINES
	server one SERVER
`
	case "caddy":
		text = `{
	admin off
	auto_https off
}
http://:PORT {
	bind 127.0.0.1
	reverse_proxy SERVER {
		LINES
	}
}
`
	}
	_, port, _ := strings.Cut(listen, ":")
	text = strings.ReplaceAll(text, "LINES", s.lines)
	return strings.NewReplacer("WORKER", worker, "DIR", dir, "LISTEN", listen, "PORT", port, "SERVER", to, "PARAMS", params).Replace(text)
}

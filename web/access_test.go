package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestLocalAccessRule(t *testing.T) {
	for name, c := range map[string]struct {
		peer, host string
		header     [2]string
		want       bool
	}{
		"loopback":                  {peer: "127.0.0.1:5000", host: "localhost:3030", want: true},
		"loopback by number":        {peer: "127.0.0.1:5000", host: "127.0.0.1:3030", want: true},
		"another loopback":          {peer: "127.8.8.8:5000", host: "127.0.0.1", want: true},
		"ipv6":                      {peer: "[::1]:5000", host: "[::1]:3030", want: true},
		"ipv6 without port":         {peer: "[::1]:5000", host: "[::1]", want: true},
		"mapped ipv4":               {peer: "[::ffff:127.0.0.1]:5000", host: "localhost", want: true},
		"mapped ipv4 host":          {peer: "127.0.0.1:5000", host: "[::ffff:127.0.0.1]:3030", want: true},
		"rebound name":              {peer: "127.0.0.1:5000", host: "evil.example:3030"},
		"localhost as a prefix":     {peer: "127.0.0.1:5000", host: "localhost.evil.example"},
		"loopback as a prefix":      {peer: "127.0.0.1:5000", host: "127.0.0.1.evil.example"},
		"empty host":                {peer: "127.0.0.1:5000", host: ""},
		"another machine":           {peer: "192.168.1.9:5000", host: "localhost:3030"},
		"another machine, mapped":   {peer: "[::ffff:192.168.1.9]:5000", host: "localhost:3030"},
		"forwarded for":             {peer: "127.0.0.1:5000", host: "localhost", header: [2]string{"X-Forwarded-For", "127.0.0.1"}},
		"forwarded":                 {peer: "127.0.0.1:5000", host: "localhost", header: [2]string{"Forwarded", "for=127.0.0.1"}},
		"real ip":                   {peer: "127.0.0.1:5000", host: "localhost", header: [2]string{"X-Real-IP", "127.0.0.1"}},
		"via":                       {peer: "127.0.0.1:5000", host: "localhost", header: [2]string{"Via", "1.1 proxy"}},
		"peer that is no address":   {peer: "@", host: "localhost"},
		"all interfaces is no host": {peer: "127.0.0.1:5000", host: "0.0.0.0:3030"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Host = c.peer, c.host
			if c.header[0] != "" {
				r.Header.Set(c.header[0], c.header[1])
			}
			if got := isLocal(r); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

package app

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

func load(t *testing.T, env map[string]string, args ...string) (Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	c, _, err := LoadConfig(args, func(k string) string { return env[k] }, io.Discard)
	return c, err
}

func TestConfigDefaults(t *testing.T) {
	c, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:3030" || !c.LocalAccess || c.Network.Name != "sepolia" || c.Contracts.ProverStaking == "" || len(c.StarknetRPC) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestFlagsOverrideEnvironmentOverridesDotenv(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte("LISTEN=127.0.0.1:1\nLOG_LEVEL=debug\nVALIDATOR_ADDRESS=0x7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"LISTEN": "127.0.0.1:2", "LOG_LEVEL": "warn"}
	c, _, err := LoadConfig([]string{"--listen", "127.0.0.1:3"}, func(k string) string { return env[k] }, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:3" || c.LogLevel.String() != "WARN" || !strings.HasSuffix(string(c.ValidatorAddress), "7") {
		t.Errorf("%+v", c)
	}
}

func TestAWrongValueNamesTheVariableTheValueAndWhatIsRight(t *testing.T) {
	for name, c := range map[string]struct {
		env   map[string]string
		words []string
	}{
		"port":           {map[string]string{"LISTEN": "127.0.0.1:http"}, []string{"LISTEN", "127.0.0.1:http", "0 to 65535"}},
		"listen":         {map[string]string{"LISTEN": "3030"}, []string{"LISTEN", `"3030"`, "host:port"}},
		"network":        {map[string]string{"NETWORK": "goerli"}, []string{"NETWORK", "goerli", "sepolia"}},
		"address":        {map[string]string{"VALIDATOR_ADDRESS": "0xzz"}, []string{"VALIDATOR_ADDRESS", "0xzz", "hex digit"}},
		"contract":       {map[string]string{"SAGE_TOKEN_ADDRESS": "12"}, []string{"SAGE_TOKEN_ADDRESS", "begin with 0x"}},
		"rpc":            {map[string]string{"STARKNET_RPC": "https://a.example,ftp://b"}, []string{"STARKNET_RPC", "entry 2", "http"}},
		"rpc socket":     {map[string]string{"STARKNET_RPC": "wss://a.example/hunter2"}, []string{"STARKNET_RPC", "entry 1", "STARKNET_WS"}},
		"socket":         {map[string]string{"STARKNET_WS": "wss://a.example,https://b.example/hunter2"}, []string{"STARKNET_WS", "entry 2", "wss URL"}},
		"local":          {map[string]string{"LOCAL_ACCESS": "maybe"}, []string{"LOCAL_ACCESS", "maybe", "true or false"}},
		"local abroad":   {map[string]string{"LOCAL_ACCESS": "true", "LISTEN": "0.0.0.0:3030"}, []string{"LOCAL_ACCESS", "0.0.0.0:3030"}},
		"local on all":   {map[string]string{"LOCAL_ACCESS": "true", "LISTEN": ":3030"}, []string{"LOCAL_ACCESS"}},
		"public url":     {map[string]string{"PUBLIC_URL": "example.org/x"}, []string{"PUBLIC_URL", "origin"}},
		"interval":       {map[string]string{"HEARTBEAT_INTERVAL": "61m"}, []string{"HEARTBEAT_INTERVAL", "61m", "1m to 60m"}},
		"seconds":        {map[string]string{"HEARTBEAT_INTERVAL": "90s"}, []string{"HEARTBEAT_INTERVAL", "90s", "whole minutes"}},
		"drain time":     {map[string]string{"DRAIN_TIME": "11m"}, []string{"DRAIN_TIME", "11m", "0s to 10m"}},
		"log level":      {map[string]string{"LOG_LEVEL": "loud"}, []string{"LOG_LEVEL", "loud", "debug, info, warn or error"}},
		"database url":   {map[string]string{"DATABASE_URL": "mysql://u:hunter2@h/d"}, []string{"DATABASE_URL", "postgres://"}},
		"direct alone":   {map[string]string{"DATABASE_DIRECT_URL": "postgres://u:hunter2@h/d"}, []string{"DATABASE_DIRECT_URL", "needs DATABASE_URL"}},
		"direct url":     {map[string]string{"DATABASE_URL": "postgres://h/d", "DATABASE_DIRECT_URL": "mysql://u:hunter2@h/d"}, []string{"DATABASE_DIRECT_URL", "postgres://"}},
		"price url":      {map[string]string{"SAGE_PRICE_URL": "ftp://prices.example/?key=hunter2"}, []string{"SAGE_PRICE_URL", "http or https"}},
		"price path":     {map[string]string{"SAGE_PRICE_PATH": "sage.usd"}, []string{"SAGE_PRICE_PATH", "sage.usd", "JSON pointer"}},
		"price currency": {map[string]string{"SAGE_PRICE_URL": "https://prices.example/"}, []string{"SAGE_PRICE_CURRENCY", "such as EUR"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.env)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q lacks %q", err, w)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q tells the password", err)
			}
		})
	}
}

func TestWebsockets(t *testing.T) {
	c, err := load(t, map[string]string{"STARKNET_WS": "wss://a.example/v0_9, ws://127.0.0.1:6061"})
	if err != nil || c.PollHeads || fmt.Sprint(c.StarknetWS) != "[wss://a.example/v0_9 ws://127.0.0.1:6061]" {
		t.Errorf("%v %v, error %v", c.StarknetWS, c.PollHeads, err)
	}
	if c, err = load(t, map[string]string{"STARKNET_WS": "off"}); err != nil || !c.PollHeads || c.StarknetWS != nil {
		t.Errorf("off is %v %v, error %v", c.StarknetWS, c.PollHeads, err)
	}
	if c, err = load(t, nil); err != nil || c.PollHeads || c.StarknetWS != nil {
		t.Errorf("empty is %v %v, error %v", c.StarknetWS, c.PollHeads, err)
	}
}

func TestTrustedProxies(t *testing.T) {
	c, err := load(t, map[string]string{"TRUSTED_PROXIES": "10.0.0.5, 10.1.2.3/16,2001:db8::/32"})
	if err != nil || fmt.Sprint(c.TrustedProxies) != "[10.0.0.5/32 10.1.0.0/16 2001:db8::/32]" {
		t.Errorf("%v, %v", c.TrustedProxies, err)
	}
	for _, wrong := range []string{"proxy.example", "10.0.0.0/33", "0.0.0.0/0", "::/0", "10.0.0.1,,10.0.0.2", "fe80::1%eth0"} {
		if _, err := load(t, map[string]string{"TRUSTED_PROXIES": wrong}); err == nil || !strings.Contains(err.Error(), "TRUSTED_PROXIES is") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestLocalAccessIsOffAwayFromLoopback(t *testing.T) {
	for listen, want := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, "127.9.9.9:1": true, "[::ffff:127.0.0.1]:1": true, "0.0.0.0:1": false, ":1": false, "192.168.1.2:1": false, "[::]:1": false} {
		c, err := load(t, map[string]string{"LISTEN": listen})
		if err != nil || c.LocalAccess != want {
			t.Errorf("%s: %v, %v", listen, c.LocalAccess, err)
		}
	}
}

func TestLocalAccessIsOffWherePublicURLNamesAnotherHost(t *testing.T) {
	for publicURL, want := range map[string]bool{"": true, "http://localhost:3030": true, "http://127.0.0.1:3030": true, "http://[::1]:3030": true, "https://validators.example": false, "http://localhost.example": false, "http://192.168.1.2:3030": false} {
		c, err := load(t, map[string]string{"PUBLIC_URL": publicURL})
		if err != nil || c.LocalAccess != want {
			t.Errorf("%s: %v, %v", publicURL, c.LocalAccess, err)
		}
	}
	if c, err := load(t, map[string]string{"PUBLIC_URL": "https://validators.example", "LOCAL_ACCESS": "true"}); err != nil || !c.LocalAccess {
		t.Errorf("asked for: %v, %v", c.LocalAccess, err)
	}
	for _, listen := range []string{":3030", "0.0.0.0:3030", "192.168.1.2:3030"} {
		if _, err := load(t, map[string]string{"LISTEN": listen, "LOCAL_ACCESS": "true"}); err == nil || !strings.Contains(err.Error(), "LOCAL_ACCESS is") {
			t.Errorf("LOCAL_ACCESS=true with LISTEN=%s: %v", listen, err)
		}
	}
}

// TestANameThatIsNotLoopbackStopsTheStart has a listener whose name leads elsewhere than it says.
func TestANameThatIsNotLoopbackStopsTheStart(t *testing.T) {
	elsewhere := &net.TCPAddr{IP: net.IPv4(192, 168, 1, 2), Port: 3030}
	if err := checkLocalAccess(Config{Listen: "localhost:3030", LocalAccess: true}, elsewhere); err == nil || !strings.Contains(err.Error(), "LISTEN is") {
		t.Errorf("with LOCAL_ACCESS: %v", err)
	}
	for name, c := range map[string]struct {
		local bool
		addr  net.Addr
	}{"without LOCAL_ACCESS": {false, elsewhere}, "on loopback": {true, &net.TCPAddr{IP: net.IPv6loopback}}} {
		if err := checkLocalAccess(Config{Listen: "localhost:3030", LocalAccess: c.local}, c.addr); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadmeListsEverySetting(t *testing.T) {
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings() {
		row := "| " + s.name + " | " + strings.TrimSpace(s.def+" | "+s.help) + " |"
		if s.def == "" {
			row = "| " + s.name + " | | " + s.help + " |"
		}
		if !strings.Contains(string(b), row+"\n") {
			t.Errorf("README lacks the row %s", row)
		}
	}
}

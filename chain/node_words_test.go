package chain

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNodeWordsHoldNoKeysAndNoControls(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "",
		"  Batch  size\ttoo large.\r\n": "Batch size too large",
		"see https://rpc.example.org/v2/abcdef?key=1 for more":                      "see … for more",
		"wss://user:pass@rpc.example.org/":                                          "…",
		"apikey=abc123 is over its quota":                                           "… is over its quota",
		"API key: abc123":                                                           "…",
		"Bearer token=xyz; slow down":                                               "Bearer … slow down",
		"project 0123456789abcdef0123456789abcdef is over its limit":                "project … is over its limit",
		"starknet_getBlockWithReceipts is not served":                               "starknet_getBlockWithReceipts is not served",
		"too_many_requests_per_second_for_this_plan":                                "too_many_requests_per_second_for_this_plan",
		"\x1b[31mred\x1b[0m \u202egnihton\u200b":                                    "[31mred[0m gnihton",
		"<html><body>\n<h1>413 Request Entity Too Large</h1>":                       "<html><body> <h1>413 Request Entity Too Large</h1>",
		"\xff\xfe broken":                                                           "broken",
		"0x049d36570d4e46f48e99674bd3fcc84644ddd6b96f7c741b1562b82f9e004dc7 is bad": "0x049d36570d4e46f48e99674bd3fcc84644ddd6b96f7c741b1562b82f9e004dc7 is bad",
	} {
		if got := nodeWords(in); got != want {
			t.Errorf("nodeWords(%q) is %q, want %q", in, got, want)
		}
	}
	long := nodeWords(strings.Repeat("größer als erlaubt ", 1<<16))
	if len(long) > maxNodeWords+len("…") || !utf8.ValidString(long) || !strings.HasSuffix(long, "…") {
		t.Errorf("a long text becomes %d bytes: %q", len(long), long)
	}
}

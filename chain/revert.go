package chain

import (
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
)

// maxRevertWords bounds the text of a contract that is shown to people.
const maxRevertWords = 120

var (
	// bracketed is how nodes write a panic's short string after its hex:
	// 0x4e6f… ('No rewards to claim'). Longer texts stand in double quotes.
	bracketed = regexp.MustCompile(`\('([^'\n]{1,200})'\)`)
	quoted    = regexp.MustCompile(`\\?"([^"\\\n]{3,200})\\?"`)
	hexWord   = regexp.MustCompile(`0x[0-9a-fA-F]{6,62}\b`)
	reasonFor = regexp.MustCompile(`(?i)failure reason:?`)
)

// frames are texts that say where a call failed, not why.
var frames = []string{
	"ENTRYPOINT_FAILED", "argent/multicall-failed", "argent/multicall-failed ", "multicall-failed",
	"contract_address", "class_hash", "selector", "error", "revert_error", "revert_reason", "execution_error",
}

// revertWords reduces what a node says of a reverted call to the contract's own words, the
// innermost: "No rewards to claim". It returns "" if there are none.
func revertWords(s string) string {
	candidates := submatches(bracketed, s)
	if len(candidates) == 0 {
		tail := s // of starknet-devnet: the felts of the panic alone
		if at := reasonFor.FindAllStringIndex(s, -1); at != nil {
			tail = s[at[len(at)-1][1]:]
			candidates = append(candidates, submatches(quoted, tail)...)
		}
		for _, h := range hexWord.FindAllString(tail, -1) {
			candidates = append(candidates, hexText(h))
		}
	}
	if len(candidates) == 0 && !strings.Contains(s, "0x") {
		candidates = []string{strings.Trim(s, "\" \n")} // a plain sentence of the node
	}
	for _, c := range candidates {
		c = strings.TrimSpace(c)
		if c == "" || slices.Contains(frames, c) || !printable(c) {
			continue
		}
		if len(c) > maxRevertWords {
			c = c[:maxRevertWords] + "…"
		}
		return c
	}
	return ""
}

func submatches(re *regexp.Regexp, s string) []string {
	var out []string
	for _, m := range re.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	return out
}

// hexText reads a felt in hex as the text it packs, and "" if it packs none.
func hexText(h string) string {
	digits := h[2:]
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return ""
	}
	return string(b)
}

// printable says whether a text is ASCII that can stand on a page.
func printable(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}

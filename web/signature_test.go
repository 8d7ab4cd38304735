package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestWhatIsNoSignatureIsSaid in words of its own, by a type that the sign-in page has words
// for, and it neither signs in nor uses the message up.
func TestWhatIsNoSignatureIsSaid(t *testing.T) {
	d := newDoor(t)
	w := d.wallet("signer")
	m := d.ask(d.server, w)
	many := jsonOf(slices.Repeat([]string{"0x1"}, chain.MaxSignatureFelts+1))
	const unsigned, odd = "/signin#no-signature", "/signin#wallet-answer"
	for signature, want := range map[string]struct{ kind, words string }{
		"":                                      {unsigned, "The signature is empty: the wallet signed nothing."},
		"null":                                  {unsigned, "The signature is empty"},
		"[]":                                    {unsigned, "The signature is empty"},
		`""`:                                    {unsigned, "The signature is empty"},
		`{"r":"0x1","s":"0x2"}`:                 {odd, "not a JSON object: {r, s} is written as [r, s]"},
		`{"result":["0x1","0x2"]}`:              {odd, "not a JSON object"},
		`"0x1,0x2"`:                             {odd, "not a JSON text"},
		"12":                                    {odd, "not a JSON number"},
		"true":                                  {odd, "not a JSON boolean"},
		"[1,2]":                                 {odd, "body.signature[0] is a JSON number, which loses digits"},
		`["0x1",{"low":"0x1"}]`:                 {odd, "body.signature[1] is a JSON object"},
		`[["0x1","0x2"]]`:                       {odd, "body.signature[0] is a JSON list"},
		`["0x1",null]`:                          {odd, "body.signature[1] is a JSON null"},
		`["123456789","0x2"]`:                   {odd, "body.signature[0] is a decimal number: write it as 0x and hex digits"},
		`["0x1","1f"]`:                          {odd, "body.signature[1] lacks 0x before its hex digits"},
		`["0x1","two"]`:                         {odd, "body.signature[1] is not a felt: it must begin with 0x"},
		`["0x1",""]`:                            {odd, "body.signature[1] is not a felt"},
		`["0x` + strings.Repeat("f", 64) + `"]`: {odd, "body.signature[0] is not a felt: it must be below the field's prime"},
		`["0x` + strings.Repeat("1", 65) + `"]`: {odd, "body.signature[0] is not a felt: it must have 1 to 64 hex digits after 0x, this has 65"},
		many:                                    {odd, "must have 1 to 1024 felts, this has 1025"},
	} {
		forgive(t, d.server)
		member := ""
		if signature != "" {
			member = `,"signature":` + signature
		}
		name := signature[:min(len(signature), 40)]
		answer := postJSON(d.server, doorOrigin, "/signin", `{"nonce":"`+m.Nonce+`"`+member+`}`)
		d.refused(name, answer, http.StatusBadRequest, want.kind)
		var p problem
		if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil || !strings.Contains(p.Detail, want.words) || len(p.Errors) != 1 || !strings.HasPrefix(p.Errors[0].Field, "body.signature") {
			t.Errorf("%s: %s lacks %q", name, answer.Body, want.words)
		}
	}
	forgive(t, d.server)
	if got := postJSON(d.server, doorOrigin, "/signin", jsonOf(d.proofOf(w, m))); got.Code != http.StatusOK {
		t.Errorf("the message is used up: %d %s", got.Code, got.Body)
	}
}

// The longest signature that is taken is whole at the account's contract.
func TestAChangedFeltOfALongSignatureIsNoticed(t *testing.T) {
	d := newDoor(t)
	w := d.passkey("passkeys", chain.MaxSignatureFelts)
	for _, i := range []int{4, 500, chain.MaxSignatureFelts - 3} {
		forgive(t, d.server)
		p := d.proofOf(w, d.ask(d.server, w)).changed(t, func(felts []string) []string {
			felts[i] = "0x1"
			return felts
		})
		d.refused("a changed felt", postJSON(d.server, doorOrigin, "/signin", jsonOf(p)), http.StatusForbidden, "/signin#invalid")
	}
}

// Whatever is sent as a signature, it is refused or handed on felt by felt.
func FuzzParseSignature(f *testing.F) {
	for _, s := range []string{
		`["0x162a154bdbb432c0708e4caaaa5646ed8881ea5b7b47cc39c88a5d46df9b9c8","0x318af0e4a090b80a862405955c75d6f92c8af842f18a1f529b5b76e0d69e763"]`,
		`["0X1","0x0000000000000000000000000000000000000000000000000000000000000000"," 0x1"]`, `[]`, `null`, `{"r":"0x1"}`, `[1]`, `"x"`, `["1f"]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if !json.Valid([]byte(body)) {
			return
		}
		signature, err := parseSignature(json.RawMessage(body))
		if err != nil {
			if p := problemOf(err); p.Status != http.StatusBadRequest || p.Type == "about:blank" {
				t.Errorf("%s: %v", body, err)
			}
			return
		}
		var texts []string
		if err := json.Unmarshal([]byte(body), &texts); err != nil || len(signature) != len(texts) || len(texts) == 0 || len(texts) > chain.MaxSignatureFelts {
			t.Fatalf("%d felts of %d: %v", len(signature), len(texts), err)
		}
		for i, felt := range signature {
			again, err := validator.ParseFelt(felt.Short())
			if err != nil || again != felt || !strings.HasSuffix(strings.ToLower(texts[i]), strings.TrimPrefix(felt.Short(), "0x")) {
				t.Errorf("%q became %s", texts[i], felt)
			}
		}
	})
}

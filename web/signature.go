package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// parseSignature reads a signature of any length that accounts have: a list of felts as text.
// The problem says what else it is.
func parseSignature(sent json.RawMessage) ([]validator.Felt, error) {
	const form = `a list of felts as text, such as ["0x1a", "0x2b"]`
	switch kind := jsonKind(sent); {
	case kind == "null", kind == "text" && string(sent) == `""`:
		return nil, unsigned()
	case kind == "object":
		return nil, badSignature("body.signature", "must be "+form+", not a JSON object: {r, s} is written as [r, s]")
	case kind != "list":
		return nil, badSignature("body.signature", "must be "+form+", not a JSON "+kind)
	}
	var felts []json.RawMessage
	if err := json.Unmarshal(sent, &felts); err != nil {
		return nil, badSignature("body.signature", "must be "+form)
	}
	if len(felts) == 0 {
		return nil, unsigned()
	}
	if len(felts) > chain.MaxSignatureFelts {
		return nil, badSignature("body.signature", fmt.Sprintf("must have 1 to %d felts, this has %d", chain.MaxSignatureFelts, len(felts)))
	}
	signature := make([]validator.Felt, len(felts))
	for i, f := range felts {
		felt, wrong := parseSignatureFelt(f)
		if wrong != "" {
			return nil, badSignature(fmt.Sprintf("body.signature[%d]", i), wrong)
		}
		signature[i] = felt
	}
	return signature, nil
}

// parseSignatureFelt reads one felt, or says what is wrong with it.
func parseSignatureFelt(sent json.RawMessage) (f validator.Felt, wrong string) {
	switch kind := jsonKind(sent); kind {
	case "text":
	case "number":
		return "", "is a JSON number, which loses digits: write it as text of 0x and hex digits"
	default:
		return "", "is a JSON " + kind + ": write each felt as text of 0x and hex digits"
	}
	var text string
	if err := json.Unmarshal(sent, &text); err != nil {
		return "", "must be text of 0x and hex digits"
	}
	f, err := validator.ParseFelt(text)
	switch {
	case err == nil:
		return f, ""
	case text != "" && strings.Trim(text, "0123456789") == "":
		return "", "is a decimal number: write it as 0x and hex digits"
	case text != "" && strings.Trim(strings.ToLower(text), "0123456789abcdef") == "":
		return "", "lacks 0x before its hex digits"
	}
	return "", "is " + err.Error()
}

// jsonKind names the kind of a JSON value that is well formed; nothing is null.
func jsonKind(value json.RawMessage) string {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return "null"
	}
	switch value[0] {
	case '[':
		return "list"
	case '{':
		return "object"
	case '"':
		return "text"
	case 'n':
		return "null"
	case 't', 'f':
		return "boolean"
	}
	return "number"
}

// unsigned refuses a sign-in without a signature.
func unsigned() *problem {
	p := signInProblem(http.StatusBadRequest, views.SignInUnsigned, "The signature is empty: the wallet signed nothing. Sign the message in the wallet, and send the 1 to "+strconv.Itoa(chain.MaxSignatureFelts)+" felts that it answers.")
	p.Errors = []fieldProblem{{Field: "body.signature", Rule: "must have at least one felt"}}
	return p
}

// badSignature refuses what is no signature.
func badSignature(field, rule string) *problem {
	p := signInProblem(http.StatusBadRequest, views.SignInAnswer, field+" "+rule)
	p.Errors = []fieldProblem{{Field: field, Rule: rule}}
	return p
}

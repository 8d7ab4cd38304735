package collect

import (
	"errors"
	"strconv"
	"strings"
)

// JSONPointer leads to a value in a JSON document (RFC 6901).
type JSONPointer []string

var errNotPointer = errors.New("it must be a JSON pointer, such as /sage/usd, or empty for the whole document")

// ParseJSONPointer reads a pointer; the error says what one looks like.
func ParseJSONPointer(s string) (JSONPointer, error) {
	if s == "" {
		return nil, nil
	}
	if s[0] != '/' {
		return nil, errNotPointer
	}
	tokens := strings.Split(s[1:], "/")
	for i, t := range tokens {
		if strings.Contains(strings.NewReplacer("~0", "", "~1", "").Replace(t), "~") {
			return nil, errNotPointer
		}
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens, nil
}

// find returns the value that the pointer leads to, and whether there is one. The document
// is as encoding/json decodes it.
func (p JSONPointer) find(document any) (any, bool) {
	for _, token := range p {
		switch v := document.(type) {
		case map[string]any:
			next, has := v[token]
			if !has {
				return nil, false
			}
			document = next
		case []any:
			i, err := strconv.ParseUint(token, 10, 31)
			if err != nil || len(token) > 1 && token[0] == '0' || i >= uint64(len(v)) {
				return nil, false
			}
			document = v[i]
		default:
			return nil, false
		}
	}
	return document, true
}

package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

// PostgreSQL stores every text but U+0000 and what is not UTF-8, in columns and in jsonb
// (https://www.postgresql.org/docs/current/datatype-character.html, datatype-json.html). A
// request with any other text is refused before it reaches the database, by the field.
const (
	textRule        = "must be UTF-8 text without the character U+0000"
	textDescription = "UTF-8 text without the character U+0000"
	textPattern     = `^[^\x00]*$`

	// longestParam bounds a parameter of a path or a query, in bytes. The longest that a page
	// of ours links to is the address to return to after a sign-in.
	longestParam = 2048

	// longestWord bounds a text of a report that states no bound of its own, in characters.
	longestWord = 256
)

// storable reports whether the database can keep a text.
func storable(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }

// checkParam refuses a parameter that no answer depends on: what the database cannot keep, or
// what is longer than any name that it has.
func checkParam(field, text string) error {
	switch {
	case !storable(text):
		return badField(field, textRule, nil)
	case len(text) > longestParam:
		return badField(field, fmt.Sprintf("must have at most %d bytes", longestParam), nil)
	}
	return nil
}

// checkTexts refuses requests whose path or query holds a text that the database cannot keep.
func (s *Server) checkTexts(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		for _, name := range c.ParamNames() {
			if err := checkParam("path."+name, pathParam(c, name)); err != nil {
				return err
			}
		}
		if err := checkValues("query.", c.QueryParams()); err != nil {
			return err
		}
		return next(c)
	}
}

// checkForm does for a form's fields what checkTexts does for a query.
func (s *Server) checkForm(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		kind, _, _ := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType)) // "" where there is none
		switch {
		case kind == echo.MIMEMultipartForm:
			return newProblem(http.StatusUnsupportedMediaType, "Send the form's fields as application/x-www-form-urlencoded.")
		case kind != echo.MIMEApplicationForm:
			return next(c)
		}
		if err := c.Request().ParseForm(); err != nil {
			p := newProblem(http.StatusBadRequest, "The form cannot be read. Send its fields as application/x-www-form-urlencoded.")
			p.cause = err
			return p
		}
		if err := checkValues("body.", c.Request().PostForm); err != nil {
			return err
		}
		return next(c)
	}
}

func checkValues(prefix string, values map[string][]string) error {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !storable(name) {
			return badField(prefix+strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", ""), ""), "has a name that is not text: names "+textRule, nil)
		}
		for _, text := range values[name] {
			if err := checkParam(prefix+name, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// refuseUnstorableTexts makes huma check every text of every request's body. It is called
// when all operations are registered.
func refuseUnstorableTexts(api *huma.OpenAPI) {
	seen := map[*huma.Schema]bool{}
	for _, item := range api.Paths {
		if op := item.Post; op != nil && op.RequestBody != nil {
			for _, media := range op.RequestBody.Content {
				refuseUnstorable(api, media.Schema, seen)
			}
		}
	}
}

func refuseUnstorable(api *huma.OpenAPI, schema *huma.Schema, seen map[*huma.Schema]bool) {
	if schema == nil || seen[schema] {
		return
	}
	seen[schema] = true
	if schema.Ref != "" {
		refuseUnstorable(api, api.Components.Schemas.SchemaFromRef(schema.Ref), seen)
		return
	}
	if schema.Type == huma.TypeString && schema.Pattern == "" && len(schema.Enum) == 0 {
		schema.Pattern, schema.PatternDescription = textPattern, textDescription
		if schema.MaxLength == nil { // an address, a hash or an amount
			most := longestWord
			schema.MaxLength = &most
		}
		schema.PrecomputeMessages()
	}
	refuseUnstorable(api, schema.Items, seen)
	for _, member := range schema.Properties {
		refuseUnstorable(api, member, seen)
	}
}

// storableJSON reads JSON as encoding/json does, except that a text which is not UTF-8, or
// that holds half of a surrogate pair, is not altered in silence: it comes out with U+0000 in
// it, which the check of its field refuses.
func storableJSON(format huma.Format) huma.Format {
	unmarshal := format.Unmarshal
	format.Unmarshal = func(data []byte, v any) error { return unmarshal(markUnstorable(data), v) }
	return format
}

// markUnstorable replaces what encoding/json would replace by U+FFFD with an escaped U+0000.
func markUnstorable(data []byte) []byte {
	if utf8.Valid(data) && !bytes.Contains(data, []byte(`\ud`)) && !bytes.Contains(data, []byte(`\uD`)) {
		return data
	}
	const mark = `\u0000`
	out := make([]byte, 0, len(data)+len(mark))
	for i := 0; i < len(data); {
		switch r, size := utf8.DecodeRune(data[i:]); {
		case r == utf8.RuneError && size == 1:
			out = append(out, mark...)
			i++
		case data[i] == '\\' && i+1 < len(data) && data[i+1] == 'u':
			n := unicodeEscape(data[i:])
			if n == 0 {
				out = append(out, mark...)
				n = escapeLength
			} else {
				out = append(out, data[i:i+n]...)
			}
			i += n
		case data[i] == '\\' && i+1 < len(data):
			out = append(out, data[i], data[i+1])
			i += 2
		default:
			out = append(out, data[i:i+size]...)
			i += size
		}
	}
	return out
}

const escapeLength = len(`\u0000`)

// unicodeEscape returns the length of the escape that a text begins with: of one character, or
// of a surrogate pair; 0 if it is half of a pair. What is no escape is left to the JSON decoder.
func unicodeEscape(text []byte) int {
	unit := func(at int) (uint64, bool) {
		if len(text) < at+escapeLength || text[at] != '\\' || text[at+1] != 'u' {
			return 0, false
		}
		v, err := strconv.ParseUint(string(text[at+2:at+escapeLength]), 16, 16)
		return v, err == nil
	}
	const firstHigh, firstLow, end = 0xd800, 0xdc00, 0xe000
	first, is := unit(0)
	switch {
	case !is:
		return 2
	case first < firstHigh || first >= end:
		return escapeLength
	case first < firstLow:
		if second, is := unit(escapeLength); is && second >= firstLow && second < end {
			return 2 * escapeLength
		}
	}
	return 0
}

// checkJSONTexts refuses a body of JSON in which a text cannot be kept. What is no JSON passes.
func checkJSONTexts(body []byte) error {
	var parsed any
	if err := json.Unmarshal(markUnstorable(body), &parsed); err != nil {
		return nil //nolint:nilerr // the reader of the body says what is wrong with it
	}
	if path := unstorableMember(parsed, "body"); path != "" {
		return badField(path, textRule, nil)
	}
	return nil
}

// unstorableMember returns where the first text stands that cannot be kept, "" if all can.
func unstorableMember(v any, path string) string {
	switch v := v.(type) {
	case string:
		if !storable(v) {
			return path
		}
	case []any:
		for i, item := range v {
			if found := unstorableMember(item, fmt.Sprintf("%s[%d]", path, i)); found != "" {
				return found
			}
		}
	case map[string]any:
		for name, member := range v {
			if !storable(name) {
				return path
			}
			if found := unstorableMember(member, path+"."+name); found != "" {
				return found
			}
		}
	}
	return ""
}

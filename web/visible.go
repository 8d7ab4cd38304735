package web

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// invisible holds the characters that show nothing, or change how their neighbours are shown,
// beside those of the categories Cc, Cf, Zl and Zp: combining grapheme joiner, Hangul and
// Braille blanks, Khmer inherent vowels, and variation selectors but for the two that choose
// between text and emoji.
var invisible = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x034f, Hi: 0x034f, Stride: 1}, {Lo: 0x115f, Hi: 0x1160, Stride: 1}, {Lo: 0x17b4, Hi: 0x17b5, Stride: 1}, {Lo: 0x180b, Hi: 0x180f, Stride: 1},
		{Lo: 0x2800, Hi: 0x2800, Stride: 1}, {Lo: 0x3164, Hi: 0x3164, Stride: 1}, {Lo: 0xfe00, Hi: 0xfe0d, Stride: 1}, {Lo: 0xffa0, Hi: 0xffa0, Stride: 1},
	},
	R32: []unicode.Range32{{Lo: 0xe0000, Hi: 0xe0fff, Stride: 1}},
}

// hides reports whether a character can hide or turn around what a page says. Tabs and ends of
// lines cannot in HTML.
func hides(c rune) bool {
	switch {
	case c == '\t', c == '\n', c == '\r':
		return false
	case c < utf8.RuneSelf:
		return c < ' ' || c == 0x7f
	}
	return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, invisible)
}

// visible writes such characters as [U+202E], in everything that a page shows: texts of other
// programs reach people through pages only. Exports and the API leave them as they are.
func visible(page []byte) []byte {
	first := bytes.IndexFunc(page, hides)
	if first < 0 {
		return page
	}
	out := append(make([]byte, 0, len(page)+64), page[:first]...)
	for rest := page[first:]; len(rest) > 0; {
		c, size := utf8.DecodeRune(rest)
		if hides(c) {
			out = fmt.Appendf(out, "[U+%04X]", c)
		} else {
			out = append(out, rest[:size]...)
		}
		rest = rest[size:]
	}
	return out
}

// formulaSigns begin what spreadsheets take for a formula, full-width forms included, or what
// they skip before one.
const formulaSigns = "=+-@\t\r\n＝＋－＠"

// plainCell keeps a spreadsheet from reading a text of somebody else's as a formula.
func plainCell(text string) string {
	begin := strings.TrimLeftFunc(text, func(c rune) bool { return unicode.IsSpace(c) || hides(c) })
	if strings.IndexAny(text, formulaSigns) == 0 || strings.IndexAny(begin, formulaSigns) == 0 {
		return "'" + text
	}
	return text
}

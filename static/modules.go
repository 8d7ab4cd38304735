package static

import (
	"bytes"
	"path"
	"regexp"
	"slices"
)

// imported matches what our scripts import: a file beside them, by its plain name.
var imported = regexp.MustCompile(`(?m)^((?:import|export)\b[^"\n]*)"\./([\w-]+\.js)"`)

// link gives a script's imports the fingerprinted names under which they are served, and
// returns where all of them are, the nearest first. The fingerprint of a script thereby
// covers what it imports.
func (l *loader) link(script []byte, importers []string) ([]byte, []string, error) {
	var modules []string
	var failed error
	linked := imported.ReplaceAllFunc(script, func(statement []byte) []byte {
		m := imported.FindSubmatch(statement)
		f, err := l.file(string(m[2]), importers)
		if err != nil {
			failed = err
			return statement
		}
		for _, p := range append([]string{f.Path}, f.Modules...) {
			if !slices.Contains(modules, p) {
				modules = append(modules, p)
			}
		}
		return bytes.Join([][]byte{m[1], []byte(`"./` + path.Base(f.Path) + `"`)}, nil)
	})
	return linked, modules, failed
}

// Package static embeds the files that browsers load: style sheet, scripts, icons. Each
// is served under a name that carries a fingerprint of its content, so that browsers may
// keep it for ever. Nothing is loaded from another host.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
)

//go:embed app.css app.js icons.svg favicon.svg vendor/htmx.min.js
var files embed.FS

// File is one embedded file.
type File struct {
	Path        string // where it is served: /static/app.1a2b3c4d.css
	ContentType string
	Body        []byte
}

// Assets are the embedded files by their plain names.
type Assets struct{ byName, byPath map[string]File }

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// Load fingerprints the embedded files.
func Load() (*Assets, error) {
	a := &Assets{map[string]File{}, map[string]File{}}
	for _, name := range []string{"app.css", "app.js", "icons.svg", "favicon.svg", "vendor/htmx.min.js"} {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("embedded file: %w", err)
		}
		sum := sha256.Sum256(b)
		base, ext := path.Base(name), path.Ext(name)
		f := File{
			Path:        "/static/" + strings.TrimSuffix(base, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			ContentType: contentTypes[ext],
			Body:        b,
		}
		a.byName[base], a.byPath[f.Path] = f, f
	}
	return a, nil
}

// Path returns where the file of that base name is served, "" if there is none.
func (a *Assets) Path(base string) string { return a.byName[base].Path }

// Body returns the content of the file of that base name.
func (a *Assets) Body(base string) string { return string(a.byName[base].Body) }

// At returns the file that is served at a path.
func (a *Assets) At(p string) (File, bool) {
	f, ok := a.byPath[p]
	return f, ok
}

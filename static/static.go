// Package static embeds the files that browsers load: style sheet, scripts, icons. Each
// is served under a name that carries a fingerprint of its content, so that browsers may
// keep it for ever. Nothing is loaded from another host.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed *.css *.js *.svg vendor/*.js
var files embed.FS

// File is one embedded file.
type File struct {
	Path        string // where it is served: /static/app.1a2b3c4d.css
	ContentType string
	Body        []byte
	Gzip        []byte   // Body compressed; nil where that saves nothing
	Modules     []string // paths of the scripts that this one imports, and that those import
}

// Assets are the embedded files by their plain names.
type Assets struct {
	byName, byPath map[string]File
	fingerprint    string
}

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// Load fingerprints and compresses the embedded files.
func Load() (*Assets, error) { return load(files) }

func load(from fs.FS) (*Assets, error) {
	l := loader{from: from, done: map[string]File{}}
	a := &Assets{byName: map[string]File{}, byPath: map[string]File{}}
	all := sha256.New()
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := l.file(name, nil)
		if err != nil {
			return err
		}
		base := path.Base(name)
		if other, taken := a.byName[base]; taken {
			return fmt.Errorf("two embedded files are named %s: %s and %s", base, other.Path, name)
		}
		a.byName[base], a.byPath[f.Path] = f, f
		_, err = fmt.Fprintln(all, f.Path)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("embedded files: %w", err)
	}
	a.fingerprint = digest(all.Sum(nil))
	return a, nil
}

// Path returns where the file of that base name is served, "" if there is none.
func (a *Assets) Path(base string) string { return a.byName[base].Path }

// Modules returns where the scripts are served that the script of that base name imports,
// so that a page can ask for them before it has read the first.
func (a *Assets) Modules(base string) []string { return a.byName[base].Modules }

// Body returns the content of the file of that base name.
func (a *Assets) Body(base string) string { return string(a.byName[base].Body) }

// At returns the file that is served at a path.
func (a *Assets) At(p string) (File, bool) {
	f, ok := a.byPath[p]
	return f, ok
}

// Fingerprint stands for all files together: a page that was loaded under another one is
// of another version of the program.
func (a *Assets) Fingerprint() string { return a.fingerprint }

// loader turns embedded files into Files, those that a script imports before the script.
type loader struct {
	from fs.FS
	done map[string]File
}

func (l *loader) file(name string, importers []string) (File, error) {
	if f, has := l.done[name]; has {
		return f, nil
	}
	if slices.Contains(importers, name) {
		return File{}, fmt.Errorf("scripts import each other in a circle: %s", strings.Join(append(importers, name), " → "))
	}
	body, err := fs.ReadFile(l.from, name)
	if err != nil {
		return File{}, err
	}
	base, ext := path.Base(name), path.Ext(name)
	f := File{ContentType: contentTypes[ext]}
	if ext == ".js" && path.Dir(name) == "." {
		if body, f.Modules, err = l.link(body, append(importers, name)); err != nil {
			return File{}, err
		}
	}
	sum := sha256.Sum256(body)
	f.Body, f.Path = body, "/static/"+strings.TrimSuffix(base, ext)+"."+digest(sum[:])+ext
	if f.Gzip, err = compressed(body); err != nil {
		return File{}, fmt.Errorf("compress %s: %w", name, err)
	}
	l.done[name] = f
	return f, nil
}

// digest cuts a sum to what tells versions of a file apart.
func digest(sum []byte) string { return hex.EncodeToString(sum[:6]) }

// compressed returns the smallest gzip of a body; it is made once and sent often.
func compressed(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if b.Len() >= len(body) {
		return nil, nil
	}
	return b.Bytes(), nil
}

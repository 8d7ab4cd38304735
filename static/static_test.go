package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEveryFileIsServedUnderItsFingerprintAndCompressed(t *testing.T) {
	a, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`^/static/[\w.-]+\.[0-9a-f]{12}\.(css|js|svg)$`)
	for base, f := range a.byName {
		if !named.MatchString(f.Path) || f.ContentType == "" {
			t.Errorf("%s is served at %q as %q", base, f.Path, f.ContentType)
		}
		if at, found := a.At(f.Path); !found || !bytes.Equal(at.Body, f.Body) || a.Path(base) != f.Path {
			t.Errorf("%s is not found at %s", base, f.Path)
		}
		if f.Gzip == nil {
			continue
		}
		r, err := gzip.NewReader(bytes.NewReader(f.Gzip))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || !bytes.Equal(b, f.Body) {
			t.Errorf("%s: the compressed form is another file (%v)", base, err)
		}
	}
	if again, err := Load(); err != nil || again.Fingerprint() != a.Fingerprint() {
		t.Errorf("the fingerprint of the same files changed: %v", err)
	}
}

func TestAScriptsFingerprintCoversWhatItImports(t *testing.T) {
	tree := func(leaf string) fstest.MapFS {
		return fstest.MapFS{
			"app.js":      {Data: []byte("import { a } from \"./middle.js\";\nimport \"./leaf.js\";\na(\"./leaf.js\");\n")},
			"middle.js":   {Data: []byte("export { a } from \"./leaf.js\";\n")},
			"leaf.js":     {Data: []byte(leaf)},
			"vendor/x.js": {Data: []byte("import \"./not-ours.js\";\n")},
			"style.css":   {Data: []byte("a{}")},
		}
	}
	a, err := load(tree("export const a = 1;\n"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := load(tree("export const a = 2;\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"app.js", "middle.js", "leaf.js"} {
		if a.Path(name) == b.Path(name) {
			t.Errorf("%s kept its fingerprint though what it imports changed", name)
		}
	}
	if a.Path("style.css") != b.Path("style.css") || a.Fingerprint() == b.Fingerprint() {
		t.Error("the fingerprints do not follow the contents")
	}
	want := "import { a } from \"./" + strings.TrimPrefix(a.Path("middle.js"), "/static/") + "\";\nimport \"./" + strings.TrimPrefix(a.Path("leaf.js"), "/static/") + "\";\na(\"./leaf.js\");\n"
	if a.Body("app.js") != want {
		t.Errorf("got %s\nwant %s", a.Body("app.js"), want)
	}
	if got := strings.Join(a.Modules("app.js"), " "); got != a.Path("middle.js")+" "+a.Path("leaf.js") {
		t.Errorf("modules of app.js: %s", got)
	}
	if a.Body("x.js") != "import \"./not-ours.js\";\n" {
		t.Error("another's script was changed")
	}
}

func TestScriptsThatCannotBeLinkedStopTheStart(t *testing.T) {
	for name, tree := range map[string]fstest.MapFS{
		"circle":   {"a.js": {Data: []byte("import \"./b.js\";\n")}, "b.js": {Data: []byte("import \"./a.js\";\n")}},
		"missing":  {"a.js": {Data: []byte("import \"./b.js\";\n")}},
		"one name": {"a.js": {Data: []byte("1")}, "vendor/a.js": {Data: []byte("2")}},
	} {
		if _, err := load(tree); err == nil {
			t.Errorf("%s: nothing was said", name)
		}
	}
}

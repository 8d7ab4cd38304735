package demo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

func TestTheDemoDeletesOnlyWhatItMade(t *testing.T) {
	empty := func(dir string) error { return emptyFolder(dir, "") }
	write := func(path string) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("x"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	left := func(dir string) (names []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	data := dbtest.Dir(t)

	ours := filepath.Join(data, "new", folderName)
	for range 2 {
		if err := empty(ours); err != nil {
			t.Fatal(err)
		}
		if names := left(ours); len(names) != 1 || names[0] != marker {
			t.Errorf("an empty folder holds %q", names)
		}
		write(filepath.Join(ours, "deep", "file"))
	}

	others := filepath.Join(data, "theirs")
	write(filepath.Join(others, "thesis.txt"))
	for what, dir := range map[string]string{"another's folder": others, "a file": filepath.Join(others, "thesis.txt")} {
		if err := empty(dir); err == nil || !strings.Contains(err.Error(), "DATA_DIR") {
			t.Errorf("%s: %v", what, err)
		}
	}
	link := filepath.Join(data, "link")
	if err := os.Symlink(ours, link); err != nil {
		t.Fatal(err)
	}
	if err := empty(link); err == nil {
		t.Error("it follows a link")
	}
	if names := left(others); len(names) != 1 {
		t.Errorf("another's folder holds %q", names)
	}
	if names := left(ours); len(names) != 2 {
		t.Errorf("a folder behind a link holds %q", names)
	}
}

package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

const (
	folderName = "demo" // in DATA_DIR
	// marker is the file by which the demo knows a folder as its own.
	marker = "made-by-validator-dashboard-demo"
	// discardedFolder is where an earlier demo's data goes before it is deleted.
	discardedFolder = "discarded"
)

const markerText = "This folder belongs to \"validator-dashboard demo\". All that lies in it is made up, and is deleted when the demo starts again.\n"

// emptyFolder makes the demo's folder, or deletes what an earlier demo left in it. It
// deletes nothing in a folder without the demo's marker, and nothing that another demo uses.
func emptyFolder(dir, pgBinDir string) error {
	refuse := func(why string) error {
		return fmt.Errorf("the demo keeps its data in %s and deletes them at each start, but %s: move it away, or set DATA_DIR to another folder", dir, why)
	}
	switch info, err := os.Lstat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make the demo's folder: %w", err)
		}
	case err != nil:
		return fmt.Errorf("look at the demo's folder: %w", err)
	case !info.IsDir():
		return refuse("that is no folder")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("look into the demo's folder: %w", err)
	}
	marker := filepath.Join(dir, marker)
	if info, err := os.Lstat(marker); err != nil || !info.Mode().IsRegular() {
		if len(entries) > 0 {
			return refuse("that folder has other things in it")
		}
		if err := os.WriteFile(marker, []byte(markerText), 0o644); err != nil { //nolint:gosec // for people to read
			return fmt.Errorf("mark the demo's folder: %w", err)
		}
		return nil
	}
	if err := notInUse(dir, pgBinDir); err != nil {
		return err
	}
	return discard(dir, entries)
}

// notInUse says whose the folder's database is while another process has it.
func notInUse(dir, pgBinDir string) error {
	database := filepath.Join(dir, "postgres")
	if _, err := os.Lstat(database); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	c, err := privatepg.Open(privatepg.Config{Dir: database, BinDir: pgBinDir})
	if errors.Is(err, privatepg.ErrInUse) {
		return fmt.Errorf("another demo is running: %w", err)
	}
	if err != nil {
		return nil // of another version, or broken: it is to be deleted
	}
	return c.Close()
}

// discard deletes what lies in the folder, but for the marker. A database server whose
// demo was killed a moment ago may still be at it: so it is moved out of the way first.
func discard(dir string, entries []fs.DirEntry) error {
	bin, err := os.MkdirTemp(dir, discardedFolder)
	if err != nil {
		return fmt.Errorf("empty the demo's folder: %w", err)
	}
	for _, e := range entries {
		if e.Name() == marker {
			continue
		}
		if err := os.Rename(filepath.Join(dir, e.Name()), filepath.Join(bin, e.Name())); err != nil {
			return fmt.Errorf("empty the demo's folder: %w", err)
		}
	}
	_ = os.RemoveAll(bin) // what that server writes after all goes at the next start
	return nil
}

//go:build unix

package privatepg

import (
	"fmt"
	"path/filepath"
)

// RunningSocketDir returns the folder of the socket of the server that another process of
// this program runs in dir. Programs of the same user, and root's, may connect to it.
func RunningSocketDir(dir, binDir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the database's directory: %w", err)
	}
	bin, err := findBinaries(binDir, clusterVersion(dir))
	if err != nil {
		return "", err
	}
	p, err := choosePlace(dir, bin)
	return p.socketDir, err
}

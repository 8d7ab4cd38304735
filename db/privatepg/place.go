//go:build unix

package privatepg

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// elsewhere is where root's clusters lie if the server's user cannot enter the data
// directory.
const elsewhere = "/var/lib/validator-dashboard"

// maxSocketPath is how long a socket's path may be on Linux, in bytes (sun_path less its
// final zero). Other systems allow 103.
const maxSocketPath = 103

// place is where a cluster's files lie and who may use them.
type place struct {
	dir       string
	socketDir string
	cred      *syscall.Credential // nil = the user of this process
}

func (p place) path(rel string) string { return filepath.Join(p.dir, rel) }

// choosePlace makes the cluster's directories, at dir if the server's user can go there.
func choosePlace(dir string, bin binaries) (place, error) {
	if err := makeParents(dir); err != nil {
		return place{}, &Problem{Reason: "The data directory cannot be made.", Remedy: "Set DATA_DIR to a folder that this program may write.", Kind: ErrNoAccess, Cause: err}
	}
	if to, err := os.Readlink(dir); err == nil {
		dir = to
	}
	cred, err := serverUser(dir)
	if err != nil {
		return place{}, err
	}
	if cred != nil && !canEnter(cred, bin, filepath.Dir(dir)) {
		if dir, err = goElsewhere(dir, cred, bin); err != nil {
			return place{}, err
		}
	}
	if err := makeOwn(dir, cred); err != nil {
		return place{}, err
	}
	p := place{dir: dir, cred: cred}
	p.socketDir, err = socketDir(dir, cred)
	if err != nil {
		return place{}, err
	}
	return p, makeOwn(p.socketDir, cred)
}

func makeParents(dir string) error {
	parent := filepath.Dir(dir)
	if _, err := os.Stat(parent); err == nil {
		return nil
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	return os.Chmod(parent, 0o755) // whatever the umask: the server's user must pass
}

// serverUser picks the user that the server runs as: nil for an ordinary user's own.
func serverUser(dir string) (*syscall.Credential, error) {
	owner, exists := ownerOf(filepath.Join(dir, "data"))
	switch me := uint32(os.Geteuid()); {
	case me != 0 && exists && owner.Uid != me:
		return nil, &Problem{
			Reason: fmt.Sprintf("The database in %s belongs to the user %s.", dir, userName(owner.Uid)),
			Remedy: "Run this program as that user or as root, or set DATA_DIR to another folder.",
			Kind:   ErrNoAccess,
		}
	case me != 0:
		return nil, nil
	case exists && owner.Uid != 0:
		return owner, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, &Problem{
		Reason: "PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody to run it as.",
		Remedy: "Run this program as an ordinary user, or make a user: useradd --system postgres.",
		Kind:   ErrNoAccess,
	}
}

// canEnter asks the kernel: it starts a program as the user with dir as its folder.
func canEnter(cred *syscall.Credential, bin binaries, dir string) bool {
	c := exec.Command(filepath.Join(bin.dir, "postgres"), "-V")
	c.Dir = dir
	c.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	return c.Run() == nil
}

// goElsewhere finds a place outside the data directory and leaves a link to it there.
func goElsewhere(dir string, cred *syscall.Credential, bin binaries) (string, error) {
	noAccess := func(cause error) error {
		return &Problem{
			Reason: fmt.Sprintf("PostgreSQL does not run as root, and the user %s that it runs as cannot enter %s.", userName(cred.Uid), filepath.Dir(dir)),
			Remedy: "Set DATA_DIR to a folder outside of it, such as " + elsewhere + ", or run this program as an ordinary user.",
			Kind:   ErrNoAccess, Cause: cause,
		}
	}
	if !canEnter(cred, bin, "/") {
		return "", noAccess(fmt.Errorf("the programs in %s cannot be started as that user", bin.dir))
	}
	if _, err := os.Lstat(filepath.Join(dir, "data")); err == nil {
		return "", noAccess(errors.New("it holds a database already, so that no new one is made elsewhere"))
	}
	sum := sha256.Sum256([]byte(dir))
	target := filepath.Join(elsewhere, hex.EncodeToString(sum[:6]))
	if err := makeParents(target); err != nil {
		return "", noAccess(err)
	}
	if !canEnter(cred, bin, elsewhere) {
		return "", noAccess(fmt.Errorf("nor can it enter %s", elsewhere))
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", noAccess(err)
	}
	if err := os.Symlink(target, dir); err != nil {
		return "", noAccess(err)
	}
	return target, nil
}

// socketDir is the folder run, unless a socket's path there would be too long: then it is
// a folder with a short name that belongs to this cluster alone.
func socketDir(dir string, cred *syscall.Credential) (string, error) {
	fits := func(d string) bool { return len(filepath.Join(d, ".s.PGSQL.5432.lock")) <= maxSocketPath }
	if d := filepath.Join(dir, "run"); fits(d) {
		return d, nil
	}
	sum := sha256.Sum256([]byte(dir))
	name := "validator-dashboard-" + hex.EncodeToString(sum[:6])
	homes := []string{fmt.Sprintf("/run/user/%d", os.Geteuid()), os.TempDir(), "/tmp"}
	if cred != nil {
		homes = []string{"/run", os.TempDir(), "/tmp"}
	}
	for _, home := range homes {
		d := filepath.Join(home, name)
		if !fits(d) {
			continue
		}
		if err := makeOwn(d, cred); err == nil {
			return d, nil
		}
	}
	return "", &Problem{
		Reason: fmt.Sprintf("The path of the database's socket below %s would be longer than the system allows.", dir),
		Remedy: "Set DATA_DIR to a folder with a shorter path.",
		Kind:   ErrNoAccess,
	}
}

// makeOwn makes a folder that the server's user alone can enter. A folder that somebody
// else made first is refused.
func makeOwn(dir string, cred *syscall.Credential) error {
	err := os.Mkdir(dir, 0o700)
	made := err == nil
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the database's folder: %w", err)
	}
	want := uint32(os.Geteuid())
	if cred != nil {
		want = cred.Uid
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at the database's folder: %w", err)
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	ours := owner == want || (os.Geteuid() == 0 && owner == 0)
	if !info.IsDir() || !ours {
		return &Problem{
			Reason: fmt.Sprintf("%s must be a folder of the user %s, and is not.", dir, userName(want)),
			Remedy: "Remove it, or set DATA_DIR to another folder.",
			Kind:   ErrNoAccess,
		}
	}
	if cred != nil && (made || owner != want) {
		if err := os.Lchown(dir, int(cred.Uid), int(cred.Gid)); err != nil {
			return fmt.Errorf("hand the database's folder to its user: %w", err)
		}
	}
	if info.Mode().Perm() != 0o700 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("close the database's folder to others: %w", err)
		}
	}
	return nil
}

func ownerOf(path string) (*syscall.Credential, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false
	}
	st := info.Sys().(*syscall.Stat_t)
	return &syscall.Credential{Uid: st.Uid, Gid: st.Gid}, true
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

// The role that the program connects as, and its password.
const (
	appRole     = "app"
	appPassword = "between-friends"
)

// template is the migrated database that others are copied from.
const template = "migrated"

// postgres is a PostgreSQL server of the harness's own: a superuser on its socket, the
// program's role with a password on TCP.
type postgres struct {
	cluster *privatepg.Cluster
	port    int
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close() //nolint:errcheck // nothing was accepted
	return l.Addr().(*net.TCPAddr).Port, nil
}

// openPostgres makes and starts a server in a folder. binDir is "" for the system's own.
func openPostgres(ctx context.Context, dir, binDir string, settings ...string) (*postgres, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	hba := filepath.Join(dir, "pg_hba.conf")
	rules := strings.Join([]string{"local all,replication " + privatepg.Role + " trust", "host all " + appRole + " 127.0.0.1/32 scram-sha-256", ""}, "\n")
	if err := os.WriteFile(hba, []byte(rules), 0o644); err != nil { //nolint:gosec // the server's user must read it
		return nil, fmt.Errorf("write PostgreSQL's rules of access: %w", err)
	}
	settings = append([]string{
		"listen_addresses=127.0.0.1", fmt.Sprintf("port=%d", port), "hba_file=" + hba, "fsync=off", "shared_buffers=32MB",
	}, settings...)
	cluster, err := privatepg.Open(privatepg.Config{Dir: filepath.Join(dir, "pg"), BinDir: binDir, Settings: settings})
	if err != nil {
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	p := &postgres{cluster: cluster, port: port}
	if err := cluster.Start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), cluster.Close())
	}
	return p, nil
}

// prepare makes the program's role, and the template by the program's own migrations.
func (p *postgres) prepare(ctx context.Context, program string) error {
	for _, sql := range []string{
		fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", appRole, appPassword),
		fmt.Sprintf("CREATE DATABASE %s OWNER %s", template, appRole),
	} {
		if err := p.exec(ctx, sql); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, program, "migrate")
	cmd.Dir = os.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "DATABASE_URL=" + p.appURL(template, p.address())}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate the template: %w\n%s", err, out)
	}
	return nil
}

func (p *postgres) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// appURL is where the program finds a database through an address.
func (p *postgres) appURL(database, address string) string {
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", appRole, appPassword, address, database)
}

// adminURL is the superuser's way to a database.
func (p *postgres) adminURL(database string) string {
	return socketURL(p.cluster.SocketDir(), p.port, database)
}

func socketURL(dir string, port int, database string) string {
	q := url.Values{"host": {dir}, "port": {strconv.Itoa(port)}, "sslmode": {"disable"}, "application_name": {"faults"}}
	return (&url.URL{Scheme: "postgres", User: url.User(privatepg.Role), Path: "/" + database, RawQuery: q.Encode()}).String()
}

// makeDatabase copies the template.
func (p *postgres) makeDatabase(ctx context.Context, name, more string) error {
	return p.exec(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s OWNER %s %s", name, template, appRole, more))
}

// exec runs a statement as the superuser, outside the program's databases.
func (p *postgres) exec(ctx context.Context, sql string) error {
	return execAt(ctx, p.adminURL("postgres"), sql)
}

func execAt(ctx context.Context, at, sql string) error {
	c, err := pgx.Connect(ctx, at)
	if err != nil {
		return fmt.Errorf("connect as the superuser: %w", err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	if _, err := c.Exec(ctx, sql); err != nil {
		return fmt.Errorf("run %q: %w", sql, err)
	}
	return nil
}

// kill sends the postmaster a signal.
func (p *postgres) kill(s syscall.Signal) error {
	if err := syscall.Kill(p.cluster.PID(), s); err != nil {
		return fmt.Errorf("send the postmaster %s: %w", s, err)
	}
	return nil
}

// crash ends the server at once by a signal, and waits until it is gone.
func (p *postgres) crash(s syscall.Signal) error {
	done := p.cluster.Done()
	if err := p.kill(s); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-time.After(20 * time.Second):
		return fmt.Errorf("the postmaster did not end on %s", s)
	}
}

// start starts the server if it does not run.
func (p *postgres) start(ctx context.Context) error {
	for ctx.Err() == nil {
		err := p.cluster.Start(ctx)
		if err == nil || !strings.Contains(err.Error(), "still in use") { // its children may take a moment to end
			return err
		}
		time.Sleep(200 * time.Millisecond)
	}
	return ctx.Err()
}

func (p *postgres) close() error { return p.cluster.Close() }

// programs is the folder of the programs that the server runs.
func (p *postgres) programs() (string, error) {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.cluster.PID()))
	if err != nil {
		return "", fmt.Errorf("find PostgreSQL's programs: %w", err)
	}
	return filepath.Dir(path), nil
}

// children lists the processes that a process has started and that still run.
func children(pid int) []int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var out []int
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		for f := range strings.FieldsSeq(string(b)) {
			if n, err := strconv.Atoi(f); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// signalAll sends a signal to processes; one that is gone is no error.
func signalAll(pids []int, s syscall.Signal) error {
	for _, pid := range pids {
		if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("send process %d %s: %w", pid, s, err)
		}
	}
	return nil
}

// privateServer is the PostgreSQL that the program runs itself in a data directory.
type privateServer struct {
	postmaster int
	socketDir  string
}

// findPrivate reads where the program's own PostgreSQL is.
func findPrivate(dataDir string) (privateServer, error) {
	b, err := os.ReadFile(filepath.Join(dataDir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return privateServer{}, fmt.Errorf("find the private PostgreSQL: %w", err)
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) < 5 {
		return privateServer{}, fmt.Errorf("find the private PostgreSQL: its postmaster.pid has %d lines", len(lines))
	}
	pid, err := strconv.Atoi(lines[0])
	if err != nil {
		return privateServer{}, fmt.Errorf("find the private PostgreSQL: %w", err)
	}
	return privateServer{postmaster: pid, socketDir: lines[4]}, nil
}

func (s privateServer) adminURL() string { return socketURL(s.socketDir, 5432, privatepg.Role) }

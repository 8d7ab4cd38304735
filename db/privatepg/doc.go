// Package privatepg runs a PostgreSQL server of the program's own, from the binaries
// that are on the machine, as its child process.
//
// The server listens on a Unix socket that only its user can reach, never on the
// network. Its files lie in Config.Dir:
//
//	data/          the cluster
//	run/           the socket
//	lock           held for as long as any process of the server lives; holds the owner's pid
//	postgres.log   the server's log, and postgres.log.1, the part before it
//
// PostgreSQL refuses to run as root. For root the server runs as the owner of an
// existing cluster, else as the user postgres, else as nobody. Where that user cannot
// enter Config.Dir, such as below /root, the files lie under /var/lib/validator-dashboard
// and Config.Dir becomes a symbolic link to them.
//
// A server is not left behind: if this process dies, however it dies, the kernel asks the
// server to shut down (on Linux), and a successor on the same directory waits for that.
package privatepg

//go:build !unix

package privatepg

import "context"

// Cluster stands for a private server on systems that have none.
type Cluster struct{}

// Open returns a cluster whose Start says that this system has none.
func Open(Config) (*Cluster, error) { return &Cluster{}, nil }

// Start tells why there is no private server.
func (*Cluster) Start(context.Context) error {
	return &Problem{
		Reason: "The private PostgreSQL needs a Unix system.",
		Remedy: "Set DATABASE_URL to a PostgreSQL server.",
		Kind:   ErrNoBinaries,
	}
}

// Done is nil.
func (*Cluster) Done() <-chan struct{} { return nil }

// PID is 0.
func (*Cluster) PID() int { return 0 }

// SocketDir is empty.
func (*Cluster) SocketDir() string { return "" }

// LogPath is empty.
func (*Cluster) LogPath() string { return "" }

// TrimLog does nothing.
func (*Cluster) TrimLog() error { return nil }

// Stop does nothing.
func (*Cluster) Stop() error { return nil }

// Close does nothing.
func (*Cluster) Close() error { return nil }

// RunningSocketDir is empty.
func RunningSocketDir(_, _ string) (string, error) { return "", nil }

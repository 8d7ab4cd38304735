//go:build unix && !linux

package privatepg

// removeStaleLocks leaves them to PostgreSQL where processes cannot be looked at.
func (*Cluster) removeStaleLocks() error { return nil }

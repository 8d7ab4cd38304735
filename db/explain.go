package db

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

// explain says for people why the database is away and what they can do. Nothing of an
// error's own text gets into it: that goes to the log.
func (s *Store) explain(err error) (reason, remedy string) {
	if _, is := errors.AsType[*directError](err); is {
		reason, remedy = explainConnection(err, s.direct.pool.ConnConfig)
		return strings.ReplaceAll(reason, "DATABASE_URL", "DATABASE_DIRECT_URL"), strings.ReplaceAll(remedy, "DATABASE_URL", "DATABASE_DIRECT_URL")
	}
	var problem *privatepg.Problem
	switch {
	case errors.As(err, &problem):
		return problem.Reason, problem.Remedy
	case errors.Is(err, errMigration):
		return explainMigration(err)
	case s.cluster != nil:
		return s.explainPrivate(err)
	}
	return explainConnection(err, s.usual.pool.ConnConfig)
}

func explainConnection(err error, c *pgx.ConnConfig) (reason, remedy string) {
	if pg, answered := errors.AsType[*pgconn.PgError](err); answered {
		return explainRefusal(pg)
	}
	return explainSilence(err, address(c))
}

func explainMigration(err error) (reason, remedy string) {
	reason = "The database's tables could not be brought up to date."
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "42501":
			return reason, "Its user may not make tables: grant it CREATE on the schema, or run `validator-dashboard migrate` with a DATABASE_URL of a user who may."
		case "25006":
			return reason, "It takes no changes: DATABASE_URL must name the primary server, not a read-only copy."
		}
	}
	return reason, "The log says which migration failed; `validator-dashboard migrate` tries again."
}

func (s *Store) explainPrivate(err error) (reason, remedy string) {
	if path := s.cluster.LogPath(); path != "" {
		remedy = "Its log is " + path + "."
	}
	if errors.Is(err, errServerGone) {
		return "The private PostgreSQL ended unexpectedly and is being started again.", remedy
	}
	return "The private PostgreSQL is not answering yet.", remedy
}

func explainRefusal(pg *pgconn.PgError) (reason, remedy string) {
	switch {
	case class(pg) == "28":
		return "The database refuses the user or password of DATABASE_URL.", "Correct DATABASE_URL and start the program again, or let this user in (pg_hba.conf)."
	case pg.Code == "3D000":
		return "The server has no database of the name in DATABASE_URL.", "Make it (createdb), or correct DATABASE_URL."
	case class(pg) == "53":
		return "The database has no connections or resources left.", "Raise its max_connections, or close other programs' connections."
	case class(pg) == "57":
		return "The database is starting up or shutting down.", ""
	}
	return "The database refuses to work.", "The log says why."
}

func explainSilence(err error, where string) (reason, remedy string) {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &dns):
		return "The database's host name is not known.", "Correct the host in DATABASE_URL, or check this machine's DNS."
	case errors.As(err, &certificate), errors.As(err, &authority):
		return "The database's TLS certificate cannot be trusted.", "Set sslrootcert in DATABASE_URL to its authority's certificate."
	case strings.Contains(err.Error(), "refused TLS"):
		return "The database does not speak TLS, and DATABASE_URL demands it.", "Turn on ssl in the server, or set sslmode in DATABASE_URL."
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		return "Nothing listens at the database's address, " + where + ".", "Start PostgreSQL there, or correct DATABASE_URL."
	case errors.Is(err, context.DeadlineExceeded):
		return "The database at " + where + " does not answer in time.", "Check that it runs, and that no firewall stands between."
	}
	return "There is no connection with the database at " + where + ".", "Check that it runs and that DATABASE_URL names it."
}

// address is where a database's server is, without user and password.
func address(c *pgx.ConnConfig) string {
	if strings.HasPrefix(c.Host, "/") {
		return c.Host
	}
	return net.JoinHostPort(c.Host, fmt.Sprint(c.Port))
}

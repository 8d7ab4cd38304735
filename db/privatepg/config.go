package privatepg

import "log/slog"

// Role is the server's superuser and the name of the database that the program uses.
const Role = "validator"

// OldestVersion is the first major version of PostgreSQL that the program works with.
const OldestVersion = 14

// Config says where a private server lives.
type Config struct {
	Dir      string       // required; made if it is missing
	BinDir   string       // folder of initdb and postgres; "" = searched in the usual places
	Settings []string     // further server settings as name=value
	Log      *slog.Logger // nil = discarded
}

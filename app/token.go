package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/privatepg"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const tokenUsage = `validator-dashboard token create -name NAME -wallet 0x… [-scope read|ingest] [-days N]
validator-dashboard token create -name NAME -coordinator [-days N]
validator-dashboard token list [-wallet 0x…]
validator-dashboard token revoke ID

A token of scope read sees one wallet's figures, one of scope ingest sends reports of one
worker, and a coordinator's those of any worker. The secret is printed once.`

// tokenOrder is what a token command is asked to do.
type tokenOrder struct {
	name, scope, wallet string
	coordinator         bool
	days                int
}

func (o *tokenOrder) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.name, "name", "", "what the token is for, such as the script's or the host's name")
	fs.StringVar(&o.wallet, "wallet", "", "the wallet that the token is for")
	fs.StringVar(&o.scope, "scope", "", "read (the default) or ingest")
	fs.BoolVar(&o.coordinator, "coordinator", false, "make a token that writes for any worker")
	fs.IntVar(&o.days, "days", 0, "days until the token expires; 0: never")
}

// token checks the order for a new token.
func (o *tokenOrder) token(now time.Time) (db.Token, error) {
	t := db.Token{Name: strings.TrimSpace(o.name), Scope: db.TokenScope(o.scope), CreatedAt: now}
	const mostDays = 3650
	switch {
	case t.Name == "" || len(t.Name) > 100:
		return t, errors.New("-name must have 1 to 100 characters, such as -name grafana")
	case o.days < 0 || o.days > mostDays:
		return t, fmt.Errorf("-days must be 0 to %d, not %d", mostDays, o.days)
	case o.coordinator && (o.wallet != "" || o.scope != "" && t.Scope != db.ScopeIngest):
		return t, errors.New("-coordinator makes a token of scope ingest for any worker, so -wallet and another -scope do not go with it")
	case !o.coordinator && o.wallet == "":
		return t, errors.New("-wallet must name the wallet that the token is for; only -coordinator needs none")
	}
	if !utf8.ValidString(t.Name) {
		return t, errors.New("-name must be UTF-8 text, such as -name grafana")
	}
	if o.days > 0 {
		end := now.AddDate(0, 0, o.days)
		t.ExpiresAt = &end
	}
	switch {
	case o.coordinator:
		t.Scope = db.ScopeIngest
		return t, nil
	case t.Scope == "":
		t.Scope = db.ScopeRead
	case t.Scope != db.ScopeRead && t.Scope != db.ScopeIngest:
		return t, fmt.Errorf("-scope must be read or ingest, not %q", o.scope)
	}
	var err error
	if t.Wallet, err = validator.ParseAddress(o.wallet); err != nil {
		err = fmt.Errorf("-wallet is %q: %w", o.wallet, err)
	}
	return t, err
}

// token makes, lists and revokes tokens.
func token(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	action := ""
	if len(args) > 0 {
		action, args = args[0], args[1:]
	}
	var order tokenOrder
	var work func(context.Context, *db.Store) error
	cfg, rest, err := LoadConfig(args, getenv, stderr, order.flags)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	switch action {
	case "create":
		t, err := order.token(time.Now().UTC())
		switch {
		case err != nil:
			return err
		case len(rest) > 0:
			return fmt.Errorf("token create takes flags only, not %q", rest[0])
		}
		work = func(ctx context.Context, store *db.Store) error { return createToken(ctx, store, t, stdout) }
	case "list":
		work = func(ctx context.Context, store *db.Store) error { return listTokens(ctx, store, order.wallet, stdout) }
	case "revoke":
		if len(rest) != 1 {
			return errors.New("token revoke takes the ID of one token, which token list shows")
		}
		id, err := strconv.ParseInt(rest[0], 10, 64)
		if err != nil || id < 1 {
			return fmt.Errorf("%q is no ID of a token: it must be a number that token list shows", rest[0])
		}
		work = func(ctx context.Context, store *db.Store) error { return revokeToken(ctx, store, id, stdout) }
	default:
		return fmt.Errorf("there is no command \"token %s\"; there are\n%s", action, tokenUsage)
	}
	return withStore(ctx, cfg, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: max(cfg.LogLevel, slog.LevelWarn)})), work)
}

// openStoreBesideServer opens the configured database, the private one of a server that runs,
// or the private one alone.
func openStoreBesideServer(ctx context.Context, cfg Config, log *slog.Logger) (*db.Store, error) {
	store, err := OpenStore(ctx, cfg, log)
	if !errors.Is(err, privatepg.ErrInUse) {
		return store, err
	}
	if cfg.DatabaseURL, err = db.RunningURL(cfg.DataDir, cfg.PostgresBinDir); err != nil {
		return nil, err
	}
	return OpenStore(ctx, cfg, log)
}

// withStore does something with the database of openStoreBesideServer.
func withStore(ctx context.Context, cfg Config, log *slog.Logger, work func(context.Context, *db.Store) error) error {
	store, err := openStoreBesideServer(ctx, cfg, log)
	if err != nil {
		return err
	}
	ran := make(chan error, 1)
	go func() { ran <- store.Run(ctx) }()
	ready, cancel := context.WithTimeout(ctx, databasePatience)
	defer cancel()
	if err = store.WaitReady(ready); err == nil {
		err = work(ctx, store)
	}
	return errors.Join(err, store.Close(), <-ran)
}

// databasePatience is how long a command waits for the database.
const databasePatience = 30 * time.Second

func createToken(ctx context.Context, store *db.Store, t db.Token, stdout io.Writer) error {
	// Tokens are judged by the database's clock, which was not known when the order was read.
	offset := store.ClockOffset()
	t.CreatedAt = t.CreatedAt.Add(offset)
	if t.ExpiresAt != nil {
		end := t.ExpiresAt.Add(offset)
		t.ExpiresAt = &end
	}
	secret := db.NewTokenSecret()
	t, err := store.AddToken(ctx, db.HashSecret(secret), t)
	if err != nil {
		return err
	}
	if err := auditToken(ctx, store, db.AuditTokenCreated, t); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "Token %d, %s: scope %s, %s, good until %s. It is shown this once:\n%s\n", t.ID, t.Name, t.Scope, holder(t), goodUntil(t), secret)
	return err
}

func listTokens(ctx context.Context, store *db.Store, wallet string, stdout io.Writer) error {
	var list []db.Token
	var err error
	if wallet == "" {
		list, err = store.AllTokens(ctx)
	} else {
		var a validator.Address
		if a, err = validator.ParseAddress(wallet); err != nil {
			return fmt.Errorf("-wallet is %q: %w", wallet, err)
		}
		list, err = store.Tokens(ctx, a)
	}
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "ID\tNAME\tSCOPE\tFOR\tMADE\tLAST USED\tGOOD UNTIL")
	for _, t := range list {
		used := "never"
		if t.UsedAt != nil {
			used = t.UsedAt.Format(time.DateTime)
		}
		_, _ = fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.Scope, holder(t), t.CreatedAt.Format(time.DateTime), used, goodUntil(t))
	}
	return out.Flush()
}

func revokeToken(ctx context.Context, store *db.Store, id int64, stdout io.Writer) error {
	t, err := store.RevokeToken(ctx, "", id)
	if errors.Is(err, db.ErrNotFound) {
		return fmt.Errorf("there is no token %d; token list shows those that there are", id)
	}
	if err == nil {
		err = auditToken(ctx, store, db.AuditTokenRevoked, t)
	}
	if err == nil {
		_, err = fmt.Fprintf(stdout, "Token %d, %s, is revoked.\n", t.ID, t.Name)
	}
	return err
}

func auditToken(ctx context.Context, store *db.Store, kind db.AuditKind, t db.Token) error {
	return store.Audit(ctx, db.AuditEvent{At: store.Now(), Wallet: t.Wallet, Kind: kind, Detail: t.Name + " (" + string(t.Scope) + ")", Actor: db.ActorCommandLine})
}

func holder(t db.Token) string {
	if t.Coordinator() {
		return "any worker"
	}
	return string(t.Wallet)
}

func goodUntil(t db.Token) string {
	if t.ExpiresAt == nil {
		return "it is revoked"
	}
	return t.ExpiresAt.Format(time.DateOnly)
}

package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// ActionSimulator writes what a wallet signs to do something about its stake, tries it out on
// the newest block without sending it, and says what became of what was sent; package chain
// says which errors it returns.
type ActionSimulator interface {
	Calls(a validator.Action) ([]validator.ContractCall, error)
	Simulate(ctx context.Context, wallet validator.Address, calls []validator.ContractCall) (chain.Simulation, error)
	TransactionOutcome(ctx context.Context, tx validator.Felt) (validator.TransactionOutcome, error)
}

const (
	// actionPatience bounds how long a reader waits for a node.
	actionPatience = 6 * time.Second

	// claimPatience is how long a claim that no block holds keeps another from being made:
	// a wallet or a node may have dropped it.
	claimPatience = 15 * time.Minute
)

// actionPath is where an action is previewed and followed.
var actionPath = map[validator.ActionKind]string{
	validator.ActionClaim:           "/stake/claim",
	validator.ActionStake:           "/stake/more",
	validator.ActionUnstake:         "/stake/unstake",
	validator.ActionCompleteUnstake: "/stake/complete",
}

// actionURL leads to an action's page about a wallet.
func (s *Server) actionURL(kind validator.ActionKind, wallet validator.Address) string {
	return actionPath[kind] + s.walletQuery(wallet)
}

// trackURL leads to what became of an action's transaction.
func (s *Server) trackURL(kind validator.ActionKind, wallet validator.Address, tx string) string {
	q := url.Values{"wallet": {string(wallet)}}
	return actionPath[kind] + "?" + q.Encode() + "&tx=" + url.QueryEscape(tx)
}

// actionPage makes the page of an action: what it is about, its preview, and once it is sent
// what became of it.
func (s *Server) actionPage(kind validator.ActionKind) echo.HandlerFunc {
	return func(c echo.Context) error {
		wallet, err := s.pageWallet(c)
		if err != nil {
			return err
		}
		if wallet == "" {
			return c.Redirect(http.StatusFound, "/?choose=1")
		}
		ctx := c.Request().Context()
		p := s.picture(ctx, wallet)
		m := s.newActionPage(c, kind, wallet)
		status := http.StatusOK
		tx, err := sentTransaction(c)
		switch {
		case err != nil:
			return err
		case tx != "":
			track := s.track(ctx, kind, p, tx)
			m.Track = &track
		case kind == validator.ActionClaim:
			if open := s.openClaim(ctx, wallet); open != nil {
				return c.Redirect(http.StatusFound, s.trackURL(kind, wallet, open.TxHash.Short()))
			}
			fallthrough
		default:
			entry := readAction(c, kind, p)
			m.Form = s.actionForm(entry, p, wallet)
			switch {
			case entry.wrong():
				status = http.StatusBadRequest
			case entry.complete():
				m.Preview = previewURL(entry, wallet)
			}
		}
		c.Response().Header().Set("Content-Security-Policy", signInPolicy)
		return s.render(c, status, views.Act(m))
	}
}

// newActionPage is the page without what it is about.
func (s *Server) newActionPage(c echo.Context, kind validator.ActionKind, wallet validator.Address) views.ActionPage {
	words := actionWords[kind]
	return views.ActionPage{
		Page:   s.page(c.Request(), words.title+" · "+wallet.Abbreviated(), "stake", wallet),
		Script: s.assets.Path("actions.js"), Kind: string(kind), Title: words.title, Intro: words.intro,
		Wallet: string(wallet), Chain: s.network.ChainFelt().Short(), ChainID: s.network.ChainID,
		TrackAt: s.trackURL(kind, wallet, ""), Back: views.Link{Text: "Back to the stake", URL: s.stakeURL(wallet)},
	}
}

// sentTransaction is the transaction that a page is asked to follow, "" if none.
func sentTransaction(c echo.Context) (validator.Felt, error) {
	raw := c.QueryParam(paramTx)
	if raw == "" {
		return "", nil
	}
	tx, err := validator.ParseFelt(raw)
	if err != nil {
		return "", badField("query.tx", "is "+err.Error(), raw)
	}
	return tx, nil
}

func previewURL(e actionEntry, wallet validator.Address) string {
	q := url.Values{"kind": {string(e.kind)}, "wallet": {string(wallet)}}
	if e.asksAmount() {
		q.Set("amount", e.amount)
	}
	if e.kind == validator.ActionStake {
		q.Set("tier", e.tier)
	}
	return "/partials/preview?" + q.Encode()
}

// actionKind reads which action a part of a page is about.
func actionKind(c echo.Context) (validator.ActionKind, error) {
	kind := validator.ActionKind(c.QueryParam(paramAction))
	if _, known := actionPath[kind]; !known {
		return "", badField("query.kind", "must be claim, stake, unstake or complete", string(kind))
	}
	return kind, nil
}

// partialWallet is the wallet that a part of a page is about.
func (s *Server) partialWallet(c echo.Context) (validator.Address, error) {
	wallet, err := s.pageWallet(c)
	if err == nil && wallet == "" {
		err = badField("query.wallet", "is missing: name the wallet that the panel is about", nil)
	}
	return wallet, err
}

// partialPreview tries an action out. It asks a node, for no other part of a page can know.
func (s *Server) partialPreview(c echo.Context) error {
	wallet, err := s.partialWallet(c)
	if err != nil {
		return err
	}
	kind, err := actionKind(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	p := s.picture(ctx, wallet)
	entry := readAction(c, kind, p)
	if !entry.complete() {
		return entry.problem()
	}
	return s.render(c, http.StatusOK, views.Preview(s.preview(ctx, p, entry)))
}

// partialTrack tells how far a transaction has come.
func (s *Server) partialTrack(c echo.Context) error {
	wallet, err := s.partialWallet(c)
	if err != nil {
		return err
	}
	kind, err := actionKind(c)
	if err != nil {
		return err
	}
	tx, err := sentTransaction(c)
	if err != nil {
		return err
	}
	if tx == "" {
		return badField("query.tx", "is missing: name the transaction that the panel is about", nil)
	}
	ctx := c.Request().Context()
	return s.render(c, http.StatusOK, views.Track(s.track(ctx, kind, validator.Picture{Address: wallet, Now: s.now()}, tx)))
}

// unanswered notes why a node did not answer what a reader waits for.
func (s *Server) unanswered(ctx context.Context, what string, wallet validator.Address, err error) {
	if ctx.Err() == nil {
		s.log.WarnContext(ctx, what, slog.String("wallet", string(wallet)), slog.Any("error", err))
	}
}

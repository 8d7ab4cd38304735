package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// SignatureVerifier asks an account's contract on the chain about a signature; package
// chain says which errors it returns.
type SignatureVerifier interface {
	VerifySignature(ctx context.Context, account validator.Address, hash validator.Felt, signature []validator.Felt) error
}

// maxOpenSignIns is how many messages a client network may ask for without signing them.
const maxOpenSignIns = 20

// signInPolicy is contentPolicy but for the icons of wallets, which they hand over as data:
// URLs. An image can neither run nor send anything.
const signInPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// signInPage lets a wallet sign in.
func (s *Server) signInPage(c echo.Context) error {
	r := c.Request()
	c.Response().Header().Set("Content-Security-Policy", signInPolicy)
	page := s.page(r, "Sign in", "", "")
	page.SignedIn = nil // here another account is what may be wanted
	return s.render(c, http.StatusOK, views.SignIn(views.SignInPage{
		Page: page, Script: s.assets.Path("signin.js"), Next: localPath(c.QueryParam(paramNext)),
		Origin: s.signInOrigin(r), Chain: s.network.ChainFelt().Short(), ChainID: s.network.ChainID,
		MostFelts: strconv.Itoa(chain.MaxSignatureFelts),
	}))
}

// signInAsk asks for a message to sign.
type signInAsk struct {
	Address string `json:"address"`
	ChainID string `json:"chain_id"` // as the wallet tells it
}

// signInMessage is a message to sign.
type signInMessage struct {
	Nonce     string          `json:"nonce"`
	TypedData json.RawMessage `json:"typed_data"`
}

// issueSignIn answers with a message that is for this server, now, and the wallet's account
// only.
func (s *Server) issueSignIn(c echo.Context) error {
	var ask signInAsk
	if err := readSignIn(c, &ask); err != nil {
		return err
	}
	origin, err := s.checkOrigin(c.Request())
	if err != nil {
		return err
	}
	address, err := validator.ParseAddress(ask.Address)
	if err != nil {
		return badField("body.address", "is "+err.Error(), nil)
	}
	if !s.network.SameChain(ask.ChainID) {
		return signInProblem(http.StatusBadRequest, views.SignInNetwork, fmt.Sprintf("The wallet is on another network; this dashboard reads %s (%s).", networkLabel(s.network.Name), s.network.ChainID))
	}
	nonce := rand.Text()
	m, err := s.db.IssueSignIn(c.Request().Context(), nonce, clientNetwork(c.RealIP()), maxOpenSignIns, db.SignInMessage{Wallet: address, ChainID: s.network.ChainID, URI: origin})
	if err != nil {
		return s.signInFailure(c, err)
	}
	typed, err := signInOf(nonce, m).TypedData()
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, signInMessage{Nonce: nonce, TypedData: typed})
}

// signInOf is the message that a wallet signs.
func signInOf(nonce string, m db.SignInMessage) chain.SignIn {
	return chain.SignIn{ChainID: m.ChainID, Address: m.Wallet, URI: m.URI, Nonce: nonce, IssuedAt: m.IssuedAt, ExpiresAt: m.ExpiresAt}
}

// signInProof is a signed message. Who signed what is known here already: a nonce names it.
type signInProof struct {
	Nonce      string          `json:"nonce"`
	Signature  json.RawMessage `json:"signature"`   // a list of felts as text
	WalletName string          `json:"wallet_name"` // of the wallet program, for the list of sessions
}

// signedIn answers who is signed in.
type signedIn struct {
	Address validator.Address `json:"address"`
}

// signIn starts a session for the account that signed a message. The signature is checked
// before the message is used up, so that a node that does not answer costs no second
// signature; of several requests that present the same one, one is signed in.
func (s *Server) signIn(c echo.Context) error {
	var proof signInProof
	if err := readSignIn(c, &proof); err != nil {
		return err
	}
	wallet, err := s.prove(c, proof)
	if err != nil {
		s.auditSignInRefused(c, wallet, err)
		return err
	}
	if err := s.startSession(c, wallet, proof.WalletName); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, signedIn{wallet})
}

// prove returns the account that signed a message, and uses the message up. With an error it
// is the account that the message is for, "" where no such message is known.
func (s *Server) prove(c echo.Context, proof signInProof) (validator.Address, error) {
	origin, err := s.checkOrigin(c.Request())
	if err != nil {
		return "", err
	}
	signature, err := parseSignature(proof.Signature)
	if err != nil {
		return "", err
	}
	ctx := c.Request().Context()
	m, err := s.db.TrySignIn(ctx, proof.Nonce)
	if err != nil {
		return "", s.signInFailure(c, err)
	}
	if m.URI != origin || m.ChainID != s.network.ChainID { // another replica's, set up otherwise
		return m.Wallet, s.signInFailure(c, db.ErrSignInExpired)
	}
	hash, err := signInOf(proof.Nonce, m).Hash()
	if err != nil {
		return m.Wallet, err
	}
	if err := s.signatures.VerifySignature(ctx, m.Wallet, hash, signature); err != nil {
		return m.Wallet, s.unproven(ctx, m.Wallet, err)
	}
	if err := s.db.UseSignIn(ctx, proof.Nonce); err != nil {
		return m.Wallet, s.signInFailure(c, err)
	}
	return m.Wallet, nil
}

// unproven says why a signature does not sign in.
func (s *Server) unproven(ctx context.Context, wallet validator.Address, err error) error {
	switch {
	case errors.Is(err, chain.ErrSignatureInvalid):
		return signInProblem(http.StatusForbidden, views.SignInInvalid, "The account does not accept this signature.")
	case errors.Is(err, chain.ErrAccountNotDeployed):
		return signInProblem(http.StatusForbidden, views.SignInNotDeployed, "There is no account at this address yet: activate the wallet with a first transaction.")
	case ctx.Err() != nil:
		return err
	}
	p := signInProblem(http.StatusServiceUnavailable, views.SignInUnreachable, "The signature could not be checked, since no Starknet node answers. Try again in a moment.")
	p.cause = fmt.Errorf("check a signature of %s: %w", wallet, err)
	return p
}

// signInFailure says why a message cannot be had or is not good.
func (s *Server) signInFailure(c echo.Context, err error) error {
	var many *db.TooManySignIns
	switch {
	case errors.As(err, &many):
		seconds := max(1, int(math.Ceil(many.RetryAfter.Seconds())))
		c.Response().Header().Set("Retry-After", strconv.Itoa(seconds))
		return signInProblem(http.StatusTooManyRequests, views.SignInTooMany, "Too many sign-ins were begun from this network. Wait until they have expired.")
	case errors.Is(err, db.ErrNotFound), errors.Is(err, db.ErrSignInExpired), errors.Is(err, db.ErrSignInUsed), errors.Is(err, db.ErrSignInTries):
		return signInProblem(http.StatusGone, views.SignInExpired, fmt.Sprintf("This message is no longer good: one can be signed for %d minutes, and signs in once. Ask for a new one.", int(db.SignInLifetime/time.Minute)))
	case errors.Is(err, db.ErrUnavailable):
		p := signInProblem(http.StatusServiceUnavailable, views.SignInDatabase, "Nobody can be signed in, "+s.sinceDatabase()+". Try again in a moment.")
		p.cause, p.retryAfter = err, retryAfter
		return p
	}
	return err
}

// signInProblem is a problem with words of its own on the sign-in page, which its type
// leads to.
func signInProblem(status int, kind views.SignInProblem, detail string) *problem {
	p := newProblem(status, detail)
	p.Type = kind.URI()
	return p
}

// clientNetwork is what a client's address counts as: a network that one client may have
// as a whole.
func clientNetwork(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	const ownedV6 = 64 // bits: what one host is given
	if ip.Is6() {
		return netip.PrefixFrom(ip, ownedV6).Masked().String()
	}
	return ip.String()
}

package web

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// actionEntry is what was entered for an action, and which rule it breaks.
type actionEntry struct {
	kind         validator.ActionKind
	amount, tier string // as entered; "" = nothing
	action       validator.Action
	field, rule  string // the first that is wrong; "" = none
}

func (e actionEntry) asksAmount() bool {
	return e.kind == validator.ActionStake || e.kind == validator.ActionUnstake
}

func (e actionEntry) wrong() bool { return e.rule != "" }

// complete says whether it can be tried out.
func (e actionEntry) complete() bool { return !e.wrong() && (!e.asksAmount() || e.amount != "") }

// problem says what is missing or wrong.
func (e actionEntry) problem() error {
	if e.wrong() {
		return badField("query."+e.field, e.rule, nil)
	}
	return badField("query.amount", "is missing: "+validator.ErrNotSAGE.Error(), nil)
}

// readAction reads an action and checks it against what is known of the wallet. What is not
// known the simulation finds out.
func readAction(c echo.Context, kind validator.ActionKind, p validator.Picture) actionEntry {
	e := actionEntry{kind: kind, action: validator.Action{Kind: kind}}
	if !e.asksAmount() {
		return e
	}
	e.amount, e.tier = strings.TrimSpace(c.QueryParam(paramAmount)), c.QueryParam(paramTier)
	if kind == validator.ActionStake {
		e.readTier(p)
	}
	if e.amount == "" || e.wrong() {
		return e
	}
	amount, err := validator.ParseSAGE(e.amount)
	e.action.Amount = amount
	switch {
	case err != nil:
		e.refuse("amount", err.Error())
	case amount.Sign() == 0:
		e.refuse("amount", "must be more than 0")
	case kind == validator.ActionStake:
		e.checkStake(p)
	default:
		e.checkUnstake(p)
	}
	return e
}

func (e *actionEntry) refuse(field, rule string) { e.field, e.rule = field, rule }

// readTier reads the tier; without one it is the staked one.
func (e *actionEntry) readTier(p validator.Picture) {
	if e.tier == "" {
		if st, known := p.Chain.Stake.Get(); known && st.Registered() {
			e.action.Tier = st.Tier
		}
		e.tier = strconv.Itoa(int(e.action.Tier))
		return
	}
	n, err := strconv.Atoi(e.tier)
	if err != nil || n < 0 || n >= int(validator.TierCount) {
		e.refuse("tier", fmt.Sprintf("must be a number from 0 (%s) to %d (%s)", validator.TierConsumer, int(validator.TierCount)-1, validator.TierCount-1))
		return
	}
	e.action.Tier = validator.Tier(n)
}

func (e *actionEntry) checkStake(p validator.Picture) {
	if held, known := p.Chain.WalletBalance.Get(); known && e.action.Amount.Cmp(held) > 0 {
		e.refuse("amount", fmt.Sprintf("must be at most what the wallet holds, %s as of block %s", held.Format(), integer(p.Chain.Block.Number)))
		return
	}
	st, known := p.Chain.Stake.Get()
	terms, termsKnown := p.Chain.Network.Config.Get()
	if !known || !termsKnown {
		return
	}
	if least := terms.MinStake[e.action.Tier]; st.Amount.Add(e.action.Amount).Cmp(least) < 0 {
		e.refuse("amount", fmt.Sprintf("must be at least %s, with which the stake reaches the %s tier's minimum of %s", least.Sub(st.Amount).Format(), e.action.Tier, least.Format()))
	}
}

// checkUnstake refuses what the contract would lock and could never pay out.
func (e *actionEntry) checkUnstake(p validator.Picture) {
	if st, known := p.Chain.Stake.Get(); known && e.action.Amount.Cmp(st.Amount) > 0 {
		e.refuse("amount", fmt.Sprintf("must be at most what is staked, %s as of block %s", st.Amount.Format(), integer(p.Chain.Block.Number)))
		return
	}
	if limit := validator.LargeTransfer(); e.action.Amount.Cmp(limit) >= 0 {
		e.refuse("amount", fmt.Sprintf("must be less than %s: an unstake is paid out by one transfer, SAGEToken refuses larger ones, and a request cannot be taken back. Unstake in smaller parts, one after the other", limit.Format()))
	}
}

// actionForm is the form of an action that asks for something, nil for the others.
func (s *Server) actionForm(e actionEntry, p validator.Picture, wallet validator.Address) *views.ActionForm {
	if !e.asksAmount() {
		return nil
	}
	f := &views.ActionForm{Path: actionPath[e.kind], Submit: "Preview", Amount: views.ActionField{Label: "Amount in SAGE", Entered: e.amount}}
	if s.walletQuery(wallet) != "" {
		f.Wallet = string(wallet)
	}
	if e.field != "" {
		f.Amount.Problem = capital(e.field) + " " + e.rule + "."
	}
	if e.kind == validator.ActionUnstake {
		f.ID = "unstake"
		f.Amount.Hint = heldHint("Staked", validator.Map(p.Chain.Stake.Maybe, func(st validator.Stake) validator.Wei { return st.Amount }))
		return f
	}
	f.ID = "more"
	f.Amount.Hint = heldHint("In the wallet", p.Chain.WalletBalance.Maybe)
	terms, known := p.Chain.Network.Config.Get()
	for tier := range validator.TierCount {
		o := views.Option{Value: strconv.Itoa(int(tier)), Label: tier.String(), Chosen: e.action.Tier == tier}
		if known {
			o.Label += ", from " + terms.MinStake[tier].Format()
		}
		f.Tiers = append(f.Tiers, o)
	}
	return f
}

// heldHint says how much there is to choose from.
func heldHint(where string, m validator.Maybe[validator.Wei]) string {
	w, known := m.Get()
	if !known {
		return "How much there is, is not known right now."
	}
	return where + ": " + w.Format()
}

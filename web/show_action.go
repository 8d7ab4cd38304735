package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// actionWords name an action and say what it is.
var actionWords = map[validator.ActionKind]struct{ title, intro string }{
	validator.ActionClaim:           {"Claim rewards", "ProverStaking pays out what the stake has earned so far, to the account that claims."},
	validator.ActionStake:           {"Stake more", "Adds SAGE of the wallet to the stake. The approval and the stake are one transaction: both happen, or neither."},
	validator.ActionUnstake:         {"Request an unstake", "Marks a part of the stake as on its way out. It can be taken out when the lockup is over."},
	validator.ActionCompleteUnstake: {"Complete an unstake", "Takes the requested unstake out of the contract, once its lockup is over."},
}

// preview tries an action out on the newest block.
func (s *Server) preview(ctx context.Context, p validator.Picture, e actionEntry) views.ActionPreview {
	calls, err := s.actions.Calls(e.action)
	if err != nil {
		return views.ActionPreview{Refusal: &views.ActionRefusal{
			Tone: views.ToneWarn, Title: "This cannot be done from here", Why: validator.Sentence(err.Error()), Next: "Whoever runs this server can set its address.",
		}}
	}
	m := views.ActionPreview{Again: previewURL(e, p.Address)}
	waiting, cancel := context.WithTimeout(ctx, actionPatience)
	defer cancel()
	sim, err := s.actions.Simulate(waiting, p.Address, calls)
	switch {
	case err == nil && sim.Reverted:
		m.Refusal = refusal(e.action, sim.Reason)
		m.Refusal.Title = "Nothing to sign: it would fail"
		m.Rows = []views.Row{blockRow(sim.Block, p)}
		if st, known := p.Chain.Stake.Get(); known && e.kind == validator.ActionCompleteUnstake {
			m.Rows = append(s.unstakeRows(p, st), m.Rows...)
		}
		return m
	case err == nil:
		m.Rows = append(append(actionRows(p, e.action, sim), feeRows(sim)...), blockRow(sim.Block, p))
		m.Warnings = feeWarnings(sim)
	case errors.Is(err, chain.ErrNoSimulation):
		m.Rows, m.Again = actionRows(p, e.action, chain.Simulation{}), ""
		m.Warnings = []views.Notice{{Tone: views.ToneWarn, Text: "This could not be tried out first: no Starknet node that this server asks can simulate transactions. Read what your wallet shows before you confirm; a transaction that fails costs its fee."}}
	default:
		m.Refusal = s.unsimulated(ctx, p.Address, err)
		return m
	}
	m.Warnings = append(m.Warnings, s.actionWarnings(p, e.action)...)
	m.Calls, m.CallData = s.shownCalls(calls), walletCalls(calls)
	return m
}

// refusal explains why the contract refuses.
func refusal(a validator.Action, words string) *views.ActionRefusal {
	why := a.Refused(words)
	return &views.ActionRefusal{Tone: views.ToneBad, Why: why.Why, Next: why.Next, Words: words}
}

// unsimulated says why nothing could be tried out.
func (s *Server) unsimulated(ctx context.Context, wallet validator.Address, err error) *views.ActionRefusal {
	if errors.Is(err, chain.ErrAccountNotDeployed) {
		return &views.ActionRefusal{
			Tone: views.ToneWarn, Title: "This account is not activated yet", Why: "There is no account contract at this address on " + networkLabel(s.network.Name) + ", so nothing can be tried out.",
			Next: "Activate the wallet with a first transaction, such as a small transfer.",
		}
	}
	s.unanswered(ctx, "a transaction could not be simulated", wallet, err)
	return &views.ActionRefusal{
		Tone: views.ToneWarn, Title: "Starknet cannot be asked right now", Why: "What would happen could not be tried out, since no Starknet node answers this server.", Next: "Try it again in a moment.",
	}
}

// actionRows say what an action does. What the simulation does not tell of amounts is what
// the newest views of the contract say.
func actionRows(p validator.Picture, a validator.Action, sim chain.Simulation) []views.Row {
	stake := func(of func(validator.Stake) validator.Wei) *views.Amount {
		return amountOf(validator.Map(p.Chain.Stake.Maybe, of))
	}
	to := views.Row{Label: "Paid to", Value: views.Value{Text: p.Address.Abbreviated(), Title: string(p.Address)}}
	switch a.Kind {
	case validator.ActionClaim:
		amount := p.Claimable()
		if sim.Claimed != nil {
			amount = validator.Some(*sim.Claimed)
		}
		return []views.Row{exactRow("You receive", amount), to, {Label: "Paid by", Value: views.Value{Text: "the network's treasury"}},
			{Label: "By the block that holds it", Value: views.Value{Text: "a little more, as rewards accrue"}}}
	case validator.ActionStake:
		return []views.Row{
			exactRow("Leaves the wallet", validator.Some(a.Amount)),
			{Label: "Staked afterwards", Amount: stake(func(st validator.Stake) validator.Wei { return st.Amount.Add(a.Amount) })},
			{Label: "As a worker of the tier", Value: views.Value{Text: a.Tier.String()}},
		}
	case validator.ActionUnstake:
		rows := []views.Row{
			exactRow("On its way out", validator.Some(a.Amount)),
			{Label: "Staked once it is out", Amount: stake(func(st validator.Stake) validator.Wei { return st.Amount.Sub(a.Amount) })},
		}
		if terms, known := p.Chain.Network.Config.Get(); known {
			rows = append(rows, views.Row{Label: "Free to take out", Value: views.Value{At: momentOf(p.Now, p.Now.Add(terms.UnstakeLockup))}})
		}
		return rows
	case validator.ActionCompleteUnstake:
		amount := validator.Map(p.Chain.Stake.Maybe, func(st validator.Stake) validator.Wei { return st.LockedAmount })
		if sim.TakenOut != nil {
			amount = validator.Some(*sim.TakenOut)
		}
		return []views.Row{
			exactRow("You receive", amount), to,
			{Label: "Staked afterwards", Amount: stake(func(st validator.Stake) validator.Wei { return st.Amount.Sub(amount.Or(st.LockedAmount)) })},
		}
	}
	return nil
}

// exactRow shows all digits of an amount.
func exactRow(label string, m validator.Maybe[validator.Wei]) views.Row {
	a := showAmount(m)
	if a.Known() {
		a.Text = a.Exact
	}
	return views.Row{Label: label, Amount: &a}
}

// feeRows say what a transaction costs, and what the account has for that.
func feeRows(sim chain.Simulation) []views.Row {
	row := func(label string, fri validator.Wei) views.Row {
		a := showWei(fri) // STRK has as many decimals as SAGE
		a.Unit = "STRK"
		return views.Row{Label: label, Amount: &a}
	}
	rows := []views.Row{row("Fee, estimated", sim.FeeFRI)}
	if sim.FeeHeld != nil {
		rows = append(rows, row("In the account for fees", *sim.FeeHeld))
	}
	return rows
}

// feeWarnings warn of an account that cannot pay the fee. Wallets set aside more than is
// estimated, half as much again as a rule.
func feeWarnings(sim chain.Simulation) []views.Notice {
	if sim.FeeHeld == nil {
		return nil
	}
	held, fee := *sim.FeeHeld, sim.FeeFRI
	switch {
	case held.Cmp(fee) < 0:
		return []views.Notice{{Tone: views.ToneWarn, Text: "The account holds less STRK than the estimated fee, so Starknet will not take the transaction unless the wallet pays the fee in another way. Send some STRK to it first."}}
	case held.Cmp(fee.MulDiv(big.NewInt(3), big.NewInt(2))) < 0:
		return []views.Notice{{Tone: views.ToneWarn, Text: "The account holds hardly more STRK than the estimated fee. Wallets set aside more than the estimate, so this one may refuse to send it."}}
	}
	return nil
}

func blockRow(b validator.Block, p validator.Picture) views.Row {
	return views.Row{Label: "Tried out on", Value: views.Value{Text: "block " + integer(b.Number), Title: utc(b.Time) + ", " + ago(p.Now, b.Time)}}
}

// shownCalls are the calls for people.
func (s *Server) shownCalls(calls []validator.ContractCall) []views.ActionCall {
	out := make([]views.ActionCall, len(calls))
	for i, call := range calls {
		out[i] = views.ActionCall{
			Contract: views.Link{Text: call.Contract.Abbreviated(), Title: string(call.Contract), URL: s.explorer("contract", string(call.Contract))},
			Name:     "ProverStaking", Function: call.Function,
		}
		if call.Function == "approve" {
			out[i].Name = "SAGEToken"
		}
		for _, f := range call.Calldata {
			out[i].Calldata = append(out[i].Calldata, f.Short())
		}
	}
	return out
}

// walletCalls writes calls as the wallet API takes them.
func walletCalls(calls []validator.ContractCall) string {
	type walletCall struct {
		Contract   string   `json:"contract_address"`
		EntryPoint string   `json:"entry_point"`
		Calldata   []string `json:"calldata"`
	}
	list := make([]walletCall, len(calls))
	for i, c := range calls {
		list[i] = walletCall{c.Contract.Felt().Short(), c.Function, []string{}}
		for _, f := range c.Calldata {
			list[i].Calldata = append(list[i].Calldata, f.Short())
		}
	}
	b, _ := json.Marshal(list) // texts alone
	return string(b)
}

// actionWarnings say what is easily overlooked.
func (s *Server) actionWarnings(p validator.Picture, a validator.Action) []views.Notice {
	st, known := p.Chain.Stake.Get()
	terms, termsKnown := p.Chain.Network.Config.Get()
	var out []views.Notice
	warn := func(tone views.Tone, format string, args ...any) {
		out = append(out, views.Notice{Tone: tone, Text: fmt.Sprintf(format, args...)})
	}
	switch a.Kind {
	case validator.ActionClaim:
	case validator.ActionStake:
		if others := otherTiers(p, a.Tier); len(others) > 0 {
			warn(views.ToneWarn, "Here runs %s. A worker that stakes as %s with such GPUs risks a slash for benchmark fraud.", strings.Join(others, ", "), a.Tier)
		}
		if known && st.Registered() && !st.Active {
			warn(views.TonePlain, "The worker is inactive. This makes it active again; a successful job does not.")
		}
		if total := st.Amount.Add(a.Amount); known && total.Cmp(validator.LargeTransfer()) >= 0 {
			warn(views.TonePlain, "A stake of %s and more comes out in parts only: SAGEToken refuses transfers of that size, and there is one unstake at a time, each with its lockup.", validator.LargeTransfer().Format())
		}
	case validator.ActionUnstake:
		lockup := "for the lockup"
		if termsKnown {
			lockup = "for " + validator.Ago(terms.UnstakeLockup)
		}
		warn(views.ToneWarn, "It is locked %s and can be slashed all that time. A request cannot be taken back, and there can be no other until it is completed.", lockup)
		out = append(out, shortfall(st, known && termsKnown, terms, st.Amount.Sub(a.Amount))...)
	case validator.ActionCompleteUnstake:
		out = append(out, shortfall(st, known && termsKnown, terms, st.Amount.Sub(st.LockedAmount))...)
	}
	return out
}

// shortfall warns of a stake that is left below its tier's minimum.
func shortfall(st validator.Stake, known bool, terms validator.StakingConfig, left validator.Wei) []views.Notice {
	if !known || left.Cmp(terms.MinStake[st.Tier]) >= 0 {
		return nil
	}
	return []views.Notice{{Tone: views.ToneWarn, Text: fmt.Sprintf("What is left, %s, is %s below the %s tier's minimum: once this is out the worker is inactive and earns nothing from jobs. Only stake() makes it active again; a successful job does not.",
		left.Format(), terms.MinStake[st.Tier].Sub(left).Format(), st.Tier)}}
}

// otherTiers names the models among the wallet's GPUs that are of another tier.
func otherTiers(p validator.Picture, tier validator.Tier) []string {
	var out []string
	for _, g := range p.AllGPUs() {
		name, known := g.Name.Get()
		if !known {
			continue
		}
		of, listed := validator.TierOfModel(name)
		if said := name + " (" + of.String() + ")"; listed && of != tier && !slices.Contains(out, said) {
			out = append(out, said)
		}
	}
	return out
}

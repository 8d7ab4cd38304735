package chain

// viewName names a view of a contract.
type viewName struct{ contract, function string }

// viewFitness is which views do not fit this program, as their last answers show. The
// client's mutex guards it.
type viewFitness struct {
	lost  map[viewName]bool   // the contract, or its function, is not found
	shape map[viewName]string // the answer has another shape than is read: a phrase that names the view
}

func newViewFitness() viewFitness {
	return viewFitness{lost: make(map[viewName]bool), shape: make(map[viewName]string)}
}

// misshapen is a phrase that says which view of a contract answers in another shape; "" if
// none does.
func (f viewFitness) misshapen(contract string) (says string) {
	var first viewName
	for v, s := range f.shape {
		if v.contract == contract && (says == "" || v.function < first.function) {
			first, says = v, s
		}
	}
	return says
}

// forgetShapes forgets how the views of a contract answered that has another class by now.
func (f viewFitness) forgetShapes(contract string) {
	for v := range f.shape {
		if v.contract == contract {
			delete(f.shape, v)
		}
	}
}

// viewAnswer is what one answer says of a view's fitness.
type viewAnswer struct {
	view  viewName
	lost  bool
	shape string
}

// note keeps what answers say, and reports whether a view was lost, or came back.
func (f viewFitness) note(answers []viewAnswer) (changed bool) {
	for _, a := range answers {
		if f.lost[a.view] != a.lost {
			changed = true
		}
		delete(f.lost, a.view)
		delete(f.shape, a.view)
		if a.lost {
			f.lost[a.view] = true
		}
		if a.shape != "" {
			f.shape[a.view] = a.shape
		}
	}
	return changed
}

// fitness appends what the answer says of the view; nothing where the node did not answer, or
// the contract refused.
func (v viewCall[T]) fitness(to []viewAnswer) []viewAnswer {
	if v.rpc == nil {
		return to
	}
	a := viewAnswer{view: viewName{v.contract.name, v.call.Function}}
	switch code := codeOf(v.rpc.err); {
	case code == codeContractNotFound || code == codeEntryPointNotFound:
		a.lost = true
	case v.rpc.err != nil:
		return to
	default:
		felts, err := parseFelts(v.rpc.raw)
		if err != nil {
			return to // that is the node's nonsense, not the contract's
		}
		if _, err := v.decode(felts); err != nil {
			a.shape = a.view.contract + "." + a.view.function + " " + err.Error()
		}
	}
	return append(to, a)
}

func (p *blockPlan) fitness(to []viewAnswer) []viewAnswer {
	return p.reputation.fitness(p.totalSlashed.fitness(p.totalStaked.fitness(p.config.fitness(to))))
}

func (p *walletPlan) fitness(to []viewAnswer) []viewAnswer {
	to = p.balance.fitness(p.eligible.fitness(p.stake.fitness(to)))
	to = p.mining.tier.fitness(p.mining.left.fitness(p.mining.stats.fitness(to)))
	to = p.byWallet.rank.fitness(p.byWallet.reputation.fitness(to))
	if p.findID != nil {
		to = p.findID.fitness(to)
	}
	return to
}

// noteFitness keeps what a read says of the views, and has the contracts' classes checked at
// once if one was lost or came back.
func (c *Client) noteFitness(block *blockPlan, wallets []*walletPlan) {
	var answers []viewAnswer
	if block != nil {
		answers = block.fitness(answers)
	}
	for _, w := range wallets {
		answers = w.fitness(answers)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.views.note(answers) {
		signal(c.checkNow)
	}
}

package observe

import "github.com/bitsage-network/validator-dashboard/validator"

// Viewer says for whom something is read, as far as what may be shown depends on that. The zero
// Viewer is a wallet that signed in.
type Viewer struct {
	Local    bool // somebody on this machine
	Stranger bool // nobody knows who: they see how a source is, but not why
}

// HiddenReason stands for a reason that a Stranger does not see, since it may name a host or a file.
const HiddenReason = "Sign in to see why."

// RedactState returns a source's state as the viewer may see it.
func (v Viewer) RedactState(st validator.SourceState) validator.SourceState {
	if v.Stranger && st.Health != validator.HealthOK {
		st.Reason, st.Remedy = HiddenReason, ""
	}
	return st
}

// RedactNetwork returns what the chain knows of the network as the viewer may see it.
func (v Viewer) RedactNetwork(n validator.ChainNetwork) validator.ChainNetwork {
	n.State = v.RedactState(n.State)
	if !v.Stranger {
		return n
	}
	if !n.TotalStaked.Known() {
		n.TotalStaked.Maybe = validator.None[validator.Wei](HiddenReason)
	}
	if !n.TotalSlashed.Known() {
		n.TotalSlashed.Maybe = validator.None[validator.Wei](HiddenReason)
	}
	if !n.Config.Known() {
		n.Config.Maybe = validator.None[validator.StakingConfig](HiddenReason)
	}
	return n
}

package validator

// ActionKind is something that the owner of a stake can sign about it.
type ActionKind string

// The actions that ProverStaking takes from a worker's wallet.
const (
	ActionClaim           ActionKind = "claim"
	ActionStake           ActionKind = "stake"
	ActionUnstake         ActionKind = "unstake"
	ActionCompleteUnstake ActionKind = "complete"
)

// Action is one of them with what it is about.
type Action struct {
	Kind   ActionKind
	Amount Wei  // of ActionStake and ActionUnstake
	Tier   Tier // of ActionStake
}

// LargeTransfer is the amount from which SAGEToken's transfer refuses: what a contract pays
// out by it must be less. The token has no view of it.
func LargeTransfer() Wei { return WeiFromSAGE(10_000) }

// Refusal is why a contract refuses an action, and what its owner can do about it.
type Refusal struct {
	Why  string // a sentence
	Next string // a sentence; "" if there is nothing to do but to wait and see
}

// Refused explains the words of a contract that reverts an action. Words that are not known
// are shown as they are, and no words at all as that.
func (a Action) Refused(words string) Refusal {
	claim := a.Kind == ActionClaim
	switch words {
	case "ERC20: insufficient allowance":
		if claim {
			return Refusal{"The treasury allows ProverStaking to pay out less SAGE than this claim comes to.", "Nothing is lost: rewards go on accruing. Whoever runs the network must raise the allowance; try again later."}
		}
		return Refusal{"ProverStaking may not take that much SAGE from the wallet.", "Try again: the approval is part of the same transaction."}
	case "ERC20: insufficient balance":
		switch a.Kind {
		case ActionClaim:
			return Refusal{"The treasury that pays claims holds less SAGE than this claim comes to.", "Nothing is lost: rewards go on accruing. Whoever runs the network must fill the treasury; try again later."}
		case ActionStake:
			return Refusal{"The wallet holds less SAGE than this.", "Enter an amount that the wallet holds."}
		case ActionUnstake, ActionCompleteUnstake:
		}
		return Refusal{"ProverStaking itself holds less SAGE than it would have to pay out.", "Tell whoever runs the network; the stake stays yours on the contract's books."}
	case "Use large transfer":
		return Refusal{"SAGEToken refuses transfers of " + LargeTransfer().Format() + " and more, and ProverStaking pays unstakes out by such a transfer.", "As the contract is, an unstake of this size cannot be paid out. Tell whoever runs the network."}
	case "No rewards to claim":
		return Refusal{"There is nothing to claim.", "Rewards accrue with every second on a stake; come back later."}
	case "Lockup not expired":
		return Refusal{"The unstake is still locked.", "Complete it once the time is over that the stake's page counts down to."}
	case "No pending unstake":
		return Refusal{"No unstake was requested.", "Request one first; it can be completed when it is free."}
	case "Pending unstake exists":
		return Refusal{"An unstake was requested already, and there can be only one at a time.", "Complete that one first."}
	case "Insufficient stake":
		return Refusal{"Less than this is staked.", "Enter an amount that is staked."}
	case "Insufficient stake for tier":
		return Refusal{"With this amount the stake would still be below the tier's minimum.", "Enter more, or a lower tier that fits your GPUs."}
	case "u256_sub Overflow":
		return Refusal{"Less is staked by now than the unstake is about, since a slash took some of it.", "As the contract is, this unstake cannot be completed until the stake is that high again."}
	case "":
		return Refusal{"The contract refuses it and gives no reason.", ""}
	}
	return Refusal{"The contract refuses it: “" + words + "”.", ""}
}

// TransactionOutcome is what became of a transaction.
type TransactionOutcome struct {
	Block    *Block // that holds it; nil while none does
	Reverted bool   // it is in the block without effect
	Reason   string // the contract's words if it reverted; "" if there are none
}

package chain

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// State says how far the chain can be believed right now: judged at the call, so that a
// client that stopped reading is not taken for a healthy one.
func (c *Client) State() validator.SourceState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stateAt(c.cfg.Now())
}

// stateAt judges the network's reads; c.mu is held.
func (c *Client) stateAt(now time.Time) validator.SourceState {
	s := validator.SourceState{Source: validator.SourceChain, Health: validator.HealthOK}
	if c.block != nil {
		s.Block, s.BlockTime = c.block.Number, c.block.Time
		s.ObservedAt = c.confirmedAt(c.block.Hash, c.block.observedAt)
	}
	if !c.cfg.Contracts.unreadable() {
		s.Arrival = c.arrival()
	}
	without := validator.HealthUnavailable
	if c.block != nil {
		without = validator.HealthStale
	}
	switch {
	case c.cfg.Contracts.unreadable():
		s.Health = validator.HealthDisabled
		s.Reason = validator.Sentence(c.nothingConfigured())
		s.Remedy = "Set PROVER_STAKING_ADDRESS, REPUTATION_MANAGER_ADDRESS and SAGE_TOKEN_ADDRESS."
	case c.headFault != nil:
		s.Health = without
		s.Reason, s.Remedy = c.outageWords(c.headFault)
	case c.readFault != nil && (c.block == nil || c.block.Hash != c.head.hash):
		s.Health = without
		s.Reason, s.Remedy = c.outageWords(c.readFault)
	case c.block == nil:
		s.Health = validator.HealthUnavailable
		s.Reason = "Starknet has not been read yet."
		if o := c.pool.standingOutage(); o != nil {
			s.Reason, s.Remedy = c.outageWords(o)
		}
	case now.Sub(c.head.polledAt) > c.silence():
		s.Health = validator.HealthStale
		s.Reason = fmt.Sprintf("Starknet was last asked %s ago.", validator.Ago(now.Sub(c.head.polledAt)))
	case now.Sub(c.block.Time) > c.cfg.HeadMaxAge:
		s.Health = validator.HealthStale
		s.Reason = fmt.Sprintf("The node's newest block is %s old.", validator.Ago(now.Sub(c.block.Time)))
		s.Remedy = "The node lags or the network stands still: add a second node to STARKNET_RPC to tell which."
	}
	return s
}

func (c *Client) nothingConfigured() string {
	if c.cfg.Network.Deployed() {
		return "no contract of the network has an address"
	}
	return "BitSage's contracts are not deployed on " + c.cfg.Network.Name
}

// confirmedAt returns when values of a block were last known to be the newest: when they
// were read, or when a node said later that the block still is the head. c.mu is held.
func (c *Client) confirmedAt(block validator.Felt, readAt time.Time) time.Time {
	if c.head != nil && c.head.hash == block && c.head.polledAt.After(readAt) {
		return c.head.polledAt
	}
	return readAt
}

// silence is how long after the last answered poll something must be wrong.
func (c *Client) silence() time.Duration {
	return max(3*c.cfg.PollInterval, c.cfg.IdlePollInterval+c.cfg.PollInterval) + c.cfg.CallTimeout
}

// walletState judges the reads of one wallet; c.mu is held.
func (c *Client) walletState(w *watchedWallet, now time.Time) validator.SourceState {
	s := c.stateAt(now)
	if w.snapshot == nil {
		s.Block, s.BlockTime, s.ObservedAt = 0, time.Time{}, time.Time{}
		switch {
		case s.Health == validator.HealthDisabled:
		case w.fault != nil:
			s.Health = validator.HealthUnavailable
			s.Reason, s.Remedy = c.outageWords(w.fault)
		default:
			s.Health = validator.HealthUnavailable
			if s.Reason == "" {
				s.Reason = "This wallet is being read for the first time."
			}
		}
		return s
	}
	b := w.snapshot.Block
	s.Block, s.BlockTime = b.Number, b.Time
	s.ObservedAt = c.confirmedAt(b.Hash, w.snapshot.ObservedAt)
	if s.Health == validator.HealthOK && b.Hash != c.head.hash {
		switch {
		case w.fault != nil:
			s.Health = validator.HealthStale
			s.Reason, s.Remedy = c.outageWords(w.fault)
		case now.Sub(s.ObservedAt) > c.silence():
			s.Health = validator.HealthStale
			s.Reason = fmt.Sprintf("This wallet was last read %s ago.", validator.Ago(now.Sub(s.ObservedAt)))
		}
	}
	return s
}

// outageWords says for people why the chain is not read, and what they can do; c.mu is held.
func (c *Client) outageWords(err error) (reason, remedy string) {
	var o *outage
	if !errors.As(err, &o) || len(o.faults) == 0 {
		return "Starknet cannot be read.", ""
	}
	says := make([]string, len(o.faults))
	for i, f := range o.faults {
		says[i] = f.says
	}
	all := strings.Join(says, "; ")
	switch {
	case o.only(faultWrongChain), o.only(faultBehind):
		reason = validator.Sentence(all)
	default:
		reason = "Starknet cannot be reached: " + all + "."
	}
	if c.block != nil {
		reason += fmt.Sprintf(" Last good block %d.", c.block.Number)
	}
	switch {
	case o.has(faultWrongChain):
		remedy = fmt.Sprintf("Set STARKNET_RPC to a node of %s, or NETWORK to the network that is meant.", c.cfg.Network.ChainID)
	case o.refused():
		remedy = "Check the API key in STARKNET_RPC."
	case o.only(faultBehind):
		remedy = "Wait for the node to catch up, or add a second one to STARKNET_RPC."
	default:
		remedy = "Check this machine's network, or add another node to STARKNET_RPC, separated by a comma."
	}
	return reason, remedy
}

// refused says whether a node turned this program away.
func (o *outage) refused() bool {
	for _, f := range o.faults {
		if f.status == http.StatusUnauthorized || f.status == http.StatusForbidden {
			return true
		}
	}
	return false
}

// phrase makes a sentence the reason of a single missing value: no capital, no full stop.
func phrase(sentence string) string {
	first, _, _ := strings.Cut(sentence, ". ")
	first = strings.TrimSuffix(first, ".")
	r, n := utf8.DecodeRuneInString(first)
	if n == 0 || strings.HasPrefix(first, "Starknet") || strings.HasPrefix(first, "BitSage") {
		return first
	}
	return string(unicode.ToLower(r)) + first[n:]
}

// briefly writes how long was waited: "5 s", "300 ms".
func briefly(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Round(10*time.Millisecond).Milliseconds())
	}
	return fmt.Sprintf("%d s", int(d.Round(time.Second)/time.Second))
}

package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/NethermindEth/starknet.go/rpc"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Contracts returns what the last check of every contract's class found, in a fixed order. A
// contract whose class has all functions is incompatible, too, while one of its views answers
// in another shape than this program reads.
func (c *Client) Contracts() []validator.ContractCheck {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := slices.Clone(c.checks)
	for i, check := range out {
		if says := c.views.misshapen(check.Name); says != "" && check.Status == validator.ContractOK {
			out[i].Status, out[i].Reason = validator.ContractIncompatible, validator.Sentence(says)
		}
	}
	return out
}

// uncheckedContracts is what is known of the contracts without asking a node.
func (c *Client) uncheckedContracts() []validator.ContractCheck {
	var out []validator.ContractCheck
	for _, k := range c.cfg.Contracts.all() {
		check := validator.ContractCheck{Name: k.name, Address: k.address,
			Status: validator.ContractUnchecked, Reason: "It has not been checked yet."}
		if k.address == "" {
			check.Status = validator.ContractNotConfigured
			check.Reason = validator.Sentence(notConfigured(c.cfg.Network, k))
		}
		out = append(out, check)
	}
	return out
}

// checkContracts checks every contract's class now and at an interval, at once when a view is
// lost or comes back, and sooner while a check could not be done, until ctx ends.
func (c *Client) checkContracts(ctx context.Context) {
	for ctx.Err() == nil {
		wait := c.cfg.CheckInterval
		if !c.checkAll(ctx) {
			wait = min(wait, c.cfg.CheckRetry)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-c.checkNow:
		}
		t.Stop()
	}
}

// checkAll asks for the hashes of all contracts' classes at once, and compares the classes
// that are new one after another, since they are large. It says whether every check could be
// done.
func (c *Client) checkAll(ctx context.Context) bool {
	var hashes map[validator.Address]classAnswer
	err := c.pool.do(ctx, c.cfg.CallTimeout, func(ctx context.Context, e *endpoint) error {
		var err error
		hashes, err = e.classHashes(ctx, c.cfg.Network.ChainID, c.cfg.Contracts.all())
		return err
	})
	done := err == nil
	for i, k := range c.cfg.Contracts.all() {
		if k.address == "" {
			continue
		}
		c.mu.Lock()
		before := c.checks[i]
		c.mu.Unlock()
		var check validator.ContractCheck
		failed := err
		if failed == nil {
			check, failed = c.checkContract(ctx, k, hashes[k.address], before)
		}
		if ctx.Err() != nil {
			return true
		}
		if failed != nil {
			done = false
			check = c.couldNotCheck(before, failed)
		}
		c.mu.Lock()
		c.checks[i] = check
		if check.ClassHash != before.ClassHash {
			c.views.forgetShapes(k.name)
		}
		c.mu.Unlock()
		if check.Status != before.Status || check.ClassHash != before.ClassHash {
			c.logCheck(check, failed)
		}
	}
	return done
}

func (c *Client) logCheck(check validator.ContractCheck, err error) {
	args := []any{"contract", check.Name, "address", string(check.Address),
		"status", string(check.Status), "class", string(check.ClassHash)}
	switch {
	case err != nil:
		c.log.Warn("Contract could not be checked", append(args, "error", err.Error())...)
	case check.Status != validator.ContractOK:
		c.log.Warn("Contract is not what this program calls", append(args, "reason", check.Reason)...)
	default:
		c.log.Info("Contract checked", args...)
	}
}

// couldNotCheck keeps what an earlier check found.
func (c *Client) couldNotCheck(before validator.ContractCheck, err error) validator.ContractCheck {
	if before.Status != validator.ContractUnchecked {
		return before
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before.Reason, _ = c.outageWords(err)
	if errors.Is(err, errNoABI) {
		before.Reason = "The node does not tell this contract's functions."
	}
	return before
}

// checkContract compares a contract's class with what this program needs of it. A class
// that was compared before is not fetched again.
func (c *Client) checkContract(ctx context.Context, k namedContract, answer classAnswer, before validator.ContractCheck) (validator.ContractCheck, error) {
	out := validator.ContractCheck{Name: k.name, Address: k.address, Status: validator.ContractOK, ClassHash: answer.hash}
	switch {
	case answer.err != nil:
		return out, fmt.Errorf("check the class of %s: %w", k.name, &outage{faults: []*fault{answer.err}})
	case answer.notDeployed:
		out.Status = validator.ContractNotDeployed
		out.Reason = fmt.Sprintf("There is no contract at %s on %s.", k.address.Abbreviated(), c.cfg.Network.Name)
		return out, nil
	case answer.hash == before.ClassHash:
		return before, nil
	case len(k.needs) == 0:
		return out, nil
	}
	err := c.pool.do(ctx, classTimeout(c.cfg), func(ctx context.Context, e *endpoint) error {
		var err error
		out.MissingFunctions, err = e.missingFunctions(ctx, k)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("check the class of %s: %w", k.name, err)
	}
	if len(out.MissingFunctions) > 0 {
		out.Status = validator.ContractIncompatible
		out.Reason = fmt.Sprintf("Its class lacks %s, which this program needs.", strings.Join(out.MissingFunctions, ", "))
	}
	return out, nil
}

// classAnswer is what a node says of the class of one contract.
type classAnswer struct {
	hash        validator.Felt
	notDeployed bool
	err         *fault
}

// classHashes asks for the hashes of contracts' classes.
func (e *endpoint) classHashes(ctx context.Context, chainID string, contracts []namedContract) (map[validator.Address]classAnswer, error) {
	id := &rpcCall{method: "starknet_chainId"}
	calls := []*rpcCall{id}
	byAddress := make(map[validator.Address]*rpcCall)
	for _, k := range contracts {
		if k.address != "" && byAddress[k.address] == nil {
			byAddress[k.address] = &rpcCall{method: "starknet_getClassHashAt",
				params: []any{rpc.WithBlockTag(rpc.BlockTagLatest), wireFelt(k.address.Felt())}}
			calls = append(calls, byAddress[k.address])
		}
	}
	if err := e.batch(ctx, calls); err != nil {
		return nil, err
	}
	if err := e.checkChain(id, chainID); err != nil {
		return nil, err
	}
	out := make(map[validator.Address]classAnswer, len(byAddress))
	for at, call := range byAddress {
		switch {
		case codeOf(call.err) == codeContractNotFound:
			out[at] = classAnswer{notDeployed: true}
		case call.err != nil:
			out[at] = classAnswer{err: e.refusal(call.err)}
		default:
			hash, err := parseFelt(call.raw)
			if err != nil {
				return nil, e.nonsense("a class hash", err)
			}
			out[at] = classAnswer{hash: hash}
		}
	}
	return out, nil
}

// missingFunctions fetches a contract's class and returns what it lacks.
func (e *endpoint) missingFunctions(ctx context.Context, k namedContract) ([]string, error) {
	class := &rpcCall{method: "starknet_getClassAt",
		params: []any{rpc.WithBlockTag(rpc.BlockTagLatest), wireFelt(k.address.Felt())}}
	if err := e.batch(ctx, []*rpcCall{class}); err != nil {
		return nil, err
	}
	if class.err != nil {
		return nil, e.refusal(class.err)
	}
	functions, err := functionsOf(class.raw)
	switch {
	case errors.Is(err, errNoABI):
		return nil, err
	case err != nil:
		return nil, e.nonsense("a class", err)
	}
	var missing []string
	for _, name := range k.needs {
		if !functions.has(name) {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

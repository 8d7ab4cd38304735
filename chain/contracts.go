package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/NethermindEth/starknet.go/rpc"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Contracts returns what the last check of every contract's class found, in a fixed order.
func (c *Client) Contracts() []validator.ContractCheck {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.checks)
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

// checkContracts checks every contract's class now, hourly, and sooner while a check
// could not be done, until ctx ends.
func (c *Client) checkContracts(ctx context.Context) {
	for {
		wait := c.cfg.CheckInterval
		if !c.checkAll(ctx) {
			wait = c.cfg.CheckRetry
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// checkAll checks the contracts one after another, since classes are large. It says
// whether every check could be done.
func (c *Client) checkAll(ctx context.Context) bool {
	done := true
	for i, k := range c.cfg.Contracts.all() {
		if k.address == "" {
			continue
		}
		c.mu.Lock()
		before := c.checks[i]
		c.mu.Unlock()
		check, err := c.checkContract(ctx, k, before)
		if ctx.Err() != nil {
			return true
		}
		if err != nil {
			done = false
			check = c.couldNotCheck(before, err)
		}
		c.mu.Lock()
		c.checks[i] = check
		c.mu.Unlock()
		if check.Status != before.Status || check.ClassHash != before.ClassHash {
			c.logCheck(check, err)
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
// that was found good before is not fetched again.
func (c *Client) checkContract(ctx context.Context, k namedContract, before validator.ContractCheck) (validator.ContractCheck, error) {
	out := validator.ContractCheck{Name: k.name, Address: k.address, Status: validator.ContractOK}
	var deployed bool
	err := c.pool.do(ctx, classTimeout(c.cfg), func(ctx context.Context, e *endpoint) error {
		var err error
		out.ClassHash, deployed, err = e.classHash(ctx, c.cfg.Network.ChainID, k)
		if err != nil || !deployed || out.ClassHash == before.ClassHash || len(k.needs) == 0 {
			return err
		}
		out.MissingFunctions, err = e.missingFunctions(ctx, k)
		return err
	})
	switch {
	case err != nil:
		return validator.ContractCheck{}, fmt.Errorf("check the class of %s: %w", k.name, err)
	case !deployed:
		out.Status = validator.ContractNotDeployed
		out.Reason = fmt.Sprintf("There is no contract at %s on %s.", k.address.Abbreviated(), c.cfg.Network.Name)
	case out.ClassHash == before.ClassHash:
		return before, nil
	case len(out.MissingFunctions) > 0:
		out.Status = validator.ContractIncompatible
		out.Reason = fmt.Sprintf("Its class lacks %s, which this program needs.", strings.Join(out.MissingFunctions, ", "))
	}
	return out, nil
}

// classHash asks for a contract's class hash; false means that there is no contract.
func (e *endpoint) classHash(ctx context.Context, chainID string, k namedContract) (validator.Felt, bool, error) {
	id := &rpcCall{method: "starknet_chainId"}
	hash := &rpcCall{method: "starknet_getClassHashAt",
		params: []any{rpc.WithBlockTag(rpc.BlockTagLatest), wireFelt(k.address.Felt())}}
	if err := e.batch(ctx, []*rpcCall{id, hash}); err != nil {
		return "", false, err
	}
	if err := e.checkChain(id, chainID); err != nil {
		return "", false, err
	}
	switch {
	case codeOf(hash.err) == codeContractNotFound:
		return "", false, nil
	case hash.err != nil:
		return "", false, e.refusal(hash.err)
	}
	f, err := parseFelt(hash.raw)
	if err != nil {
		return "", false, e.nonsense("a class hash", err)
	}
	return f, true, nil
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

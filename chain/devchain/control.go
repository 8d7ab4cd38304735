package devchain

import (
	"encoding/json"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// AllowControl lets clients mine blocks and take blocks back, by the methods that
// starknet-devnet has for it: devnet_createBlock and devnet_abortBlocks.
func (n *Node) AllowControl() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.controlled = true
}

// control runs a method of those that AllowControl allows. It holds no lock of the chain.
func (n *Node) control(name string, params json.RawMessage) (result any, known bool, err error) {
	n.mu.Lock()
	allowed := n.controlled
	n.mu.Unlock()
	switch {
	case !allowed:
		return nil, false, nil
	case name == "devnet_createBlock":
		return map[string]string{"block_hash": n.chain.Mine().Hash.Short()}, true, nil
	case name == "devnet_abortBlocks":
		result, err = n.abortBlocks(params)
		return result, true, err
	}
	return nil, false, nil
}

// abortBlocks takes back every block from one on.
func (n *Node) abortBlocks(params json.RawMessage) (any, error) {
	p, err := positional([]string{"starting_block_id"}, params)
	if err != nil {
		return nil, err
	}
	n.chain.mu.RLock()
	b, _, err := chainView{Chain: n.chain, node: n}.at(p[0])
	gone := []validator.Felt{}
	if err == nil {
		for _, b := range n.chain.blocks[b.number:] {
			gone = append(gone, b.hash)
		}
	}
	n.chain.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	if err := n.chain.Reorg(len(gone)); err != nil {
		return nil, &RPCError{Code: -1, Message: err.Error()}
	}
	return map[string]any{"aborted": short(gone)}, nil
}

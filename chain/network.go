package chain

import (
	"errors"
	"fmt"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Network is a Starknet network and what BitSage has on it.
type Network struct {
	Name        string            // "sepolia", as in the NETWORK setting
	ChainID     string            // as a short string: "SN_SEPOLIA"
	ExplorerURL string            // without a slash at the end
	FeeToken    validator.Address // the token that fees are paid in, of 18 decimals; "" if that is not known
	DefaultRPC  string            // a public node
	Contracts   Contracts         // as published; all empty where BitSage is not deployed
}

// Deployed says whether BitSage has published contracts on the network.
func (n Network) Deployed() bool { return n.Contracts != Contracts{} }

// ChainFelt is the chain id as the felt that packs it, which is how wallets tell it.
func (n Network) ChainFelt() validator.Felt { return shortStringFelt(n.ChainID) }

// SameChain says whether a chain id as a wallet tells it, as a felt or as a short string,
// is the network's.
func (n Network) SameChain(id string) bool {
	if id == n.ChainID {
		return id != ""
	}
	f, err := validator.ParseFelt(id)
	return err == nil && n.ChainID != "" && f == n.ChainFelt()
}

// Contracts are the addresses of the network's contracts; "" is one that is not
// configured: everything that would be read from it is missing, with that reason.
type Contracts struct {
	ProverStaking     validator.Address
	ReputationManager validator.Address
	SAGEToken         validator.Address
	JobManager        validator.Address
	MiningRewards     validator.Address
	PaymentRouter     validator.Address
}

// Or returns c with the addresses that it lacks taken from defaults.
func (c Contracts) Or(defaults Contracts) Contracts {
	pick := func(a, b validator.Address) validator.Address {
		if a != "" {
			return a
		}
		return b
	}
	return Contracts{
		ProverStaking:     pick(c.ProverStaking, defaults.ProverStaking),
		ReputationManager: pick(c.ReputationManager, defaults.ReputationManager),
		SAGEToken:         pick(c.SAGEToken, defaults.SAGEToken),
		JobManager:        pick(c.JobManager, defaults.JobManager),
		MiningRewards:     pick(c.MiningRewards, defaults.MiningRewards),
		PaymentRouter:     pick(c.PaymentRouter, defaults.PaymentRouter),
	}
}

// unreadable says whether no contract that a wallet is read from has an address.
func (c Contracts) unreadable() bool {
	return c.ProverStaking == "" && c.ReputationManager == "" && c.SAGEToken == ""
}

// strk is STRK's address on both networks.
const strk validator.Address = "0x04718f5a0fc34cc1af16a1cdee98ffb20c31f5cd61d6ab07201858f4287c938d"

// ErrUnknownNetwork says that a name is no network; the wrapping error lists those that are.
var ErrUnknownNetwork = errors.New("unknown network")

// NetworkByName returns the network called "sepolia" or "mainnet".
func NetworkByName(name string) (Network, error) {
	switch name {
	case "sepolia":
		return Network{
			Name:        "sepolia",
			ChainID:     "SN_SEPOLIA",
			ExplorerURL: "https://sepolia.starkscan.co",
			FeeToken:    strk,
			DefaultRPC:  "https://api.cartridge.gg/x/starknet/sepolia",
			Contracts: Contracts{
				ProverStaking:     "0x0165fe12b09dd5e6b692cbf59f9c3ea0af30a2616f248c150357b07b967039da",
				ReputationManager: "0x019c05a8f648c835e66e98c700b628d14ed4249e5e60e32c7f779d38da90e9d9",
				SAGEToken:         "0x04321b7282ae6aa354988eed57f2ff851314af8524de8b1f681a128003cc4ea5",
				JobManager:        "0x0534a8f5cc1399b368b5be211df25e370f4a74d3d5b2d040f9d5b69981b069ed",
			},
		}, nil
	case "mainnet":
		return Network{
			Name:        "mainnet",
			ChainID:     "SN_MAIN",
			ExplorerURL: "https://starkscan.co",
			FeeToken:    strk,
			DefaultRPC:  "https://api.cartridge.gg/x/starknet/mainnet",
		}, nil
	}
	return Network{}, fmt.Errorf("%w %q: it must be sepolia or mainnet", ErrUnknownNetwork, name)
}

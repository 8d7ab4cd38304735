package devchain

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"

	"github.com/NethermindEth/starknet.go/curve"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// WalletConfig says whose wallet NewWallet makes. Either Seed or PrivateKey must be given.
type WalletConfig struct {
	Seed       string            // any text: the same one gives the same key
	PrivateKey validator.Felt    // instead of a seed
	Address    validator.Address // of the account; AccountAddress of the key if ""

	// LongSignatures makes it sign as accounts with several signers do, in five felts
	// instead of two.
	LongSignatures bool

	// SignatureFelts makes its signatures as long as those of passkeys, which hold the data that
	// the browser signed: so many felts, at least minPasskeyFelts. 0 = as LongSignatures says.
	SignatureFelts int
}

// Wallet holds the key of one account on one chain and does what its owner's page asks for:
// the wallet API over HTTP. It asks nobody before it signs, so it is for test keys only.
type Wallet struct {
	chain   *Chain
	private *big.Int
	public  validator.Felt
	address validator.Address
	long    bool
	passkey int // felts of a signature, 0 = no passkey

	mu      sync.Mutex
	refuses bool
}

// NewWallet returns the wallet of an account that need not be deployed: Deploy does that,
// and so does the wallet's first transaction, as with real wallets.
func NewWallet(c *Chain, cfg WalletConfig) (*Wallet, error) {
	var key *big.Int
	switch {
	case (cfg.Seed == "") == (cfg.PrivateKey == ""):
		return nil, errors.New("devchain: a wallet needs a seed or a private key, and not both")
	case cfg.Seed != "":
		// 250 bits are always below the curve's order.
		sum := sha256.Sum256([]byte("devchain wallet " + cfg.Seed))
		key = new(big.Int).SetBytes(sum[:])
		key.Rsh(key, 6)
	default:
		key = cfg.PrivateKey.Big()
	}
	if key.Sign() == 0 {
		return nil, errors.New("devchain: a private key is not 0")
	}
	if n := cfg.SignatureFelts; n != 0 && n < minPasskeyFelts {
		return nil, fmt.Errorf("devchain: a passkey's signature has at least %d felts, not %d", minPasskeyFelts, n)
	}
	x, _ := curve.PrivateKeyToPoint(key)
	w := &Wallet{chain: c, private: key, public: feltOf(x), address: cfg.Address, long: cfg.LongSignatures, passkey: cfg.SignatureFelts}
	if w.address == "" {
		w.address = AccountAddress(w.public)
	}
	return w, nil
}

// Address returns where the wallet's account is, or will be.
func (w *Wallet) Address() validator.Address { return w.address }

// PublicKey returns the x coordinate of the account's key.
func (w *Wallet) PublicKey() validator.Felt { return w.public }

// Deploy deploys the wallet's account with the next block.
func (w *Wallet) Deploy() { w.chain.DeployAccountAt(w.address, w.public) }

// Refuse makes the wallet's owner say no to everything from now on, or yes again.
func (w *Wallet) Refuse(refuses bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuses = refuses
}

func (w *Wallet) refused() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refuses
}

// Sign signs a hash as the account's contract expects it.
func (w *Wallet) Sign(hash validator.Felt) ([]validator.Felt, error) {
	r, s, err := curve.Sign(hash.Big(), w.private)
	if err != nil {
		return nil, fmt.Errorf("devchain: sign a hash: %w", err)
	}
	if w.passkey > 0 {
		return passkeySignature(hash, w.public, feltOf(r), feltOf(s), w.passkey), nil
	}
	if w.long {
		return felts(uint64(1), uint64(0), w.public, feltOf(r), feltOf(s)), nil
	}
	return []validator.Felt{feltOf(r), feltOf(s)}, nil
}

// SignTypedData signs typed data in JSON: the hash of SNIP-12, signed by the account's key.
func (w *Wallet) SignTypedData(typedData []byte) ([]validator.Felt, error) {
	hash, err := w.MessageHash(typedData)
	if err != nil {
		return nil, err
	}
	return w.Sign(hash)
}

// Invoke queues the calls as one transaction of the account and returns its hash. An account
// that is not deployed is deployed by it.
func (w *Wallet) Invoke(calls ...Call) validator.Felt {
	c := w.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	tx := &transaction{sender: w.address, calls: calls}
	if _, deployed := c.working.deployed[w.address]; !deployed {
		tx.deploys = w.public
	}
	return c.enqueue(tx)
}

// number reads a felt of a wallet's calldata: hex digits after 0x, or decimal ones.
func number(s string) (validator.Felt, error) {
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
		return validator.ParseFelt(s)
	}
	w, err := validator.ParseWei(s)
	if err != nil {
		return "", fmt.Errorf("%q is no number", s)
	}
	return validator.FeltFromBig(w.Big())
}

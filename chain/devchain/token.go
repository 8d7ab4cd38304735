package devchain

import "github.com/bitsage-network/validator-dashboard/validator"

// largeTransfer is the amount from which SAGEToken's transfer refuses, in whole SAGE.
const largeTransfer = 10_000

// sageToken is the SAGEToken contract.
func sageToken() *contract {
	return &contract{name: "SAGEToken", abi: sageTokenABI, functions: map[string]function{
		"balance_of": view(func(s *state, args []validator.Felt) []validator.Felt {
			return felts(s.balances[validator.Address(args[0])])
		}, addressInput("account")),
		"allowance": view(func(s *state, args []validator.Felt) []validator.Felt {
			return felts(s.allowances[allowance{validator.Address(args[0]), validator.Address(args[1])}])
		}, addressInput("owner"), addressInput("spender")),
		"decimals": view(func(*state, []validator.Felt) []validator.Felt {
			return felts(uint64(validator.SAGEDecimals))
		}),
		"approve": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			amount, ok := u256Of(args[1], args[2])
			if !ok {
				return nil, badParam(2)
			}
			x.state.allowances[allowance{x.caller, validator.Address(args[0])}] = amount
			return felts(true), nil
		}, addressInput("spender"), u256Input("amount")),
		"transfer": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			amount, ok := u256Of(args[1], args[2])
			if !ok {
				return nil, badParam(2)
			}
			return felts(true), x.transfer(x.self, x.caller, validator.Address(args[0]), amount)
		}, addressInput("recipient"), u256Input("amount")),
		"transfer_from": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			amount, ok := u256Of(args[2], args[3])
			if !ok {
				return nil, badParam(3)
			}
			return felts(true), x.transferFrom(x.self, x.caller, validator.Address(args[0]), validator.Address(args[1]), amount)
		}, addressInput("sender"), addressInput("recipient"), u256Input("amount")),
	}}
}

// transferFrom is the token's transfer_from as another contract (spender) calls it.
func (x *execution) transferFrom(token, spender, from, to validator.Address, amount validator.Wei) error {
	key := allowance{from, spender}
	if x.state.allowances[key].Cmp(amount) < 0 {
		return panicked("ERC20: insufficient allowance")
	}
	if err := x.move(token, from, to, amount); err != nil {
		return err
	}
	x.state.allowances[key] = x.state.allowances[key].Sub(amount)
	return nil
}

// transfer is the token's transfer as the owner calls it.
func (x *execution) transfer(token, from, to validator.Address, amount validator.Wei) error {
	if amount.Cmp(validator.WeiFromSAGE(largeTransfer)) >= 0 {
		return panicked("Use large transfer")
	}
	return x.move(token, from, to, amount)
}

func (x *execution) move(token, from, to validator.Address, amount validator.Wei) error {
	if x.state.balances[from].Cmp(amount) < 0 {
		return panicked("ERC20: insufficient balance")
	}
	x.state.balances[from] = x.state.balances[from].Sub(amount)
	x.state.balances[to] = x.state.balances[to].Add(amount)
	x.events = append(x.events, event{token,
		[]validator.Felt{selector("Transfer"), from.Felt(), to.Felt()}, felts(amount)})
	return nil
}

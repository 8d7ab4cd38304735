//! SAGEToken as far as the dashboard meets it: balances, allowances, and a transfer that
//! refuses large amounts.

#[starknet::contract]
pub mod SAGEToken {
    use starknet::storage::{Map, StorageMapReadAccess, StorageMapWriteAccess};
    use starknet::{ContractAddress, get_caller_address};
    use crate::interfaces::sage_token::ISAGEToken;

    const DECIMALS: u8 = 18;
    /// 10,000 SAGE in wei: from there on the real token wants another way.
    const LARGE_TRANSFER: u256 = 10_000_000_000_000_000_000_000;

    #[storage]
    struct Storage {
        balances: Map<ContractAddress, u256>,
        allowances: Map<(ContractAddress, ContractAddress), u256>,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    pub enum Event {
        Transfer: Transfer,
    }

    #[derive(Drop, starknet::Event)]
    pub struct Transfer {
        #[key]
        pub from: ContractAddress,
        #[key]
        pub to: ContractAddress,
        pub value: u256,
    }

    #[constructor]
    fn constructor(ref self: ContractState, supply: u256, recipient: ContractAddress) {
        self.balances.write(recipient, supply);
        self.emit(Transfer { from: 0.try_into().unwrap(), to: recipient, value: supply });
    }

    #[abi(embed_v0)]
    impl SAGETokenImpl of ISAGEToken<ContractState> {
        fn balance_of(self: @ContractState, account: ContractAddress) -> u256 {
            self.balances.read(account)
        }

        fn allowance(self: @ContractState, owner: ContractAddress, spender: ContractAddress) -> u256 {
            self.allowances.read((owner, spender))
        }

        fn decimals(self: @ContractState) -> u8 {
            DECIMALS
        }

        fn approve(ref self: ContractState, spender: ContractAddress, amount: u256) -> bool {
            self.allowances.write((get_caller_address(), spender), amount);
            true
        }

        fn transfer(ref self: ContractState, recipient: ContractAddress, amount: u256) -> bool {
            assert(amount < LARGE_TRANSFER, 'Use large transfer');
            self.move(get_caller_address(), recipient, amount);
            true
        }

        fn transfer_from(
            ref self: ContractState, sender: ContractAddress, recipient: ContractAddress, amount: u256,
        ) -> bool {
            let spender = get_caller_address();
            let allowed = self.allowances.read((sender, spender));
            assert(allowed >= amount, 'ERC20: insufficient allowance');
            self.move(sender, recipient, amount);
            self.allowances.write((sender, spender), allowed - amount);
            true
        }
    }

    #[generate_trait]
    impl Internal of InternalTrait {
        fn move(ref self: ContractState, from: ContractAddress, to: ContractAddress, value: u256) {
            let balance = self.balances.read(from);
            assert(balance >= value, 'ERC20: insufficient balance');
            self.balances.write(from, balance - value);
            self.balances.write(to, self.balances.read(to) + value);
            self.emit(Transfer { from, to, value });
        }
    }
}

//! What the nodes make of transfers.

use crate::{
    account::{Account, Address},
    bonds::Bonds,
    genesis::Genesis,
    nonces::Nonces,
    signatures::Signatures,
    transfer::{Signed, Transfer},
    verified::Verified,
};
use bytes::Bytes;
use commonware_codec::{Copying, DecodeExt as _, Encode as _};
use commonware_cryptography::{Hasher as _, Sha256};
use drystone_actors::{
    application::{Application, Context, Failure, Outcome},
    state::{Batch, Unreadable, View},
    transaction::{Account as Owner, Checks, Facts, Invalid, Transaction},
};
use std::{collections::BTreeMap, sync::Arc};

/// Transfers of one account that may wait in a mempool, one behind the other.
pub const PIPELINE_MAX: u64 = 64;

/// The ledger. With a strategy it checks ed25519 signatures there; see [`Signatures`].
#[derive(Clone, Debug)]
pub struct Ledger<S> {
    genesis: Arc<Genesis>,
    signatures: S,
    nonces: Nonces,
    verified: Verified,
}

impl<S: Signatures> Ledger<S> {
    /// The ledger of a genesis.
    ///
    /// # Panics
    /// If the genesis's balances cannot be added up.
    pub fn new(genesis: Arc<Genesis>, signatures: S) -> Self {
        // A balance never passes the supply: with that counted, none overflows.
        genesis.supply();
        Self {
            genesis,
            signatures,
            nonces: Nonces::default(),
            verified: Verified::default(),
        }
    }

    /// What a place in a chunk is charged: at most so much of each account. It knows whose turn it is from what this ledger,
    /// or a clone of it, checks.
    pub fn bonds(&self, bond_max: u64) -> Bonds {
        Bonds::new(bond_max, self.nonces.clone())
    }

    /// Whether a transfer that its payer signed could be executed some time soon, given what is in the state now. Only of
    /// such a one anything is remembered: of what nobody signed there is no end.
    async fn afford(&self, transfer: &Transfer, state: &View<'_>) -> Result<Outcome, Failure> {
        let payer = account(state.get(&transfer.from).await?)?;
        let ahead = if transfer.is_numbered() {
            transfer.nonce.checked_sub(payer.nonce)
        } else {
            Some(0)
        };
        let outcome = match ahead {
            None => Err(Invalid::because("a transfer of this nonce was executed")),
            Some(PIPELINE_MAX..) => Err(Invalid::because("the nonce is too far ahead")),
            Some(_) => poor(transfer.total(), payer.balance).map(|_| ()),
        };
        if outcome.is_ok() {
            self.nonces.learn(transfer.from, payer.nonce);
        }
        Ok(outcome)
    }

    /// For each transfer, whether its payer signed it. What was found to be signed when it came to the mempool is not checked
    /// again when it is executed. Each node has seen others there: so a verdict must depend on nothing but its transfer.
    fn signed(&self, transactions: &[Arc<Transaction>], transfers: &[Signed]) -> Vec<bool> {
        let ids = || transactions.iter().map(|it| &it.facts.id);
        let mut signed = self.verified.know(ids());
        let unknown: Vec<_> = (0..signed.len()).filter(|it| !signed[*it]).collect();
        let unchecked: Vec<_> = unknown.iter().map(|it| transfers[*it]).collect();
        let namespace = self.genesis.namespace();
        let verdicts = self.signatures.verify(&unchecked, &namespace);
        for (index, verdict) in unknown.into_iter().zip(verdicts) {
            signed[index] = verdict;
        }
        signed
    }
}

impl<S: Signatures> Application for Ledger<S> {
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
        let signed = Signed::read(bytes);
        let Transfer {
            from,
            to,
            amount,
            fee,
            expiry_ms,
            ..
        } = signed
            .map_err(|error| Invalid(format!("no transfer: {error}").into()))?
            .transfer;
        if amount == 0 {
            return Err(Invalid::because("the amount is 0: it must be at least 1"));
        }
        if from == to {
            return Err(Invalid::because("payer and payee must differ"));
        }
        let fee_min = self.genesis.fee_min;
        if fee < fee_min {
            let reason = format!("the fee is {fee}: it must be at least {fee_min}");
            return Err(Invalid(reason.into()));
        }
        Ok(Facts {
            // The signature too: two of one id must do the same, and only one of them may be signed.
            id: Sha256::hash(&[bytes]),
            account: Owner(from),
            expiry_ms,
        })
    }

    async fn check(
        &self,
        transactions: &[Arc<Transaction>],
        state: &View<'_>,
    ) -> Result<Checks, Failure> {
        let transfers = read(transactions)?;
        let signed = self.signed(transactions, &transfers);
        let mut checks = Checks::with_capacity(transfers.len());
        for (Signed { transfer, .. }, signed) in transfers.iter().zip(signed) {
            checks.push(if signed {
                self.afford(transfer, state).await?
            } else {
                Err(unsigned())
            });
        }
        let good = transactions.iter().zip(&checks);
        let good = good.filter_map(|(it, check)| check.is_ok().then_some(it.facts.id));
        self.verified.learn(good);
        Ok(checks)
    }

    async fn recheck(
        &self,
        transactions: &[Arc<Transaction>],
        state: &View<'_>,
    ) -> Result<Checks, Failure> {
        let transfers = read(transactions)?;
        let mut checks = Checks::with_capacity(transfers.len());
        for Signed { transfer, .. } in &transfers {
            checks.push(self.afford(transfer, state).await?);
        }
        Ok(checks)
    }

    async fn genesis(&self, state: &mut Batch<'_>) -> Result<(), Failure> {
        for (address, balance) in &self.genesis.balances {
            let account = Account {
                balance: *balance,
                nonce: 0,
            };
            state.put(address, account.encode());
        }
        Ok(())
    }

    async fn execute(
        &self,
        _: &Context,
        transactions: &[Arc<Transaction>],
        state: &mut Batch<'_>,
    ) -> Result<Vec<Outcome>, Failure> {
        let transfers = read(transactions)?;
        let signed = self.signed(transactions, &transfers);
        let mut accounts = Accounts {
            state,
            touched: BTreeMap::new(),
        };
        let mut outcomes = Vec::with_capacity(transfers.len());
        for (Signed { transfer, .. }, signed) in transfers.iter().zip(signed) {
            outcomes.push(if signed {
                accounts.apply(transfer, &self.genesis.collector).await?
            } else {
                Err(unsigned())
            });
        }
        accounts.write();
        Ok(outcomes)
    }

    /// The request is an address, the answer its [`Account`]; any other request is answered with nothing.
    async fn query(&self, request: &[u8], state: &View<'_>) -> Result<Bytes, Failure> {
        let Ok(address) = Address::try_from(request) else {
            return Ok(Bytes::new());
        };
        Ok(account(state.get(&address).await?)?.encode())
    }
}

fn read(transactions: &[Arc<Transaction>]) -> Result<Vec<Signed>, Failure> {
    let read = |it: &Arc<Transaction>| Signed::read(&it.bytes);
    let transfers: Result<Vec<_>, _> = transactions.iter().map(read).collect();
    transfers.map_err(|_| Failure::Broken("a transfer that was decoded cannot be".into()))
}

fn account(value: Option<Bytes>) -> Result<Account, Failure> {
    match value {
        Some(bytes) => Account::decode(Copying(&bytes))
            .map_err(|_| Failure::Broken("an account cannot be read".into())),
        None => Ok(Account::default()),
    }
}

fn unsigned() -> Invalid {
    Invalid::because("the payer did not sign it")
}

fn poor(total: Option<u64>, balance: u64) -> Result<u64, Invalid> {
    match total {
        Some(total) if total <= balance => Ok(total),
        Some(total) => {
            let reason = format!("amount and fee are {total}, the payer has {balance}");
            Err(Invalid(reason.into()))
        }
        None => Err(Invalid::because("amount and fee are more than there is")),
    }
}

/// The accounts that a list of transfers touches: each is read and written once.
struct Accounts<'a, 'b> {
    state: &'a mut Batch<'b>,
    touched: BTreeMap<Address, Account>,
}

impl Accounts<'_, '_> {
    async fn get(&mut self, address: &Address) -> Result<Account, Failure> {
        if let Some(account) = self.touched.get(address) {
            return Ok(*account);
        }
        let value: Result<_, Unreadable> = self.state.get(address).await;
        account(value?)
    }

    /// Moves what a transfer moves, or nothing.
    async fn apply(
        &mut self,
        transfer: &Transfer,
        collector: &Address,
    ) -> Result<Outcome, Failure> {
        let mut payer = self.get(&transfer.from).await?;
        if transfer.is_numbered() && transfer.nonce != payer.nonce {
            let (nonce, due) = (transfer.nonce, payer.nonce);
            let reason = format!("the nonce is {nonce}, {due} is due");
            return Ok(Err(Invalid(reason.into())));
        }
        let total = match poor(transfer.total(), payer.balance) {
            Ok(total) => total,
            Err(reason) => return Ok(Err(reason)),
        };
        payer.balance -= total;
        payer.nonce += u64::from(transfer.is_numbered());
        self.touched.insert(transfer.from, payer);
        self.credit(&transfer.to, transfer.amount).await?;
        self.credit(collector, transfer.fee).await?;
        Ok(Ok(()))
    }

    /// What is credited was debited before: no balance passes the supply.
    async fn credit(&mut self, address: &Address, amount: u64) -> Result<(), Failure> {
        let mut account = self.get(address).await?;
        account.balance += amount;
        self.touched.insert(*address, account);
        Ok(())
    }

    fn write(self) {
        for (address, account) in self.touched {
            self.state.put(&address, account.encode());
        }
    }
}

//! The ledger as a program: what it adds to the command line that every application has.

use crate::{
    account::{Account, Address},
    bonds::Bonds,
    genesis::Genesis,
    ledger::Ledger,
    load::Transfers,
    transfer::{Transfer, UNNUMBERED},
};
use bytes::Bytes;
use clap::{Args, Subcommand};
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_cryptography::{Hasher as _, Sha256, Signer as _, ed25519::PrivateKey};
use commonware_parallel::Rayon;
use drystone_actors::{
    cli::{Client, Exit, Failure, LoadOptions, Program},
    deploy::{Hexed, keys},
};
use drystone_engine::types::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::SystemTime};

/// The ledger's node.
#[derive(Clone, Copy, Debug)]
pub struct Node;

/// The ledger's part of the genesis file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Who has what.
    pub balances: BTreeMap<Hexed<Address>, u64>,
    /// Who gets the fees.
    pub collector: Hexed<Address>,
    /// The least fee of a transfer.
    pub fee_min: u64,
    /// Fees of one account that may be in live chunks of one node.
    pub bond_max: u64,
}

impl Section {
    /// The genesis of a deployment.
    ///
    /// # Errors
    /// If the balances cannot be added up.
    pub fn genesis(&self, deployment: Digest) -> Result<Genesis, String> {
        let mut supply = 0_u64;
        for balance in self.balances.values() {
            supply = supply
                .checked_add(*balance)
                .ok_or("the balances must add up to less than 2^64")?;
        }
        Ok(Genesis {
            digest: deployment,
            balances: self.balances.iter().map(|(it, has)| (it.0, *has)).collect(),
            collector: self.collector.0,
            fee_min: self.fee_min,
        })
    }
}

/// What is said of the ledger when a genesis is made.
#[derive(Args, Debug)]
pub struct Options {
    /// Who has what at the beginning: ADDRESS=AMOUNT.
    #[arg(long = "balance", value_parser = balance)]
    balances: Vec<(Hexed<Address>, u64)>,
    /// Accounts for tests and for `bench`, whose keys everybody knows.
    #[arg(long, default_value_t = 0)]
    accounts: u64,
    /// What each of them has.
    #[arg(long, default_value_t = 1_000_000_000)]
    account_balance: u64,
    /// Who gets the fees; the address 0 if nobody.
    #[arg(long)]
    collector: Option<Hexed<Address>>,
    /// The least fee of a transfer.
    #[arg(long, default_value_t = 1)]
    fee_min: u64,
    /// Fees of one account that may be in live chunks of one node.
    #[arg(long, default_value_t = 1_000)]
    bond_max: u64,
}

fn balance(text: &str) -> Result<(Hexed<Address>, u64), String> {
    let wanted = || format!("{text:?} must be ADDRESS=AMOUNT");
    let (address, amount) = text.split_once('=').ok_or_else(wanted)?;
    let amount = amount.parse().map_err(|_| wanted())?;
    Ok((address.parse()?, amount))
}

/// The key of an account that everybody knows.
pub(crate) fn known(index: u64) -> PrivateKey {
    PrivateKey::from_seed(index)
}

/// The account of a key.
pub(crate) fn address(key: &PrivateKey) -> Address {
    key.public_key()
        .encode()
        .as_ref()
        .try_into()
        .expect("32 bytes")
}

/// The ledger's commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Moves an amount from one account to another.
    Transfer {
        /// The file of the payer's key.
        #[arg(long, conflicts_with = "account", required_unless_present = "account")]
        key: Option<PathBuf>,
        /// The number of an account whose key everybody knows, for tests.
        #[arg(long)]
        account: Option<u64>,
        /// Who is paid.
        #[arg(long)]
        to: Hexed<Address>,
        /// How much.
        #[arg(long)]
        amount: u64,
        /// What the payer pays besides.
        #[arg(long, default_value_t = 1)]
        fee: u64,
        /// Gives it no turn: it waits for no other transfer of the payer, and none waits for it.
        #[arg(long)]
        unnumbered: bool,
        /// Waits until it is settled, and tells what it came to.
        #[arg(long)]
        wait: bool,
    },
}

/// The ledger's questions.
#[derive(Subcommand, Debug)]
pub enum Query {
    /// What an account has.
    Balance {
        /// The account.
        address: Hexed<Address>,
        /// Asks for a proof, and checks it under a root that a final block names; see `--genesis`.
        #[arg(long)]
        proof: bool,
    },
}

/// How long a transfer may wait for its block.
const LIFETIME_MS: u64 = 50_000;

fn strange(what: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Refused,
        format!("the node's answer is strange: {what}"),
    )
}

/// What an account has, as a node says.
pub(crate) async fn account(client: &Client, address: &Address) -> Result<Account, Failure> {
    let answer = client.query(Bytes::copy_from_slice(address)).await?;
    Account::decode(answer).map_err(strange)
}

/// Under which name transfers are signed.
pub(crate) async fn namespace(client: &Client) -> Result<Vec<u8>, Failure> {
    let status = client.get("/status").await?;
    let digest = status["genesis"].as_str().unwrap_or_default();
    let Hexed(digest) = digest.parse::<Hexed<Digest>>().map_err(strange)?;
    Ok(Genesis::namespace_of(&digest))
}

impl Program for Node {
    const NAME: &'static str = "ledger";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Genesis = Section;
    type Options = Options;
    type Command = Command;
    type Query = Query;
    type Application = Ledger<Rayon>;
    type Admission = Bonds;
    type Load = Transfers;

    fn genesis(options: &Options) -> Result<Section, String> {
        let mut balances: BTreeMap<_, _> = options.balances.iter().copied().collect();
        for index in 0..options.accounts {
            balances.insert(Hexed(address(&known(index))), options.account_balance);
        }
        Ok(Section {
            balances,
            collector: options.collector.unwrap_or(Hexed([0; 32])),
            fee_min: options.fee_min,
            bond_max: options.bond_max,
        })
    }

    fn application(
        genesis: &Section,
        deployment: Digest,
        strategy: Rayon,
    ) -> Result<(Ledger<Rayon>, Bonds), String> {
        let rules = Arc::new(genesis.genesis(deployment)?);
        let ledger = Ledger::new(rules, strategy);
        let bonds = ledger.bonds(genesis.bond_max);
        Ok((ledger, bonds))
    }

    async fn command(command: Command, client: &Client) -> Result<Value, Failure> {
        let Command::Transfer {
            key,
            account: number,
            to,
            amount,
            fee,
            unnumbered,
            wait,
        } = command;
        let key = match key {
            Some(file) => keys::read(&file).map_err(|it| Failure::configuration("transfer", it))?,
            None => known(number.unwrap_or_default()),
        };
        let from = address(&key);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let nonce = if unnumbered {
            // No two transfers of a payer are made in one nanosecond, and low bits last for centuries.
            UNNUMBERED | now.as_nanos() as u64
        } else {
            account(client, &from).await?.nonce
        };
        let transfer = Transfer {
            from,
            to: to.0,
            amount,
            fee,
            nonce,
            expiry_ms: u64::try_from(now.as_millis()).expect("far below 2^64") + LIFETIME_MS,
        };
        let bytes = Bytes::from(transfer.sign(&key, &namespace(client).await?));
        let id = Sha256::hash(&[&bytes]);
        let answer = client.submit(bytes).await?;
        if !wait {
            return Ok(answer);
        }
        client.settled(&id.to_string()).await
    }

    async fn query(query: Query, client: &Client) -> Result<Value, Failure> {
        let Query::Balance { address, proof } = query;
        if !proof {
            let Account { balance, nonce } = account(client, &address.0).await?;
            return Ok(json!({ "address": address, "balance": balance, "nonce": nonce }));
        }
        let proven = client.proven(&address.0).await?;
        let account = proven.value.clone().map(Account::decode).transpose();
        let Account { balance, nonce } = account.map_err(strange)?.unwrap_or_default();
        Ok(proven.beside([
            ("address", address.to_string().into()),
            ("balance", balance.into()),
            ("nonce", nonce.into()),
        ]))
    }

    async fn load(client: &Client, options: &LoadOptions) -> Result<Transfers, Failure> {
        Transfers::new(client, options).await
    }
}

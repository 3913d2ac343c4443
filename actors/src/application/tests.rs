use super::{Application, Context, Decoder, Failure, Gate, Outcome};
use crate::{
    state::{Batch, Head, State, View},
    transaction::{Account, Checks, Facts, Invalid, Rules as _, Transaction},
};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Runner as _, Supervisor as _,
    deterministic::{self, FaultConfig},
};
use commonware_utils::probability;
use futures::FutureExt as _;
use std::sync::Arc;

/// Lets those wait whose bytes are above what is in the state.
#[derive(Clone)]
struct Bar;

impl Application for Bar {
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
        if bytes.is_empty() {
            return Err(Invalid::because("empty"));
        }
        Ok(Facts {
            id: Sha256::hash(&[bytes]),
            account: Account([0; 32]),
            expiry_ms: 7,
        })
    }

    async fn check(
        &self,
        transactions: &[Arc<Transaction>],
        state: &View<'_>,
    ) -> Result<Checks, Failure> {
        let bar = state.get(b"bar").await?.unwrap_or_default();
        let check = |it: &Arc<Transaction>| match it.bytes > bar {
            true => Ok(()),
            false => Err(Invalid::because("too low")),
        };
        Ok(transactions.iter().map(check).collect())
    }

    async fn genesis(&self, state: &mut Batch<'_>) -> Result<(), Failure> {
        state.put(b"bar", vec![5]);
        Ok(())
    }

    async fn execute(
        &self,
        _: &Context,
        transactions: &[Arc<Transaction>],
        state: &mut Batch<'_>,
    ) -> Result<Vec<Outcome>, Failure> {
        for it in transactions {
            state.put(b"bar", it.bytes.clone());
        }
        Ok(vec![Ok(()); transactions.len()])
    }

    async fn query(&self, request: &[u8], state: &View<'_>) -> Result<Bytes, Failure> {
        Ok(state.get(request).await?.unwrap_or_default())
    }
}

fn transaction(byte: u8) -> Arc<Transaction> {
    let rules: Decoder<Bar> = Bar.rules();
    Transaction::decode(&rules, vec![byte].into()).expect("not empty")
}

// K-34, S-18
#[test]
fn the_mempool_is_answered_from_the_newest_executed_state() {
    deterministic::Runner::default().start(|context| async move {
        let config = crate::state::Config::recommended("state");
        let opened = State::open(context.child("state"), config, Sequential).await;
        let mut state = opened.expect("the disk is sound");
        let gate = Gate::new(Bar, state.reader());
        assert_eq!(gate.decode(b""), Err(Invalid::because("empty")));
        let two = vec![transaction(5), transaction(6)];
        let low = Err(Invalid::because("too low"));
        assert_eq!(gate.check(two.clone()).await, [Ok(()), Ok(())]);
        for (height, expected) in [(0, [low.clone(), Ok(())]), (1, [low.clone(), low])] {
            let mut batch = state.batch().await.expect("open");
            if height == 0 {
                Bar.genesis(&mut batch).await.expect("written");
            } else {
                let block = Context { height, time_ms: 1 };
                let executed = Bar.execute(&block, &two, &mut batch).await;
                assert_eq!(executed, Ok(vec![Ok(()), Ok(())]));
            }
            let writes = batch.into_writes();
            let digest = Sha256::hash(&[b"block"]);
            let head = Head {
                height,
                digest,
                time_ms: height,
            };
            let prepared = state.prepare(head, writes).await.expect("prepared");
            state.apply(prepared).await.expect("applied");
            assert_eq!(gate.check(two.clone()).await, expected);
            assert_eq!(gate.recheck(two.clone()).await, expected);
            let bar = gate.query(b"bar").await.expect("read");
            assert_eq!(bar, vec![5 + height as u8]);
        }
    });
}

// A verdict would be for ever, and the node ends by the error that its state was lost in.
#[test]
fn what_cannot_be_checked_gets_no_verdict() {
    deterministic::Runner::default().start(|context| async move {
        let config = crate::state::Config::recommended("state");
        let opened = State::open(context.child("state"), config, Sequential).await;
        let mut state = opened.expect("the disk is sound");
        let gate = Gate::new(Bar, state.reader());
        let head = Head {
            height: 0,
            digest: Sha256::hash(&[b"block"]),
            time_ms: 0,
        };
        let prepared = state
            .prepare(head, Default::default())
            .await
            .expect("prepared");
        let faults = FaultConfig::default().sync(probability!(1.0));
        *context.storage_fault_config().write() = faults;
        assert!(state.apply(prepared).await.is_err());
        assert!(gate.query(b"bar").await.is_err());
        let check = gate.check(vec![transaction(9)]);
        assert_eq!(check.now_or_never(), None);
        let recheck = gate.recheck(vec![transaction(9)]);
        assert_eq!(recheck.now_or_never(), None);
    });
}

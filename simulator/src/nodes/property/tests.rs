//! What a property must not let pass, shown to it directly.

use super::model::ProvesAccounts;
use crate::{
    Property, Scenario, Stamped,
    lanes::Short,
    nodes::{Fate, Nodes, Options, Seen},
    property::Verdict,
};

/// A cluster of healthy nodes whose accounts are those that the test names.
fn proves() -> ProvesAccounts {
    let options = Options {
        accounts: 2,
        balance: 100,
        ..Options::all(4)
    };
    let scenario = Scenario::<Nodes>::cluster(4).quiet().options(options);
    ProvesAccounts::new(&scenario.plan(0))
}

fn show(property: &mut impl Property<Seen>, node: Option<usize>, what: Seen) -> Verdict {
    property.observe(&Stamped {
        at_us: 1,
        number: 1,
        node,
        incarnation: 0,
        cause: 0,
        what,
    })
}

/// Account 0 signs away 10 and a fee of 1.
fn signed() -> Seen {
    Seen::Signed {
        id: Short(7),
        from: 0,
        to: 1,
        amount: 10,
        fee: 1,
        nonce: 0,
        expiry_ms: 2_000,
    }
}

fn executed(height: u64, results: Vec<(Short, Fate)>) -> Seen {
    Seen::Executed {
        height,
        digest: Short(height),
        time_ms: 1_000 + height,
        root: Short(100 + height),
        headers: 1,
        chunks: 1,
        bytes: 200,
        items: results.len() as u64,
        results,
    }
}

fn audited(height: u64, accounts: [(u64, u64); 3]) -> Seen {
    Seen::Audited {
        height,
        root: Short(100 + height),
        accounts: accounts.into(),
        proven: true,
    }
}

const PAID: [(u64, u64); 3] = [(89, 1), (110, 0), (1, 0)];
const UNPAID: [(u64, u64); 3] = [(100, 0), (100, 0), (0, 0)];

#[test]
fn an_audit_ahead_of_what_was_told_is_compared_once_it_is_told() {
    for (accounts, verdict) in [(PAID, Ok(2)), (UNPAID, Err(Some(3)))] {
        let mut property = proves();
        assert_eq!(show(&mut property, None, signed()), Ok(0));
        assert_eq!(show(&mut property, Some(2), audited(1, PAID)), Ok(0));
        assert_eq!(show(&mut property, Some(3), audited(1, accounts)), Ok(0));
        let told = executed(1, vec![(Short(7), Fate::Executed)]);
        let found = show(&mut property, Some(0), told.clone());
        assert_eq!(found.map_err(|it| it.node), verdict);
        if verdict.is_ok() {
            let again = show(&mut property, Some(1), told);
            assert_eq!(again, Ok(0), "each is compared once");
        }
    }
}

#[test]
fn an_audit_of_long_ago_is_still_compared() {
    let mut property = proves();
    assert_eq!(show(&mut property, None, signed()), Ok(0));
    let paid = executed(1, vec![(Short(7), Fate::Executed)]);
    assert_eq!(show(&mut property, Some(0), paid), Ok(0));
    for height in 2..2_000 {
        assert_eq!(
            show(&mut property, Some(0), executed(height, vec![])),
            Ok(0)
        );
    }
    assert_eq!(show(&mut property, Some(1), audited(1, PAID)), Ok(1));
    assert!(show(&mut property, Some(1), audited(1, UNPAID)).is_err());
}

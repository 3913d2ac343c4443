//! A ledger of the harness's own, which replays what the nodes ordered.

use crate::{
    Plan, Property, Stamped, Violation,
    lanes::Short,
    nodes::{
        observation::{Fate, Seen},
        system::Nodes,
    },
    property::Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

/// A transfer that a wallet signed.
#[derive(Clone, Copy)]
struct Signed {
    from: u16,
    to: u16,
    amount: u64,
    fee: u64,
    nonce: u64,
    expiry_ms: u64,
}

/// Accounts as they should be: balance and nonce, the collector's last.
type Accounts = Vec<(u64, u64)>;

/// The rules of the ledger, written once more and without any of its code.
struct Rules {
    window_ms: u64,
    signed: BTreeMap<Short, Signed>,
    accounts: Accounts,
    executed: BTreeSet<Short>,
    height: u64,
}

impl Rules {
    fn new(plan: &Plan<Nodes>) -> Self {
        let options = &plan.options;
        let mut accounts = vec![(options.balance, 0); usize::from(options.accounts)];
        accounts.push((0, 0));
        Self {
            window_ms: options.transaction_window_ms,
            signed: BTreeMap::new(),
            accounts,
            executed: BTreeSet::new(),
            height: 0,
        }
    }

    fn take(&mut self, seen: &Seen) {
        if let Seen::Signed {
            id,
            from,
            to,
            amount,
            fee,
            nonce,
            expiry_ms,
        } = *seen
        {
            let signed = Signed {
                from,
                to,
                amount,
                fee,
                nonce,
                expiry_ms,
            };
            self.signed.insert(id, signed);
        }
    }

    /// What should become of a transfer; whatever no wallet signed is refused.
    fn apply(&mut self, time_ms: u64, id: Short) -> Fate {
        let Some(it) = self.signed.get(&id).copied() else {
            return Fate::Invalid;
        };
        if time_ms > it.expiry_ms || it.expiry_ms > time_ms + self.window_ms {
            return Fate::Untimely;
        }
        if self.executed.contains(&id) {
            return Fate::Duplicate;
        }
        let (from, to) = (usize::from(it.from), usize::from(it.to));
        let collector = self.accounts.len() - 1;
        let (balance, nonce) = self.accounts[from];
        // The upper half of all nonces are no numbers: they are neither due nor counted.
        let numbered = it.nonce >> 63 == 0;
        if numbered && nonce != it.nonce || balance < it.amount + it.fee {
            return Fate::Invalid;
        }
        self.accounts[from] = (balance - it.amount - it.fee, nonce + u64::from(numbered));
        self.accounts[to].0 += it.amount;
        self.accounts[collector].0 += it.fee;
        self.executed.insert(id);
        Fate::Executed
    }
}

/// The final order, replayed by the harness, comes to what the nodes say.
pub struct FollowsRules {
    healthy: BTreeSet<usize>,
    rules: Rules,
}

impl FollowsRules {
    pub fn new(plan: &Plan<Nodes>) -> Self {
        Self {
            healthy: plan.healthy(),
            rules: Rules::new(plan),
        }
    }
}

impl Property<Seen> for FollowsRules {
    fn name(&self) -> &'static str {
        "follows the rules"
    }

    fn sentence(&self) -> &'static str {
        "the final order, replayed by another ledger, executes and skips what the nodes execute and skip"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        self.rules.take(&seen.what);
        let Seen::Executed {
            height,
            time_ms,
            results,
            ..
        } = &seen.what
        else {
            return Ok(0);
        };
        let healthy = seen.node.is_some_and(|it| self.healthy.contains(&it));
        if !healthy || *height != self.rules.height + 1 {
            return Ok(0);
        }
        self.rules.height = *height;
        for (id, fate) in results {
            let due = self.rules.apply(*time_ms, *id);
            // Of what no wallet signed, the harness does not know when it expires.
            let unsigned = due == Fate::Invalid
                && !self.rules.signed.contains_key(id)
                && *fate == Fate::Untimely;
            if due != *fate && !unsigned {
                let message =
                    format!("transfer {id:?} in block {height} is {fate:?}, and should be {due:?}");
                return Err(Violation::by(seen, message));
            }
        }
        Ok(results.len() as u64)
    }
}

/// What nodes prove of their accounts is what the final order makes of them, and adds up to what there was.
pub struct ProvesAccounts {
    healthy: BTreeSet<usize>,
    rules: Rules,
    supply: u64,
    /// The accounts after each block, and its root.
    past: BTreeMap<u64, (Accounts, Short)>,
    /// Audits of states that nobody told of yet: a node proves what it has executed just before it says so.
    ahead: BTreeMap<u64, Vec<Audit>>,
}

/// What a node proved.
struct Audit {
    node: Option<usize>,
    root: Short,
    accounts: Accounts,
}

impl ProvesAccounts {
    pub fn new(plan: &Plan<Nodes>) -> Self {
        let rules = Rules::new(plan);
        Self {
            healthy: plan.healthy(),
            supply: rules.accounts.iter().map(|it| it.0).sum(),
            rules,
            past: BTreeMap::new(),
            ahead: BTreeMap::new(),
        }
    }

    /// A block was told of for the first time.
    fn executed(
        &mut self,
        height: u64,
        time_ms: u64,
        root: Short,
        ids: &[(Short, Fate)],
    ) -> Verdict {
        self.rules.height = height;
        for (id, _) in ids {
            self.rules.apply(time_ms, *id);
        }
        self.past
            .insert(height, (self.rules.accounts.clone(), root));
        let waiting = self.ahead.remove(&height).unwrap_or_default();
        for audit in &waiting {
            self.compare(height, audit)?;
        }
        Ok(waiting.len() as u64)
    }

    /// Compares an audit with what was told. Of the state that the chain begins with nobody tells.
    fn compare(&self, height: u64, audit: &Audit) -> Verdict {
        let Some((due, root)) = self.past.get(&height) else {
            return Ok(0);
        };
        if (due, root) == (&audit.accounts, &audit.root) {
            return Ok(1);
        }
        Err(Violation {
            node: audit.node,
            message: format!(
                "the accounts at height {height} are {:?} under {:?}; they should be {due:?} under {root:?}",
                audit.accounts, audit.root
            ),
        })
    }

    fn audited(&mut self, height: u64, audit: Audit, proven: bool) -> Verdict {
        let sum: u64 = audit.accounts.iter().map(|it| it.0).sum();
        if !proven || sum != self.supply {
            return Err(Violation {
                node: audit.node,
                message: format!(
                    "the accounts at height {height} are {:?} (proven: {proven}), their sum {sum} instead of {}",
                    audit.accounts, self.supply
                ),
            });
        }
        if height <= self.rules.height {
            return self.compare(height, &audit);
        }
        self.ahead.entry(height).or_default().push(audit);
        Ok(0)
    }
}

impl Property<Seen> for ProvesAccounts {
    fn name(&self) -> &'static str {
        "proves accounts"
    }

    fn sentence(&self) -> &'static str {
        "what a healthy node proves of all accounts is what the final order makes of them, and the sum never changes"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        self.rules.take(&seen.what);
        if seen.node.is_none_or(|it| !self.healthy.contains(&it)) {
            return Ok(0);
        }
        match &seen.what {
            Seen::Executed {
                height,
                time_ms,
                root,
                results,
                ..
            } if *height == self.rules.height + 1 => {
                self.executed(*height, *time_ms, *root, results)
            }
            Seen::Audited {
                height,
                root,
                accounts,
                proven,
            } => {
                let audit = Audit {
                    node: seen.node,
                    root: *root,
                    accounts: accounts.clone(),
                };
                self.audited(*height, audit, *proven)
            }
            _ => Ok(0),
        }
    }
}

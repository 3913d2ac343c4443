//! What one node has executed: the double of the state, with one commit for each block.

use super::payment::Payment;
use commonware_cryptography::PublicKey;
use drystone_actors::transaction::Invalid;
use drystone_engine::types::{Digest, Tip};
use std::collections::{BTreeMap, BTreeSet};

/// Kept over a node's lives, and never torn.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The height of the newest block executed.
    pub height: u64,
    /// Its time.
    pub time_ms: u64,
    /// The numbers that payments used.
    used: BTreeMap<(u16, u32), Digest>,
    /// What was executed and may still be valid, by expiry.
    window: BTreeSet<(u64, Digest)>,
}

/// A lane table.
pub type Table<P> = BTreeMap<P, Tip>;

impl Ledger {
    /// Whether a payment may be made now, or has been made.
    fn allows(&self, id: &Digest, payment: &Payment) -> Result<(), Invalid> {
        if !payment.affordable {
            return Err(Invalid::because("no money"));
        }
        match self.used.get(&(payment.account, payment.number)) {
            Some(other) if other != id => Err(Invalid::because("the number is used")),
            _ => Ok(()),
        }
    }

    /// Whether a payment may be made in a block to come.
    pub fn awaits(&self, payment: &Payment) -> Result<(), Invalid> {
        if !payment.affordable {
            return Err(Invalid::because("no money"));
        }
        if self.used.contains_key(&(payment.account, payment.number)) {
            return Err(Invalid::because("the number is used"));
        }
        Ok(())
    }

    /// Executes payments in their order as the next block. Returns those that were made.
    pub fn execute(
        &mut self,
        time_ms: u64,
        payments: impl IntoIterator<Item = (Digest, Payment)>,
    ) -> Vec<(Digest, u64)> {
        self.window = self.window.split_off(&(time_ms, Digest::from([0; 32])));
        let mut made = Vec::new();
        for (id, payment) in payments {
            let key = (payment.expiry_ms, id);
            let late = payment.expiry_ms < time_ms;
            if late || self.window.contains(&key) || self.allows(&id, &payment).is_err() {
                continue;
            }
            self.window.insert(key);
            self.used.insert((payment.account, payment.number), id);
            made.push((id, payment.expiry_ms));
        }
        self.height += 1;
        self.time_ms = time_ms;
        made
    }
}

/// The lane table after a block, for a node that starts there.
pub fn merged<P: PublicKey>(table: &mut Table<P>, tips: &Table<P>) {
    table.extend(tips.iter().map(|(lane, tip)| (lane.clone(), *tip)));
}

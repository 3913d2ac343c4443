//! What checking transfers tells about packing them.

use crate::account::Address;
use commonware_utils::sync::Mutex;
use std::{collections::BTreeMap, sync::Arc};

/// Accounts remembered, at most. One that is forgotten is named again by the next check of what waits.
const ACCOUNTS_MAX: usize = 1 << 16;

/// The next nonce of the accounts whose transfers wait here, as the newest state that this node looked at has it.
#[derive(Clone, Debug, Default)]
pub struct Nonces(Arc<Mutex<BTreeMap<Address, u64>>>);

impl Nonces {
    pub fn learn(&self, account: Address, next: u64) {
        let mut nonces = self.0.lock();
        if nonces.len() >= ACCOUNTS_MAX && !nonces.contains_key(&account) {
            nonces.pop_first();
        }
        let known = nonces.entry(account).or_insert(next);
        // An older state may be read later than a newer one.
        *known = next.max(*known);
    }

    pub fn next(&self, account: &Address) -> Option<u64> {
        self.0.lock().get(account).copied()
    }
}

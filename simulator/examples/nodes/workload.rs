//! What clients bring.

use drystone_simulator::{
    Scenario,
    nodes::{Action, Intent, Nodes},
    time::secs,
};

/// When the first transfer comes: the chain has begun.
const BEGIN_US: u64 = secs(2);

/// Transfers at an even pace, of accounts by turns, each account at one node.
pub struct Workload {
    pub transfers: u32,
    pub per_second: u32,
    pub accounts: u16,
    pub nodes: usize,
}

impl Workload {
    /// How long they come.
    pub fn span_us(&self) -> u64 {
        self.at_us(self.transfers)
    }

    fn at_us(&self, number: u32) -> u64 {
        BEGIN_US + secs(1) * u64::from(number) / u64::from(self.per_second)
    }

    /// Adds them to a scenario.
    pub fn onto(&self, scenario: Scenario<Nodes>) -> Scenario<Nodes> {
        (0..self.transfers).fold(scenario, |scenario, number| {
            let from = (number % u32::from(self.accounts)) as u16;
            let intent = Intent {
                to: vec![usize::from(from) % self.nodes],
                from,
                payee: (from + 1) % self.accounts,
                amount: 1,
                tip: 0,
                lifetime_ms: 60_000,
                unnumbered: false,
                loyal: false,
            };
            scenario.act(self.at_us(number), Action::Pay(intent))
        })
    }
}

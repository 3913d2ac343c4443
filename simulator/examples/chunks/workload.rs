//! What clients bring.

use drystone_simulator::{
    Scenario,
    chunks::{Action, Chunks, Kind, Operation},
    time::secs,
};

/// When the first payment comes. Until the first block is executed, soon after a second, a mempool does not know what time it
/// is, and finds that everything expires too far in the future.
const BEGIN_US: u64 = secs(2);
/// Accounts they are of, by turns.
const ACCOUNTS: u32 = 1_000;

/// Payments at an even pace, each to one of these nodes by turns.
pub struct Workload {
    pub payments: u32,
    pub per_second: u32,
    pub bytes: u32,
    pub to: Vec<usize>,
}

impl Workload {
    /// Adds them to a scenario, whose safety phase lasts as long as they come.
    pub fn onto(&self, scenario: Scenario<Chunks>) -> Scenario<Chunks> {
        let at_us =
            |number: u32| BEGIN_US + secs(1) * u64::from(number) / u64::from(self.per_second);
        let scenario = scenario.quiet().lasting(at_us(self.payments));
        (0..self.payments).fold(scenario, |scenario, number| {
            let to = self.to[number as usize % self.to.len()];
            let operation = Operation {
                to: vec![to],
                account: (number % ACCOUNTS) as u16,
                number,
                bytes: self.bytes,
                lifetime_ms: 600_000,
                kind: Kind::Good,
            };
            scenario.act(at_us(number), Action::Submit(operation))
        })
    }
}

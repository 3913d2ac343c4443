//! A swarm whose seeds differ in the scheme as well.

use super::system::Lanes;
use crate::{
    Recording, Scenario, System,
    campaign::{Run, Runnable, Sentence, Told, World},
    capsule::Broken,
    draw::Draw,
    shrink::{Budget, Shrunk},
};
use drystone_engine::scheme::fixture::{Ed25519, Free, Multisig, Secp256r1, Threshold};

/// Lanes over a scheme drawn from the seed: mostly the free one, since signatures dominate a seed's cost.
pub struct Mixed {
    /// Weight in a thousand, and the scenario.
    schemes: Vec<(u64, Box<dyn Runnable>)>,
}

impl Default for Mixed {
    fn default() -> Self {
        fn swarm<S: System>() -> Box<dyn Runnable> {
            Box::new(Scenario::<S>::swarm("swarm"))
        }
        Self {
            schemes: vec![
                (900, swarm::<Lanes<Free>>()),
                (60, swarm::<Lanes<Ed25519>>()),
                (20, swarm::<Lanes<Secp256r1>>()),
                (10, swarm::<Lanes<Multisig>>()),
                (10, swarm::<Lanes<Threshold>>()),
            ],
        }
    }
}

impl Mixed {
    fn of(&self, seed: u64) -> &dyn Runnable {
        let mut drawn = Draw::new(seed).split("scheme").below(1_000);
        for (weight, scenario) in &self.schemes {
            match drawn.checked_sub(*weight) {
                Some(rest) => drawn = rest,
                None => return &**scenario,
            }
        }
        unreachable!("the weights add up to a thousand")
    }

    fn of_world(&self, world: World<'_>) -> &dyn Runnable {
        match world {
            World::Seed(seed) => self.of(seed),
            World::Capsule(_) => &*self.schemes[0].1,
        }
    }
}

impl Runnable for Mixed {
    fn system(&self) -> &'static str {
        "lanes"
    }

    fn name(&self) -> &str {
        "mixed"
    }

    fn properties(&self) -> Vec<Sentence> {
        self.schemes[0].1.properties()
    }

    fn observation_kinds(&self) -> &'static [&'static str] {
        self.schemes[0].1.observation_kinds()
    }

    fn load_unit(&self) -> &'static str {
        self.schemes[0].1.load_unit()
    }

    fn run(&self, seed: u64) -> Run {
        self.of(seed).run(seed)
    }

    fn pack(&self, seed: u64, replay: &str) -> Option<String> {
        self.of(seed).pack(seed, replay)
    }

    fn tell(&self, world: World<'_>, recording: Recording) -> Result<Told, Broken> {
        self.of_world(world).tell(world, recording)
    }

    fn shrink(
        &self,
        world: World<'_>,
        replay: &str,
        budget: &mut Budget<'_>,
    ) -> Result<Option<Shrunk>, Broken> {
        self.of_world(world).shrink(world, replay, budget)
    }
}

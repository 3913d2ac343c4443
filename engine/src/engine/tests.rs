use super::{Engine, Error};
use crate::{
    sequencer,
    testing::{Nouns, World},
    tip_manager,
};
use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
use commonware_utils::NZUsize;
use futures::FutureExt as _;

// L-06: an epoch dropped in silence would leave the node behind for good.
#[test]
fn an_epoch_whose_committee_is_not_known_yet_is_an_error_and_can_be_entered_later() {
    deterministic::Runner::default().start(|context| async move {
        let (context, size) = (&context, NZUsize!(4));
        let (tip_manager, mut tips) = tip_manager::mailbox(&context.child("tips"), size);
        let (sequencer, mut own) = sequencer::mailbox(&context.child("own"), size);
        let mut world = World::new();
        let mut engine = Engine::<Nouns> {
            tip_manager,
            sequencer,
            provider: world.provider(0),
            muted_until: 0,
        };
        assert!(matches!(engine.entered(10), Err(Error::Epoch(10))));
        assert!(tips.recv().now_or_never().is_none() && own.recv().now_or_never().is_none());
        world.seat(10, &[0, 1, 2, 3], &[0]);
        engine.provider = world.provider(0);
        engine.entered(10).expect("known by now");
        assert!(matches!(
            tips.recv().await,
            Some(tip_manager::Ingress::Entered(10))
        ));
        assert!(matches!(
            own.recv().await,
            Some(sequencer::Ingress::Entered(10))
        ));
    });
}

//! What is read for whom.

use super::{Effect, Request, State};
use commonware_cryptography::PublicKey;

impl<P: PublicKey> State<P> {
    pub(super) fn asked(&mut self, from: P, request: Request<P>, effects: &mut Vec<Effect<P>>) {
        let bytes = u64::from(request.reference.bytes);
        match self.serving.asked(self.now_ms, &from, request, bytes) {
            Ok(()) => self.serve(effects),
            Err(request) => effects.push(Effect::TurnAway(from, request.reference)),
        }
    }

    /// A read is over. A peer that claimed another length than the body has owes for what was read in vain.
    pub(super) fn served(&mut self, peer: &P, unpaid_bytes: u64, effects: &mut Vec<Effect<P>>) {
        self.serving.served(peer, unpaid_bytes);
        self.serve(effects);
    }

    /// Starts as many reads as there is room for: for validators first.
    pub(super) fn serve(&mut self, effects: &mut Vec<Effect<P>>) {
        while let Some((peer, request)) = self.serving.next(self.now_ms, &self.validators) {
            effects.push(Effect::Read(peer, request));
        }
    }
}

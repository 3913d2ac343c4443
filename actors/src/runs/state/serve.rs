//! Who is answered, and from what.

use super::{Answer, Effect, Request, State};
use crate::executor::Record;
use commonware_codec::EncodeSize as _;
use drystone_engine::types::{Signed, Types};

impl<T: Types> State<T> {
    pub(super) fn asked(
        &mut self,
        from: T::PublicKey,
        request: Request<T::PublicKey>,
        effects: &mut Vec<Effect<T>>,
    ) {
        let headers = request.question.headers();
        let bytes = headers.saturating_mul(Signed::<T>::COMPACT_SIZE as u64);
        match self.serving.asked(self.now_ms, &from, request, bytes) {
            Ok(()) => self.serve(effects),
            Err(Request { number, .. }) => {
                let answer = Answer { number, run: None };
                effects.push(Effect::Answer(from, answer));
            }
        }
    }

    /// Serves as many as there is room for, validators first: from what was read last, or by reading.
    pub(super) fn serve(&mut self, effects: &mut Vec<Effect<T>>) {
        while let Some((peer, request)) = self.serving.next(self.now_ms, &self.peers) {
            let height = request.question.height;
            match self.recent.iter().find(|(it, _)| *it == height) {
                Some((_, headers)) => {
                    effects.push(Effect::Answer(peer.clone(), answer(&request, headers)));
                    self.serving.served(&peer, 0);
                }
                None => effects.push(Effect::Read(peer, request)),
            }
        }
    }

    /// A record is much more than the run that is asked for: who has it read pays for all of it. The other runs of the block
    /// are not read again for a while.
    pub(super) fn read(
        &mut self,
        peer: T::PublicKey,
        request: Request<T::PublicKey>,
        record: Option<Record<T>>,
        effects: &mut Vec<Effect<T>>,
    ) {
        let read_bytes = record.as_ref().map_or(0, |it| it.encode_size() as u64);
        let headers = record.map(|it| it.headers).unwrap_or_default();
        effects.push(Effect::Answer(peer.clone(), answer(&request, &headers)));
        let height = request.question.height;
        if read_bytes > 0 && self.recent.iter().all(|(it, _)| *it != height) {
            self.recent.push_back((height, headers));
            if self.recent.len() > self.config.recent_max {
                self.recent.pop_front();
            }
        }
        self.serving.served(&peer, read_bytes);
        self.serve(effects);
    }
}

fn answer<T: Types>(request: &Request<T::PublicKey>, headers: &[Signed<T>]) -> Answer {
    Answer {
        number: request.number,
        run: request.question.answer(headers),
    }
}

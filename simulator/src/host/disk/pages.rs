//! A blob's durable bytes in pages: a blob that grows copies nothing, and its pages serve the next one. Pure.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, ops::Range};

/// The bytes of a page. Every page but the last is full.
const PAGE: usize = 16 << 10;

/// Bytes that are written anywhere and grow at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    pages: Vec<Vec<u8>>,
    len: usize,
}

impl Pages {
    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Cuts off what lies past `len`, or adds zeros up to it.
    pub(super) fn resize(&mut self, len: usize) {
        self.pages.truncate(len.div_ceil(PAGE));
        if len < self.len {
            if let Some(last) = self.pages.get_mut(len / PAGE) {
                last.truncate(len % PAGE);
            }
            self.len = len;
        }
        while self.len < len {
            let (last, room) = self.last();
            let more = room.min(len - self.len);
            self.pages[last].resize(PAGE - room + more, 0);
            self.len += more;
        }
    }

    /// Puts `bytes` at `offset`, with zeros in the gap if there is one. No bytes change nothing, not even the length.
    pub(super) fn put(&mut self, offset: usize, mut bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.len < offset {
            self.resize(offset);
        }
        let mut at = offset;
        while at < self.len && !bytes.is_empty() {
            let page = &mut self.pages[at / PAGE][at % PAGE..];
            let (now, rest) = bytes.split_at(page.len().min(bytes.len()));
            page[..now.len()].copy_from_slice(now);
            at += now.len();
            bytes = rest;
        }
        while !bytes.is_empty() {
            let (last, room) = self.last();
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.pages[last].extend_from_slice(now);
            self.len += now.len();
            bytes = rest;
        }
    }

    /// The page that grows next, and how many bytes it still takes: at least one.
    fn last(&mut self) -> (usize, usize) {
        let last = self.len / PAGE;
        if last == self.pages.len() {
            // A small blob takes what it needs.
            let room = if last == 0 { 0 } else { PAGE };
            self.pages.push(Vec::with_capacity(room));
        }
        (last, PAGE - self.len % PAGE)
    }

    /// The bytes of a range that lies within the length.
    pub(super) fn read(&self, range: Range<usize>) -> Cow<'_, [u8]> {
        assert!(range.end <= self.len, "{range:?} passes {}", self.len);
        let at = range.start % PAGE;
        match self.pages.get(range.start / PAGE) {
            Some(page) if at + range.len() <= page.len() => {
                Cow::Borrowed(&page[at..at + range.len()])
            }
            None => Cow::Borrowed(&[]),
            Some(_) => {
                let mut out = vec![0; range.len()];
                self.copy(range.start, &mut out);
                Cow::Owned(out)
            }
        }
    }

    /// Copies to `out` what lies from `start` on; what passes the end stays as it is.
    pub(super) fn copy(&self, start: usize, mut out: &mut [u8]) {
        let mut at = start;
        while at < self.len && !out.is_empty() {
            let page = &self.pages[at / PAGE][at % PAGE..];
            let (now, rest) = out.split_at_mut(page.len().min(out.len()));
            now.copy_from_slice(&page[..now.len()]);
            at += now.len();
            out = rest;
        }
    }
}

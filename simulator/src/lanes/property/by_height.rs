//! What properties remember of lanes.

use std::collections::BTreeMap;

/// Consecutive heights that lie together.
const PAGE: usize = 64;

/// Values by node, lane and height.
///
/// A lane grows by one height at a time and a run sees hundreds of thousands of them, each several times: pages keep
/// neighbours together, and any height may occur.
pub struct ByHeight<V> {
    nodes: Vec<Vec<Pages<V>>>,
}

type Pages<V> = BTreeMap<u64, Box<[Option<V>; PAGE]>>;

impl<V> Default for ByHeight<V> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}

impl<V: Copy> ByHeight<V> {
    /// The place of a value.
    pub fn at(&mut self, node: usize, lane: usize, height: u64) -> &mut Option<V> {
        let pages = grown(grown(&mut self.nodes, node), lane);
        let (page, index) = place(height);
        let page = pages.entry(page).or_insert_with(|| Box::new([None; PAGE]));
        &mut page[index]
    }

    /// A value.
    pub fn get(&self, node: usize, lane: usize, height: u64) -> Option<V> {
        let (page, index) = place(height);
        self.nodes.get(node)?.get(lane)?.get(&page)?[index]
    }
}

const fn place(height: u64) -> (u64, usize) {
    let page = PAGE as u64;
    (height / page, (height % page) as usize)
}

fn grown<T: Default>(list: &mut Vec<T>, index: usize) -> &mut T {
    if list.len() <= index {
        list.resize_with(index + 1, T::default);
    }
    &mut list[index]
}

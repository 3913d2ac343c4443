//! What properties remember of lanes.

/// Consecutive heights that lie together.
const PAGE: usize = 64;

/// Values by node, lane and height.
///
/// A lane grows by one height at a time and a run sees hundreds of thousands of them, each several times: pages keep
/// neighbours together, and any height may occur.
pub struct ByHeight<V> {
    nodes: Vec<Vec<Pages<V>>>,
}

/// By number, ascending. What is asked for is mostly on the last one.
type Pages<V> = Vec<(u64, Box<[Option<V>; PAGE]>)>;

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
        let found = find(pages, page).unwrap_or_else(|at| {
            pages.insert(at, (page, Box::new([None; PAGE])));
            at
        });
        &mut pages[found].1[index]
    }

    /// A value.
    pub fn get(&self, node: usize, lane: usize, height: u64) -> Option<V> {
        let (page, index) = place(height);
        let pages = self.nodes.get(node)?.get(lane)?;
        pages[find(pages, page).ok()?].1[index]
    }
}

/// Where a page is, or where it would be.
fn find<V>(pages: &Pages<V>, page: u64) -> Result<usize, usize> {
    match pages.last() {
        Some((last, _)) if *last == page => Ok(pages.len() - 1),
        _ => pages.binary_search_by_key(&page, |(it, _)| *it),
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

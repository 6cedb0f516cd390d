//! The frontier of an append-only tree: the roots of its complete subtrees, enough to append and to know its root.

use super::{empty, node, sha256_into, Hash, NODE};

/// Levels of a frontier, which holds at most 2^16 - 1 leaves.
pub const DEPTH: usize = 16;

/// A view of stored peaks. Peak k, the root of a complete tree of 2^k leaves, counts while bit k of `leaf_count` is
/// set.
pub struct Frontier<'a> {
    pub peaks: &'a mut [Hash; DEPTH],
    /// Number of leaves so far.
    pub leaf_count: u32,
}

impl Frontier<'_> {
    /// Appends the next leaf, whose memory is overwritten. None when the tree is full.
    #[inline(always)]
    pub fn append(&mut self, leaf: &mut Hash) -> Option<()> {
        let level = self.leaf_count.trailing_ones() as usize;
        if level >= DEPTH {
            return None;
        }
        let (below, rest) = self.peaks.split_at_mut(level);
        let target = rest.first_mut()?;
        let [mut hash, mut parent] = [leaf, &mut [0; 32]];
        for peak in below.iter() {
            sha256_into(parent, &[NODE, peak, hash]);
            core::mem::swap(&mut hash, &mut parent);
        }
        *target = *hash;
        self.leaf_count = self.leaf_count.checked_add(1)?;
        Some(())
    }

    /// The root over all leaves so far.
    pub fn root(&self) -> Hash {
        let mut present = (0..DEPTH).filter(|level| self.leaf_count >> level & 1 == 1);
        let Some(smallest) = present.next() else {
            return empty();
        };
        present.fold(self.peaks[smallest], |hash, level| {
            node(&self.peaks[level], &hash)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::model;
    use super::*;

    #[test]
    fn every_size_has_the_root_of_the_definition() {
        let leaves = model::leaves(70);
        let mut peaks = [[0; 32]; DEPTH];
        let mut frontier = Frontier {
            peaks: &mut peaks,
            leaf_count: 0,
        };
        assert_eq!(frontier.root(), empty());
        for (index, leaf) in leaves.iter().enumerate() {
            frontier.append(&mut leaf.clone()).unwrap();
            assert_eq!(
                frontier.root(),
                model::root(&leaves[..=index]),
                "{index} leaves"
            );
        }
    }

    #[test]
    fn stale_peaks_of_an_earlier_shape_do_not_count() {
        let mut peaks = [[9; 32]; DEPTH];
        let mut frontier = Frontier {
            peaks: &mut peaks,
            leaf_count: 0,
        };
        frontier.append(&mut [1; 32]).unwrap();
        assert_eq!(frontier.root(), [1; 32]);
    }

    #[test]
    fn a_full_tree_refuses_another_leaf() {
        let mut peaks = [[0; 32]; DEPTH];
        let mut frontier = Frontier {
            peaks: &mut peaks,
            leaf_count: (1 << DEPTH) - 1,
        };
        assert_eq!(frontier.append(&mut [1; 32]), None);
    }
}

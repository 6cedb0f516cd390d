//! Inclusion proofs: computes the root from a leaf and its path of sibling hashes.

use super::{sha256_into, Hash, NODE};

/// The root that leaf number `index` of `leaf_count` and its sibling hashes, bottom up, lead to: RFC 9162, section
/// 2.1.3.2. None when the path does not fit index and count, so a node never passes for a leaf.
pub fn climb(leaf: &Hash, index: u32, leaf_count: u32, path: &[Hash]) -> Option<Hash> {
    // 64 bits wide: the machine has no narrower registers, and narrows with two more instructions each time
    let (mut position, mut last) = (u64::from(index), u64::from(leaf_count.checked_sub(1)?));
    if position > last {
        return None;
    }
    let (mut hash, mut parent) = (&mut leaf.clone(), &mut [0; 32]);
    for neighbour in path {
        if last == 0 {
            return None;
        }
        if position & 1 == 1 {
            sha256_into(parent, &[NODE, neighbour, hash]);
        } else if position == last {
            sha256_into(parent, &[NODE, neighbour, hash]);
            // an odd one out moved up as it was; apart from the others, because counting zeros costs 30 CU
            let up = position.trailing_zeros();
            (position, last) = (position >> up, last >> up);
        } else {
            sha256_into(parent, &[NODE, hash, neighbour]);
        }
        core::mem::swap(&mut hash, &mut parent);
        (position, last) = (position >> 1, last >> 1);
    }
    (last == 0).then_some(*hash)
}

#[cfg(test)]
mod tests {
    use super::super::{model, node, range_root};
    use super::*;

    /// The neighbours of a leaf, bottom up.
    fn path(leaves: &[Hash], index: usize) -> Vec<Hash> {
        let (mut level, mut at, mut found) = (leaves.to_vec(), index, vec![]);
        while level.len() > 1 {
            found.extend(level.get(at ^ 1));
            let above = |pair: &[Hash]| match pair {
                [left, right] => node(left, right),
                alone => alone[0],
            };
            level = level.chunks(2).map(above).collect();
            at /= 2;
        }
        found
    }

    #[test]
    fn every_leaf_of_every_size_leads_to_the_root() {
        for leaf_count in 1..70 {
            let leaves = model::leaves(leaf_count);
            for (index, leaf) in leaves.iter().enumerate() {
                let found = climb(leaf, index as u32, leaf_count as u32, &path(&leaves, index));
                assert_eq!(found, Some(model::root(&leaves)), "{index} of {leaf_count}");
            }
        }
    }

    #[test]
    fn what_differs_in_anything_leads_elsewhere() {
        for leaf_count in 2..20u32 {
            let leaves = model::leaves(leaf_count as usize);
            let root = Some(model::root(&leaves));
            for index in 0..leaf_count {
                let (at, leaf) = (index as usize, &leaves[index as usize]);
                let path = path(&leaves, at);
                let longer = [path.clone(), vec![[0; 32]]].concat();
                assert_ne!(climb(&[0; 32], index, leaf_count, &path), root);
                assert_ne!(climb(leaf, index, leaf_count, &longer), root);
                assert_ne!(climb(leaf, index, leaf_count, &path[1..]), root);
                assert_ne!(
                    climb(leaf, (index + 1) % leaf_count, leaf_count, &path),
                    root
                );
            }
        }
    }

    // The inner node above leaves 0 and 1 with a path one shorter: right hashes, but no leaf of a tree of 4.
    #[test]
    fn a_node_is_no_leaf() {
        let leaves = model::leaves(4);
        let inner = node(&leaves[0], &leaves[1]);
        let beside = [node(&leaves[2], &leaves[3])];
        assert_eq!(climb(&inner, 0, 2, &beside), Some(model::root(&leaves)));
        assert_eq!(climb(&inner, 0, 4, &beside), None);
        assert_eq!(range_root(&[inner], 0, 4, &beside), None);
    }

    #[test]
    fn numbers_that_do_not_fit_lead_nowhere() {
        assert_eq!(climb(&[1; 32], 0, 0, &[]), None);
        assert_eq!(climb(&[1; 32], 1, 1, &[]), None);
        assert_eq!(climb(&[1; 32], 0, u32::MAX, &[]), None);
        assert_eq!(climb(&[1; 32], u32::MAX, u32::MAX, &[]), None);
        assert_eq!(climb(&[1; 32], 0, 1, &[]), Some([1; 32]));
    }
}

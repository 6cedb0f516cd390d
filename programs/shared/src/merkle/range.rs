//! Range proofs: computes the root from consecutive leaves and the roots of the subtrees without any of them.

use super::{node, Hash};

/// The root of a tree of `leaf_count` leaves that has `leaves` from number `first_index` on. `range_proof` holds the
/// roots of the largest subtrees without any of them, from left to right. None when they do not fit the range and the
/// count.
pub fn range_root(
    leaves: &[Hash],
    first_index: u32,
    leaf_count: u32,
    range_proof: &[Hash],
) -> Option<Hash> {
    let end_index = first_index.checked_add(u32::try_from(leaves.len()).ok()?)?;
    if leaves.is_empty() || end_index > leaf_count {
        return None;
    }
    let mut walk = Walk {
        leaves: leaves.iter(),
        range_proof: range_proof.iter(),
        first_index,
        end_index,
    };
    let root = walk.root(0, leaf_count)?;
    walk.range_proof.next().is_none().then_some(root)
}

struct Walk<'a> {
    leaves: core::slice::Iter<'a, Hash>,
    range_proof: core::slice::Iter<'a, Hash>,
    first_index: u32,
    end_index: u32,
}

impl Walk<'_> {
    /// The root over `leaf_count` leaves from number `start_index` on. Splits at the largest power of two below the
    /// count, so it goes no deeper than the tree.
    fn root(&mut self, start_index: u32, leaf_count: u32) -> Option<Hash> {
        let end_index = start_index.checked_add(leaf_count)?;
        if end_index <= self.first_index || self.end_index <= start_index {
            return self.range_proof.next().copied();
        }
        if leaf_count == 1 {
            return self.leaves.next().copied();
        }
        let left_count = leaf_count.checked_next_power_of_two()? / 2;
        let left = self.root(start_index, left_count)?;
        let right = self.root(start_index + left_count, leaf_count - left_count)?;
        Some(node(&left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::super::model;
    use super::*;

    #[test]
    fn every_range_of_every_size_leads_to_the_root() {
        for leaf_count in 1..20 {
            let leaves = model::leaves(leaf_count);
            let root = model::root(&leaves);
            for first_index in 0..leaf_count {
                for end_index in first_index + 1..=leaf_count {
                    let range_proof = model::range_proof(&leaves, first_index, end_index);
                    let found = range_root(
                        &leaves[first_index..end_index],
                        first_index as u32,
                        leaf_count as u32,
                        &range_proof,
                    );
                    assert_eq!(
                        found,
                        Some(root),
                        "{first_index}..{end_index} of {leaf_count}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_differs_in_anything_leads_elsewhere() {
        for leaf_count in 2..20u32 {
            let leaves = model::leaves(leaf_count as usize);
            let root = model::root(&leaves);
            for first_index in 0..leaf_count {
                let at = first_index as usize;
                let leaf = &leaves[at..=at];
                let range_proof = model::range_proof(&leaves, at, at + 1);
                let leads = |leaf: &[Hash], first_index, leaf_count, range_proof: &[Hash]| {
                    range_root(leaf, first_index, leaf_count, range_proof) == Some(root)
                };
                let mut longer = range_proof.clone();
                longer.push([0; 32]);
                assert!(leads(leaf, first_index, leaf_count, &range_proof));
                assert!(!leads(&[[0; 32]], first_index, leaf_count, &range_proof));
                assert!(!leads(leaf, first_index, leaf_count, &longer));
                assert!(!leads(leaf, first_index, leaf_count, &range_proof[1..]));
                assert!(!leads(
                    leaf,
                    (first_index + 1) % leaf_count,
                    leaf_count,
                    &range_proof
                ));
            }
        }
    }

    #[test]
    fn numbers_that_do_not_fit_lead_nowhere() {
        let leaves = model::leaves(2);
        assert_eq!(range_root(&[], 0, 2, &leaves), None);
        assert_eq!(range_root(&[], 0, 0, &[]), None);
        assert_eq!(range_root(&leaves, 1, 2, &[]), None);
        assert_eq!(range_root(&leaves, u32::MAX, 2, &[]), None);
        assert_eq!(range_root(&leaves[..1], 0, u32::MAX, &[]), None);
    }
}

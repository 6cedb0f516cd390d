//! Are these consecutive leaves part of a tree? With the hashes of everything beside them they lead to the root or nowhere.

use super::{node, Hash};

/// The root of a tree of `count` leaves that has `leaves` from number `first` on. `beside` holds the roots of the
/// largest subtrees without any of them, from left to right. None when the numbers do not fit each other.
pub fn range_root(leaves: &[Hash], first: u32, count: u32, beside: &[Hash]) -> Option<Hash> {
    let end = first.checked_add(u32::try_from(leaves.len()).ok()?)?;
    if leaves.is_empty() || end > count {
        return None;
    }
    let mut walk = Walk {
        leaves: leaves.iter(),
        beside: beside.iter(),
        first,
        end,
    };
    let root = walk.root(0, count)?;
    walk.beside.next().is_none().then_some(root)
}

struct Walk<'a> {
    leaves: core::slice::Iter<'a, Hash>,
    beside: core::slice::Iter<'a, Hash>,
    first: u32,
    end: u32,
}

impl Walk<'_> {
    /// The root over `count` leaves from number `start` on. Splits at the largest power of two below the count, so it
    /// goes no deeper than the tree.
    fn root(&mut self, start: u32, count: u32) -> Option<Hash> {
        let end = start.checked_add(count)?;
        if end <= self.first || self.end <= start {
            return self.beside.next().copied();
        }
        if count == 1 {
            return self.leaves.next().copied();
        }
        let left_count = count.checked_next_power_of_two()? / 2;
        let left = self.root(start, left_count)?;
        let right = self.root(start + left_count, count - left_count)?;
        Some(node(&left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::super::model;
    use super::*;

    #[test]
    fn every_range_of_every_size_leads_to_the_root() {
        for count in 1..20 {
            let leaves = model::leaves(count);
            let root = model::root(&leaves);
            for first in 0..count {
                for end in first + 1..=count {
                    let beside = model::beside(&leaves, first, end);
                    let found =
                        range_root(&leaves[first..end], first as u32, count as u32, &beside);
                    assert_eq!(found, Some(root), "{first}..{end} of {count}");
                }
            }
        }
    }

    #[test]
    fn what_differs_in_anything_leads_elsewhere() {
        for count in 2..20u32 {
            let leaves = model::leaves(count as usize);
            let root = model::root(&leaves);
            for first in 0..count {
                let at = first as usize;
                let leaf = &leaves[at..=at];
                let beside = model::beside(&leaves, at, at + 1);
                let leads = |leaf: &[Hash], first, count, beside: &[Hash]| {
                    range_root(leaf, first, count, beside) == Some(root)
                };
                let mut longer = beside.clone();
                longer.push([0; 32]);
                assert!(leads(leaf, first, count, &beside));
                assert!(!leads(&[[0; 32]], first, count, &beside));
                assert!(!leads(leaf, first, count, &longer));
                assert!(!leads(leaf, first, count, &beside[1..]));
                assert!(!leads(leaf, (first + 1) % count, count, &beside));
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

//! Is a leaf part of a tree? The path's hashes, bottom up, lead from the leaf to the root or nowhere.

use super::{node, Hash};

/// Whether `leaf` is number `index` of the `count` leaves under `root`, as RFC 9162 section 2.1.3.2 checks it.
pub fn includes(root: &Hash, leaf: &Hash, index: u32, count: u32, path: &[Hash]) -> bool {
    if index >= count {
        return false;
    }
    let (mut position, mut last) = (index, count - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return false;
        }
        if position & 1 == 1 || position == last {
            hash = node(sibling, &hash);
            let climbed = if position & 1 == 1 {
                0
            } else {
                position.trailing_zeros()
            };
            position = position.checked_shr(climbed).unwrap_or(0);
            last = last.checked_shr(climbed).unwrap_or(0);
        } else {
            hash = node(&hash, sibling);
        }
        position >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

#[cfg(test)]
mod tests {
    use super::super::model;
    use super::*;

    #[test]
    fn every_leaf_of_every_size_is_included() {
        for count in 1..40 {
            let leaves = model::leaves(count);
            let root = model::root(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let path = model::path(&leaves, index);
                assert!(
                    includes(&root, leaf, index as u32, count as u32, &path),
                    "{index} of {count}"
                );
            }
        }
    }

    #[test]
    fn what_differs_in_anything_is_not_included() {
        for count in 2..20u32 {
            let leaves = model::leaves(count as usize);
            let root = model::root(&leaves);
            for index in 0..count {
                let leaf = leaves[index as usize];
                let path = model::path(&leaves, index as usize);
                let mut longer = path.clone();
                longer.push([0; 32]);
                assert!(!includes(&root, &[0; 32], index, count, &path));
                assert!(!includes(&[0; 32], &leaf, index, count, &path));
                assert!(!includes(&root, &leaf, count, count, &path));
                assert!(!includes(&root, &leaf, index, count, &longer));
                assert!(!includes(
                    &root,
                    &leaf,
                    index,
                    count,
                    &path[..path.len() - 1]
                ));
                assert!(!includes(&root, &leaf, (index + 1) % count, count, &path));
            }
        }
    }

    #[test]
    fn an_empty_tree_includes_nothing() {
        assert!(!includes(&super::super::empty(), &[1; 32], 0, 0, &[]));
    }
}

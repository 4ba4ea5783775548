//! Full bundles, and what is stored above them: many of them in one call, so that other threads run for longer.

use crate::hash::{parents, push_leaves, HASH};
use crate::{entries_of, TILE_WIDTH};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

/// The node above 2^k hashes, which whoever calls has counted.
#[pyfunction]
pub fn root<'py>(py: Python<'py>, hashes: PyBackedBytes) -> Bound<'py, PyBytes> {
    let found = py.detach(|| root_of(hashes.to_vec()));
    PyBytes::new(py, &found)
}

/// For each bundle and the tile in its place: the hash of the tile, if it is full and has the leaf hashes of the
/// bundle, and nothing else; otherwise None.
#[pyfunction]
pub fn agreed_roots<'py>(
    py: Python<'py>,
    bundles: Vec<PyBackedBytes>,
    tiles: Vec<PyBackedBytes>,
) -> Vec<Option<Bound<'py, PyBytes>>> {
    let found: Vec<_> = py.detach(|| {
        let pairs = bundles.iter().zip(&tiles);
        pairs
            .map(|(bundle, tile)| agreed_root(bundle, tile))
            .collect()
    });
    let found = found.into_iter();
    found
        .map(|root| root.map(|hash| PyBytes::new(py, &hash)))
        .collect()
}

fn agreed_root(bundle: &[u8], tile: &[u8]) -> Option<Vec<u8>> {
    let entries = entries_of(bundle)?;
    if entries.len() != TILE_WIDTH {
        return None;
    }
    let mut leaves = Vec::with_capacity(HASH * TILE_WIDTH);
    push_leaves(&mut leaves, entries.into_iter());
    (leaves == tile).then(|| root_of(leaves))
}

fn root_of(mut hashes: Vec<u8>) -> Vec<u8> {
    while hashes.len() > HASH {
        hashes = parents(&hashes);
    }
    hashes
}

//! What takes tiletree longest, compiled: RFC 6962 leaves and nodes, the encoding of entry bundles, sorted records, and
//! the verification of Ed25519 signatures.
//!
//! Every function gives what `tiles/tree`, `tiles/index` and `tiles/notes` give without it, and lets other Python threads
//! run meanwhile.
//! Hashes stand one after the other, 32 bytes each, as a tile stores them.

#![deny(unsafe_code)]

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

mod ed25519;
mod hash;
mod pairs;

use hash::{parents as parents_of, push_leaves, HASH};

const TILE_WIDTH: usize = 256; // entries of a bundle
const RECORD: usize = 16; // bytes
const PREFIX: usize = 10; // bytes of a record that are from a hash; the others are an index

/// The hashes of entries.
#[pyfunction]
fn leaf_hashes<'py>(py: Python<'py>, entries: Vec<PyBackedBytes>) -> Bound<'py, PyBytes> {
    let hashes = py.detach(|| {
        let mut hashes = Vec::with_capacity(HASH * entries.len());
        push_leaves(&mut hashes, entries.iter().map(|entry| &entry[..]));
        hashes
    });
    PyBytes::new(py, &hashes)
}

/// The hashes of the entries of a bundle. Raises ValueError unless it holds `width` of them and ends with the last.
#[pyfunction]
fn bundle_leaves<'py>(
    py: Python<'py>,
    bundle: PyBackedBytes,
    width: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    let hashes = py.detach(|| {
        let entries = entries_of(&bundle)?;
        let mut hashes = Vec::with_capacity(HASH * entries.len());
        push_leaves(&mut hashes, entries.iter().copied());
        (entries.len() == width).then_some(hashes)
    });
    let hashes = hashes.ok_or_else(|| PyValueError::new_err("not a bundle of that width"))?;
    Ok(PyBytes::new(py, &hashes))
}

/// The entries of a bundle, each after its length as a big-endian uint16; None if the last one is cut short.
fn entries_of(bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::with_capacity(TILE_WIDTH);
    let mut rest = bundle;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, next) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        rest = next;
    }
    rest.is_empty().then_some(entries)
}

/// The nodes one height above pairs of neighbours, SHA-256(0x01 || left || right); an odd last hash is left out.
#[pyfunction]
fn parents<'py>(py: Python<'py>, hashes: PyBackedBytes) -> Bound<'py, PyBytes> {
    let above = py.detach(|| parents_of(&hashes));
    PyBytes::new(py, &above)
}

/// The node above one, of which each sibling on the way up is given, and on which sides these stand: true is left.
#[pyfunction]
fn node_above<'py>(
    py: Python<'py>,
    node: &[u8],
    siblings: Vec<PyBackedBytes>,
    sides: Vec<bool>,
) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &hash::node_above(node, siblings.iter().zip(sides)))
}

type Encoded<'py> = (Vec<Bound<'py, PyBytes>>, Bound<'py, PyBytes>);

/// Entries as bundles hold them, cut before entry `first` and every 256 after it; and the hashes of the entries.
/// Raises ValueError for an entry over 65,535 bytes.
#[pyfunction]
fn encode<'py>(
    py: Python<'py>,
    entries: Vec<PyBackedBytes>,
    first: usize,
) -> PyResult<Encoded<'py>> {
    let (head, tail) = entries.split_at(first.min(entries.len()));
    // copying takes a tenth of the time of hashing, and straight into Python's own memory: only hashing is worth the lock
    let pieces = [head].into_iter().chain(tail.chunks(TILE_WIDTH));
    let pieces = pieces
        .map(|some| piece(py, some))
        .collect::<PyResult<_>>()?;
    Ok((pieces, leaf_hashes(py, entries)))
}

/// Entries, each after its length as a big-endian uint16.
fn piece<'py>(py: Python<'py>, entries: &[PyBackedBytes]) -> PyResult<Bound<'py, PyBytes>> {
    let size = entries.iter().map(|entry| entry.len() + 2).sum();
    PyBytes::new_with(py, size, |mut room| {
        for entry in entries {
            let length = u16::try_from(entry.len())
                .map_err(|_| PyValueError::new_err("an entry is too long"))?;
            let (prefix, rest) = room.split_at_mut(2);
            prefix.copy_from_slice(&length.to_be_bytes());
            let (content, rest) = rest.split_at_mut(entry.len());
            content.copy_from_slice(entry);
            room = rest;
        }
        Ok(())
    })
}

/// The records of leaf hashes (docs/index-format.md), the first of which is that of entry `first`.
#[pyfunction]
fn leaf_records<'py>(py: Python<'py>, leaves: PyBackedBytes, first: u64) -> Bound<'py, PyBytes> {
    let records = py.detach(|| {
        let mut records = Vec::with_capacity(leaves.len() / HASH * RECORD);
        for (leaf, index) in leaves.chunks_exact(HASH).zip(first..) {
            records.extend_from_slice(&leaf[..PREFIX]);
            records.extend_from_slice(&index.to_be_bytes()[8 - (RECORD - PREFIX)..]);
        }
        records
    });
    PyBytes::new(py, &records)
}

/// The records of several parts whose first byte is one of `low` to `high`, sorted.
#[pyfunction]
fn sorted_records<'py>(
    py: Python<'py>,
    parts: Vec<PyBackedBytes>,
    low: u8,
    high: u8,
) -> PyResult<Bound<'py, PyBytes>> {
    let sorted = py.detach(|| {
        let mut records = Vec::new();
        for part in &parts {
            let some = part
                .chunks_exact(RECORD)
                .filter(|one| (low..=high).contains(&one[0]));
            records.extend(some.filter_map(|one| one.try_into().ok().map(u128::from_be_bytes)));
        }
        records.sort(); // finds what is sorted already, as parts that are merged are
        records
    });
    PyBytes::new_with(py, RECORD * sorted.len(), |room| {
        for (place, record) in room.chunks_exact_mut(RECORD).zip(sorted) {
            place.copy_from_slice(&record.to_be_bytes());
        }
        Ok(())
    })
}

#[pymodule]
fn tiletree_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("INTERFACE", 3)?; // what these functions take and give; `tiles/native.py` asks for it
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(leaf_hashes, module)?)?;
    module.add_function(wrap_pyfunction!(bundle_leaves, module)?)?;
    module.add_function(wrap_pyfunction!(parents, module)?)?;
    module.add_function(wrap_pyfunction!(node_above, module)?)?;
    module.add_function(wrap_pyfunction!(encode, module)?)?;
    module.add_function(wrap_pyfunction!(leaf_records, module)?)?;
    module.add_function(wrap_pyfunction!(sorted_records, module)?)?;
    module.add_function(wrap_pyfunction!(pairs::root, module)?)?;
    module.add_function(wrap_pyfunction!(pairs::agreed_roots, module)?)?;
    module.add_class::<ed25519::Ed25519Key>()
}

//! Ed25519, verification only (RFC 8032 §5.1.7): without the cofactor, and R compared as bytes, as OpenSSL does it.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A public key. It is made once: to find the point that it encodes takes a fifth of verifying a signature.
#[pyclass(frozen)]
pub struct Ed25519Key(VerifyingKey);

#[pymethods]
impl Ed25519Key {
    /// Raises ValueError unless 32 bytes encode a point.
    #[new]
    fn new(public: &[u8]) -> PyResult<Self> {
        let key = public.try_into().ok().map(VerifyingKey::from_bytes);
        let key = key.and_then(Result::ok).map(Self);
        key.ok_or_else(|| PyValueError::new_err("not an Ed25519 key"))
    }

    /// Whether a signature is right; one of another length than 64 bytes is not.
    fn has_signed(&self, py: Python<'_>, message: &[u8], signature: &[u8]) -> bool {
        py.detach(|| {
            let signature = Signature::from_slice(signature);
            signature.is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
        })
    }
}

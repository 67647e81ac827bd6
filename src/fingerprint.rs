//! The fingerprint of a content: blake3, as a type.
//!
//! A [`Fingerprint`] tells contents apart that nobody made to look alike; a [`Digest`] is kept where somebody may try.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// What each byte is worth as a lower-case hexadecimal digit; 255 where it is none.
const VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit as usize] as usize] = digit;
        digit += 1;
    }
    values
};

/// The first 16 bytes of a content's blake3 hash: 128 bits, printed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Returns the fingerprint of `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self::from_hash(&blake3::hash(content))
    }

    /// Returns the fingerprint of all that `value` is told apart by: of the same values the same one, in each process of
    /// one program.
    #[must_use]
    pub fn of_value(value: &impl Hash) -> Self {
        let mut bytes = Bytes::default();
        value.hash(&mut bytes);
        Self::of(&bytes.0)
    }

    /// Returns the fingerprint that a streaming hasher has come to.
    #[must_use]
    pub fn from_hash(hash: &blake3::Hash) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        Self(bytes)
    }

    /// Returns the fingerprint that `bytes` are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the fingerprint.
    #[must_use]
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Returns the fingerprint written as 32 lower-case hexadecimal digits, if `text` is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: &[u8; 32] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0; 16];
        let mut seen = 0;
        for (byte, [high, low]) in bytes.iter_mut().zip(digits.as_chunks().0) {
            let (high, low) = (VALUES[usize::from(*high)], VALUES[usize::from(*low)]);
            seen |= high | low;
            *byte = high << 4 | low;
        }
        (seen < 16).then_some(Self(bytes))
    }
}

/// The bytes that a value is hashed by.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("the bytes are what is asked for")
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // At once: an array is written and read byte by byte.
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Fingerprint;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("16 bytes")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Fingerprint, E> {
                let wrong = |_| E::invalid_length(bytes.len(), &self);
                bytes.try_into().map(Fingerprint).map_err(wrong)
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (at, byte) in self.0.iter().enumerate() {
            text[at * 2] = DIGITS[usize::from(byte >> 4)];
            text[at * 2 + 1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(str::from_utf8(&text).expect("digits are ASCII"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A content's whole blake3 hash, for what comes from strangers: 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(blake3::Hash);

impl Digest {
    /// Returns the digest of `parts`: other parts have another one, however they are cut.
    #[must_use]
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize())
    }

    /// Returns the digest written as 64 hexadecimal digits, if `text` is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_hex().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        let fingerprint = Fingerprint::of(b"orders");
        assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Some(fingerprint));
        assert_eq!(Fingerprint::parse("+f"), None);
        for wrong in ["+", "F", "g", "é", ""] {
            assert_eq!(
                Fingerprint::parse(&format!("{wrong}{}", &"0".repeat(31))),
                None,
                "{wrong}"
            );
        }
        assert_eq!(Fingerprint::parse(&"0".repeat(33)), None);
    }

    #[test]
    fn a_digest_knows_where_its_parts_end() {
        let digest = |parts: &[&'static str]| Digest::of(parts.iter().map(|it| it.as_bytes()));
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(Digest::parse(&digest(&["ab"]).to_string()), Some(digest(&["ab"])));
        assert_eq!(Digest::parse("blake3"), None);
    }
}

//! Small files of the cache, sealed: what is damaged, torn or of another sort is as good as missing.

use crate::fingerprint::Fingerprint;

/// Of what sort a sealed file is, its form's version in it: the first bytes of the file.
pub(super) type Sort = [u8; 8];

/// The bytes in front of a body: its sort, and its fingerprint.
pub(super) const HEAD: usize = 8 + 16;

/// Returns by what a file is known that holds `body`.
pub(super) fn fingerprint(body: &[u8]) -> Fingerprint {
    Fingerprint::of(body)
}

/// Returns by what the file of `sort` is known that begins with `head`, whatever its body is by now.
pub(super) fn known_by(sort: &Sort, head: &[u8]) -> Option<Fingerprint> {
    let hash = head.strip_prefix(sort)?.first_chunk()?;
    Some(Fingerprint::from_bytes(*hash))
}

/// Returns the bytes of a file of `sort` that holds `body`, and by what it is known.
pub(super) fn seal(sort: &Sort, body: &[u8]) -> (Fingerprint, Vec<u8>) {
    let fingerprint = fingerprint(body);
    let mut bytes = Vec::with_capacity(HEAD + body.len());
    bytes.extend(sort);
    bytes.extend(fingerprint.bytes());
    bytes.extend(body);
    (fingerprint, bytes)
}

/// Returns by what the file is known that holds `bytes`, and its body; none where it is not as it was sealed.
pub(super) fn open<'b>(sort: &Sort, bytes: &'b [u8]) -> Option<(Fingerprint, &'b [u8])> {
    let (hash, body) = bytes.strip_prefix(sort)?.split_at_checked(HEAD - sort.len())?;
    let fingerprint = fingerprint(body);
    (fingerprint.bytes() == *hash).then_some((fingerprint, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_torn_or_of_another_sort_does_not_open() {
        let (fingerprint, mut bytes) = seal(b"gentst1\n", b"body");
        assert_eq!(open(b"gentst1\n", &bytes), Some((fingerprint, &b"body"[..])));
        assert_eq!(open(b"gentst2\n", &bytes), None);
        assert_eq!(known_by(b"gentst1\n", &bytes[..HEAD]), Some(fingerprint));
        assert_eq!(known_by(b"gentst1\n", &bytes[..HEAD - 1]), None);
        for at in 0..bytes.len() {
            assert_eq!(open(b"gentst1\n", &bytes[..at]), None, "cut at {at}");
            bytes[at] ^= 1;
            assert_eq!(open(b"gentst1\n", &bytes), None, "byte {at}");
            bytes[at] ^= 1;
        }
    }
}

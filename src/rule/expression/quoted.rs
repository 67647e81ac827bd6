//! What a string literal stands for: its quotes taken off, its escapes read.

use std::borrow::Cow;

use crate::problem::Span;

/// Returns the content of `literal`, a string with its quotes and prefix, or where in it an escape stands that is none.
pub(super) fn content(literal: &str) -> Result<Cow<'_, str>, Span> {
    let body = literal.trim_start_matches(['r', 'R']);
    let n_quotes = if body.len() >= 6 && (body.starts_with("'''") || body.starts_with("\"\"\"")) {
        3
    } else {
        1
    };
    let start = literal.len() - body.len() + n_quotes;
    let inner = &literal[start..literal.len() - n_quotes];
    // A line ends in `\n`, however the file writes that.
    let text = if inner.contains('\r') {
        Cow::Owned(inner.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(inner)
    };
    if literal.len() > body.len() || !text.contains('\\') {
        return Ok(text);
    }
    match unescaped(&text) {
        Ok(content) => Ok(Cow::Owned(content)),
        // Where lines end otherwise the place is not known to the byte.
        Err(_) if matches!(text, Cow::Owned(_)) => Err(Span::new(0, literal.len())),
        Err(span) => Err(span.shifted(u32::try_from(start).unwrap_or(0))),
    }
}

fn unescaped(text: &str) -> Result<String, Span> {
    let mut content = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        content.push_str(&text[at..at + found]);
        at += found;
        let (char, len) = escape(&text[at..])
            .map_err(|len| Span::new(at, at + text[at..].chars().take(len).map(char::len_utf8).sum::<usize>()))?;
        content.push(char);
        at += len;
    }
    content.push_str(&text[at..]);
    Ok(content)
}

/// Returns the character of the escape at the start of `text` and its length, or how many characters are wrong.
fn escape(text: &str) -> Result<(char, usize), usize> {
    let kind = text.as_bytes().get(1).copied().unwrap_or(0);
    let (radix, from, n_digits) = match kind {
        b'a' => return Ok(('\x07', 2)),
        b'b' => return Ok(('\x08', 2)),
        b'f' => return Ok(('\x0c', 2)),
        b'n' => return Ok(('\n', 2)),
        b'r' => return Ok(('\r', 2)),
        b't' => return Ok(('\t', 2)),
        b'v' => return Ok(('\x0b', 2)),
        b'\\' | b'\'' | b'"' | b'`' | b'?' => return Ok((char::from(kind), 2)),
        b'0'..=b'3' => (8, 1, 3),
        b'x' | b'X' => (16, 2, 2),
        b'u' => (16, 2, 4),
        b'U' => (16, 2, 8),
        _ => return Err(2),
    };
    let end = from + n_digits;
    let digits = text
        .get(from..end)
        .filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()));
    let code = digits.and_then(|it| u32::from_str_radix(it, radix).ok());
    code.and_then(char::from_u32).map(|it| (it, end)).ok_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        for (literal, expected) in [
            ("'a'", "a"),
            ("''", ""),
            ("''''''", ""),
            ("'''a'b'''", "a'b"),
            (r"r'\n'", r"\n"),
            (r"'\n\t\\\'\u00e9\x41\101\U0001F600\?\`'", "\n\t\\'éAA😀?`"),
            ("\"\"\"a\r\nb\rc\"\"\"", "a\nb\nc"),
        ] {
            assert_eq!(content(literal).as_deref(), Ok(expected), "{literal}");
        }
    }

    #[test]
    fn an_escape_that_is_none_is_found() {
        for (literal, wrong) in [
            (r"'a\q'", r"\q"),
            (r"'\ué'", r"\ué'"),
            (r"'\x4'", r"\x4'"),
            (r"'\400'", r"\4"),
            (r"'\uD800'", r"\uD800"),
            (r"'''\-'''", r"\-"),
        ] {
            let span = content(literal).unwrap_err();
            assert!(
                wrong.starts_with(span.of(literal)) || span.of(literal) == wrong,
                "{literal}: {span:?}"
            );
        }
    }
}

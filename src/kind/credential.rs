//! Literals that look like credentials. A secret belongs into a store and is referred to, never written down.

/// No access key that is known by its form is shorter.
const SHORTEST_TOKEN: usize = 20;

/// Returns what `content` seems to hold in the clear, if it seems to hold a credential.
///
/// `key` is the name under which it stands, where names are free. What refers to something else (`${…}`, `$X`,
/// `{{…}}`, `<…>`) is no literal, nor is the path of a file.
#[must_use]
pub fn looks_like(content: &str, key: Option<&str>) -> Option<&'static str> {
    if in_url(content) {
        return Some("the password of a URL");
    }
    if content.contains("-----BEGIN ") && content.contains("PRIVATE KEY-----") {
        return Some("a private key");
    }
    let word_end = |it: char| !it.is_ascii_alphanumeric() && it != '_';
    if content.len() >= SHORTEST_TOKEN && content.split(word_end).any(is_token) {
        return Some("an access key");
    }
    if key.is_some_and(is_secret_name) && is_literal(content) {
        return Some("the value of a secret variable");
    }
    None
}

fn in_url(content: &str) -> bool {
    content.match_indices("://").any(|(at, sign)| {
        let rest = &content[at + sign.len()..];
        let end = authority_end(rest);
        let Some((user, _)) = rest[..end].rsplit_once('@') else {
            return false;
        };
        user.split_once(':').is_some_and(|(_, password)| is_literal(password))
    })
}

/// Returns where the part of a URL ends that names user and host; a slash within `${…}` or `{{…}}` does not end it.
fn authority_end(rest: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'/' | b'?' | b'#' | b' ' | b'"' | b'\'' | b'\n' | b',' if depth == 0 => return at,
            _ => {}
        }
    }
    rest.len()
}

fn is_token(word: &str) -> bool {
    let upper = |it: &str| it.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
    let cloud = word.len() == 20 && (word.starts_with("AKIA") || word.starts_with("ASIA")) && upper(word);
    let prefixed = ["ghp_", "gho_", "ghs_", "github_pat_", "glpat_", "sk_live_", "rk_live_"];
    cloud || (word.len() >= SHORTEST_TOKEN && prefixed.iter().any(|it| word.starts_with(it)))
}

fn is_secret_name(key: &str) -> bool {
    let ends = [
        "PASSWORD",
        "PASSWD",
        "SECRET",
        "TOKEN",
        "SECRET_KEY",
        "API_KEY",
        "PRIVATE_KEY",
        "ACCESS_KEY",
    ];
    let key = key.as_bytes();
    let same = |a: &u8, b: &u8| a.eq_ignore_ascii_case(b) || (*b == b'_' && matches!(a, b'-' | b'.'));
    ends.iter().any(|end| {
        let Some(start) = key.len().checked_sub(end.len()) else {
            return false;
        };
        let (before, tail) = key.split_at(start);
        let fits = tail.iter().zip(end.as_bytes()).all(|(a, b)| same(a, b));
        fits && matches!(before.last(), None | Some(b'_' | b'-' | b'.'))
    })
}

fn is_literal(content: &str) -> bool {
    let refers = ["$", "{{", "<", "%(", "*", "/"];
    let content = content.trim();
    !(content.is_empty() || refers.iter().any(|it| content.starts_with(it)) || content.contains("${"))
}

#[cfg(test)]
mod tests {
    use super::looks_like;

    #[test]
    fn passwords_of_urls_are_seen() {
        for content in [
            "mongodb://admin:password@mongodb:27017/authn?authSource=admin",
            "db+postgresql://u:p@postgres/db",
            "amqp://u:p@${infra.events.address}/",
        ] {
            assert_eq!(looks_like(content, None), Some("the password of a URL"), "{content}");
        }
        for content in [
            "redis://:@redis:6379/0",
            "postgres://app:${secret.db.password}@${infra.db.address}/app",
            "postgres://app:$${PASSWORD}@db/app",
            "http://auth:8080/a@b",
            "Server=sqldata;Database=x",
            "host=db port=5432",
            "https://user@host/",
        ] {
            assert_eq!(looks_like(content, Some("DATABASE_URL")), None, "{content}");
        }
    }

    #[test]
    fn names_that_speak_of_secrets_want_references() {
        assert!(looks_like("hunter2", Some("DB_PASSWORD")).is_some());
        assert!(looks_like("hunter2", Some("stripe-api-key")).is_some());
        assert!(looks_like("hunter2", Some("token")).is_some());
        assert!(looks_like("${secret.db.password}", Some("DB_PASSWORD")).is_none());
        assert!(looks_like("/run/secrets/db", Some("DB_PASSWORD")).is_none());
        assert!(looks_like("/run/secrets/db", Some("DB_PASSWORD_FILE")).is_none());
        assert!(looks_like("x", Some("TOKENIZER")).is_none());
        assert!(looks_like("", Some("DB_PASSWORD")).is_none());
    }

    #[test]
    fn keys_are_known_by_their_form() {
        assert!(looks_like("AKIAIOSFODNN7EXAMPLE", None).is_some());
        assert!(looks_like("-----BEGIN RSA PRIVATE KEY-----\nMIIE", None).is_some());
        assert!(looks_like("AKIA", None).is_none());
    }
}

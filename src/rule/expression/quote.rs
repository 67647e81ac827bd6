//! A string as a literal of a language: `quote('go-template', s.name)`.
//!
//! Only the grammar of the literal is here. What becomes of it in the file around it is the printer's business.

/// The languages that code may be written in, by their grammar.
pub const LANGUAGES: [&str; 10] = [
    "backtick-rule",
    "dollar-paren",
    "dollar-variable",
    "go-template",
    "hcl",
    "ini",
    "json",
    "regex",
    "shell",
    "yaml",
];

/// The languages that have a literal for strings.
pub const QUOTED: [&str; 9] = [
    "backtick-rule",
    "dollar-paren",
    "dollar-variable",
    "go-template",
    "hcl",
    "json",
    "regex",
    "shell",
    "yaml",
];

/// Returns `text` as a string literal of `language`.
///
/// # Errors
///
/// Says why no literal of that language can hold the text.
pub fn quote(language: &str, text: &str) -> Result<String, String> {
    match language {
        "json" | "yaml" => Ok(double_quoted(text, json_escape)),
        "go-template" => Ok(double_quoted(text, go_escape)),
        "hcl" => Ok(double_quoted(text, hcl_escape)
            .replace("${", "$${")
            .replace("%{", "%%{")),
        "shell" if text.contains('\0') => Err("a shell string can't hold a zero byte".to_owned()),
        "shell" => Ok(format!("'{}'", text.replace('\'', r"'\''"))),
        "regex" => Ok(regex::escape(text)),
        "backtick-rule" if text.contains('`') => Err("a string between back-ticks can't hold a back-tick".to_owned()),
        "backtick-rule" => Ok(format!("`{text}`")),
        "dollar-paren" => Ok(text.replace('$', "$$")),
        "dollar-variable" if text.contains("${") => Err("`${` can't be written where variables are put in".to_owned()),
        "dollar-variable" => Ok(text.to_owned()),
        _ => Err(format!("`{language}` has no literal for strings")),
    }
}

fn double_quoted(text: &str, escape: fn(char) -> Option<String>) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ => match escape(char) {
                Some(escaped) => quoted.push_str(&escaped),
                None => quoted.push(char),
            },
        }
    }
    quoted.push('"');
    quoted
}

/// Escapes what is not printable; a reader of YAML wants more of that than one of JSON.
fn json_escape(char: char) -> Option<String> {
    let odd = char.is_control() || matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    odd.then(|| format!("\\u{:04x}", u32::from(char)))
}

fn go_escape(char: char) -> Option<String> {
    json_escape(char)
}

fn hcl_escape(char: char) -> Option<String> {
    json_escape(char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_keeps_its_own_signs() {
        for (language, text, expected) in [
            ("json", "a\"b\\\n\u{1}", r#""a\"b\\\n\u0001""#),
            ("go-template", "a`\"", r#""a`\"""#),
            ("hcl", "${a} %{b}", r#""$${a} %%{b}""#),
            ("shell", "it's", r"'it'\''s'"),
            ("regex", "a.b", r"a\.b"),
            ("backtick-rule", "a b", "`a b`"),
            ("dollar-variable", "$a", "$a"),
        ] {
            assert_eq!(quote(language, text).as_deref(), Ok(expected), "{language}");
        }
        for (language, text) in [
            ("shell", "\0"),
            ("backtick-rule", "`"),
            ("dollar-variable", "${x}"),
            ("ini", "a"),
        ] {
            assert!(quote(language, text).is_err(), "{language}");
        }
    }
}

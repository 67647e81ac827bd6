//! Names that other systems accept, made of names that people chose.

use super::{Meter, characters, whole};
use crate::problem;
use crate::value::Value;

/// Characters of the digest that tells changed names apart.
const SUFFIX: usize = 6;

pub(super) fn dns_label(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let name = characters(&args[0])?;
    meter.spend_bytes(name.len())?;
    let max = usize::try_from(whole(&args[1])?).unwrap_or(0);
    if !(SUFFIX + 2..=63).contains(&max) {
        return Err(format!("a label has {} to 63 characters, not {max}", SUFFIX + 2));
    }
    let mut label = String::with_capacity(name.len());
    for char in name.chars() {
        match char.to_ascii_lowercase() {
            it @ ('a'..='z' | '0'..='9') => label.push(it),
            _ if label.ends_with('-') || label.is_empty() => {}
            _ => label.push('-'),
        }
    }
    let label = label.trim_end_matches('-');
    if label == name && label.len() <= max && !label.is_empty() {
        return Ok(Value::string(label));
    }
    let digest = blake3::hash(name.as_bytes()).to_hex();
    let kept = label[..label.len().min(max - SUFFIX - 1)].trim_end_matches('-');
    let kept = if kept.is_empty() { "x" } else { kept };
    Ok(Value::string(format!("{kept}-{}", &digest[..SUFFIX])))
}

pub(super) fn closest(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let name = characters(&args[0])?;
    let names = args[1].as_list().unwrap_or_default();
    let names: Vec<&str> = names.iter().map(characters).collect::<Result<_, _>>()?;
    meter.spend(names.len() * name.len())?;
    Ok(Value::string(problem::closest(name, &names).unwrap_or("")))
}

pub(super) fn env_name(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let name = characters(&args[0])?;
    meter.spend_bytes(name.len())?;
    Ok(Value::string(underscored(&name.to_ascii_uppercase())))
}

pub(super) fn identifier(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let name = characters(&args[0])?;
    meter.spend_bytes(name.len())?;
    Ok(Value::string(underscored(name)))
}

fn underscored(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 1);
    if name.is_empty() || name.starts_with(|it: char| it.is_ascii_digit()) {
        text.push('_');
    }
    text.extend(name.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '_' }));
    text
}

/// Returns all paths that lead to a path, itself last: `/`, `/a`, `/a/b`.
pub(super) fn path_prefixes(meter: &mut Meter, args: &[Value]) -> Result<Value, String> {
    let path = characters(&args[0])?;
    let mut prefixes = Vec::new();
    if path.starts_with('/') {
        prefixes.push(Value::from("/"));
    }
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    let mut before = "";
    for end in ends {
        let prefix = path[..end].trim_end_matches('/');
        if prefix != before {
            meter.spend(1 + prefix.len() / 16)?;
            prefixes.push(Value::from(prefix));
            before = prefix;
        }
    }
    Ok(Value::list(prefixes))
}

//! When two traces of a scenario agree: when each context saw the same, in the same order.
//! Times do not count, nor does how contexts take turns, nor what differs by nature: ids,
//! the parts of a tab beyond its id and URL, and the wording of the script engine.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Fields of events that do not count.
const IGNORED: [&str; 8] =
    ["ms", "n", "apiKeys", "runtimeKeys", "tabsKeys", "connectLength", "connectName", "evkeys"];

/// What each context saw.
type Seen = BTreeMap<String, Vec<String>>;

/// Says where a trace differs from every run that was recorded; `None` when it agrees with one of them.
pub(super) fn difference(recorded: &str, produced: &str) -> Option<String> {
    let recorded = runs(recorded);
    let produced = runs(produced);
    if let Some(error) = produced.iter().find_map(|run| run["error"].as_str()) {
        return Some(format!("error: {error}"));
    }
    let recorded: Vec<Seen> = recorded.iter().filter(|run| run["error"].is_null()).map(by_context).collect();
    produced.iter().map(by_context).find_map(|produced| {
        let found: Option<Vec<String>> =
            recorded.iter().map(|recorded| difference_of_runs(recorded, &produced)).collect();
        found.and_then(|mut found| found.pop())
    })
}

fn difference_of_runs(recorded: &Seen, produced: &Seen) -> Option<String> {
    let nothing = Vec::new();
    recorded.keys().chain(produced.keys()).find_map(|context| {
        let [recorded, produced] = [recorded, produced].map(|seen| seen.get(context).unwrap_or(&nothing));
        let at = (0..recorded.len().max(produced.len())).find(|&at| recorded.get(at) != produced.get(at))?;
        let show = |seen: &[String]| seen.get(at).map_or_else(|| "nothing".to_owned(), Clone::clone);
        Some(format!("{context}[{at}] recorded {} produced {}", show(recorded), show(produced)))
    })
}

fn runs(trace: &str) -> Vec<Value> {
    let trace: Value = serde_json::from_str(&with_plain_escapes(trace)).expect("a trace is JSON");
    trace["runs"].as_array().expect("a trace has runs").clone()
}

/// The text with every `\u…` escape as plain text: it may be half of a pair, which no
/// string of this language can hold.
fn with_plain_escapes(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    let mut characters = json.chars();
    while let Some(character) = characters.next() {
        plain.push(character);
        if character == '\\' {
            match characters.next() {
                Some('u') => plain.push_str("\\u"),
                next => plain.extend(next),
            }
        }
    }
    plain
}

fn by_context(run: &Value) -> Seen {
    let mut seen = Seen::new();
    for event in run["events"].as_array().expect("a run has events") {
        let event = event.as_object().expect("an event is an object");
        let kept = event.iter().filter(|(key, _)| !IGNORED.contains(&key.as_str()));
        let kept: Map<String, Value> = kept.map(|(key, value)| (key.clone(), clean(key, value))).collect();
        let context = event["ctx"].as_str().expect("a context has a name").to_owned();
        seen.entry(context).or_default().push(Value::Object(kept).to_string());
    }
    seen
}

fn clean(key: &str, value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let counts = |name: &str| match key {
                "tab" => matches!(name, "id" | "url"),
                _ => !matches!(name, "contextId" | "envType"),
            };
            let members = members.iter().filter(|(name, _)| counts(name));
            Value::Object(members.map(|(name, value)| (name.clone(), clean(name, value))).collect())
        }
        Value::Array(items) => items.iter().map(|item| clean(key, item)).collect(),
        Value::String(text) if is_engine_error(text) => "<engine error>".into(),
        Value::String(text) => without_ids(text).into(),
        Value::Number(number) => match number.as_f64() {
            // 1.0 and 1 are the same number in a script.
            Some(float) => float.into(),
            None => value.clone(),
        },
        other => other.clone(),
    }
}

/// Whether an error's text is the script engine's own.
fn is_engine_error(text: &str) -> bool {
    const BEGINNINGS: [&str; 5] =
        ["Cannot read", "cannot read", "can't access", "undefined is not", "not a function"];
    const ENDS: [&str; 3] = [" is not a function", " is undefined", " is not defined"];

    ["TypeError: ", "ReferenceError: "].iter().filter_map(|kind| text.split_once(kind)).any(|(_, message)| {
        let name = message.trim_start_matches(|character: char| {
            character.is_alphanumeric() || matches!(character, '_' | '.' | '$')
        });
        BEGINNINGS.iter().any(|beginning| message.starts_with(beginning))
            || (name.len() < message.len() && ENDS.iter().any(|end| name.starts_with(end)))
    })
}

/// The text with every document id, of either browser, and every placeholder of one made alike.
fn without_ids(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let in_word = kept.chars().next_back().is_some_and(is_word);
        if let Some(length) = id_length(rest, in_word) {
            kept.push_str("<doc>");
            rest = &rest[length..];
        } else {
            kept.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    kept
}

/// How long the id is with which a text begins.
fn id_length(text: &str, in_word: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_uuid = bytes.len() >= 36
        && bytes[..36].iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
    let is_long_hexadecimal = !in_word
        && bytes.len() >= 32
        && bytes[..32].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
        && !text[32..].chars().next().is_some_and(is_word);
    match () {
        () if is_uuid => Some(36),
        () if is_long_hexadecimal => Some(32),
        () => text.strip_prefix("<doc ").and_then(|rest| Some("<doc ".len() + rest.find('>')? + 1)),
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[test]
fn traces_agree_context_by_context() {
    let trace = |events: &str| format!(r#"{{ "runs": [{{ "events": [{events}] }}] }}"#);
    let recorded = trace(
        r#"{ "ms": 0, "n": 0, "ctx": "bg", "ev": "a", "doc": "0123456789ABCDEF0123456789ABCDEF" },
           { "ms": 1, "n": 0, "ctx": "top", "ev": "b", "error": "TypeError: x.y is not a function", "s": "\ud800" },
           { "ms": 2, "n": 1, "ctx": "bg", "ev": "c", "sender": { "tab": { "id": 1, "width": 9 }, "envType": "x" } }"#,
    );
    let alike = trace(
        r#"{ "ms": 5, "n": 7, "ctx": "top", "ev": "b", "error": "TypeError: not a function", "s": "\ud800" },
           { "ms": 6, "n": 7, "ctx": "bg", "ev": "a", "doc": "<doc f1>" },
           { "ms": 7, "n": 8, "ctx": "bg", "ev": "c", "sender": { "tab": { "id": 1.0 } } }"#,
    );
    assert_eq!(difference(&recorded, &alike), None);
    let other = trace(r#"{ "ms": 0, "n": 0, "ctx": "bg", "ev": "c" }"#);
    let found = difference(&recorded, &other).expect("a difference");
    assert!(found.starts_with(r#"bg[0] recorded {"ctx":"bg","doc":"<doc>""#), "{found}");
    let threw = r#"{ "runs": [{ "error": "Error: no", "events": [] }] }"#;
    assert_eq!(difference(&recorded, threw), Some("error: Error: no".to_owned()));
}

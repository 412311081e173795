//! Values of scripts from and to Rust's.

use glib::Bytes;
use javascriptcore6::{Context, Value};

/// Returns a text for scripts. It may hold zeros.
pub(crate) fn text(context: &Context, text: &str) -> Value {
    Value::new_string_from_bytes(context, Some(&Bytes::from(text.as_bytes())))
}

/// Returns a text for scripts, which is not copied on its way to them.
pub(crate) fn owned_text(context: &Context, text: String) -> Value {
    Value::new_string_from_bytes(context, Some(&Bytes::from_owned(text)))
}

/// Returns a text for scripts, or undefined.
pub(crate) fn optional_text(context: &Context, given: Option<&str>) -> Value {
    given.map_or_else(|| Value::new_undefined(context), |given| text(context, given))
}

/// Returns an integer for scripts.
pub(crate) fn number(context: &Context, number: u32) -> Value {
    Value::new_number(context, number.into())
}

/// Returns an argument as text; empty where there is none.
pub(crate) fn text_of(arguments: &[Value], index: usize) -> String {
    let bytes = arguments.get(index).and_then(Value::to_string_as_bytes);
    bytes.map_or_else(String::new, |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns an argument, unless it was left out.
pub(crate) fn given(arguments: &[Value], index: usize) -> Option<&Value> {
    arguments.get(index).filter(|value| !value.is_undefined() && !value.is_null())
}

/// Returns an argument as an integer of 53 bits; 0 for what is none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
pub(crate) fn integer_of(arguments: &[Value], index: usize) -> u64 {
    const MOST: f64 = 9_007_199_254_740_991.0;
    let number = arguments.get(index).map_or(0.0, Value::to_double);
    if (0.0..=MOST).contains(&number) { number as u64 } else { 0 }
}

/// Returns an argument as an integer of 32 bits; 0 for what is none, which no port has.
pub(crate) fn small_of(arguments: &[Value], index: usize) -> u32 {
    u32::try_from(integer_of(arguments, index)).unwrap_or(0)
}

/// Returns an argument as a truth.
pub(crate) fn truth_of(arguments: &[Value], index: usize) -> bool {
    arguments.get(index).is_some_and(Value::to_boolean)
}

//! What scripts throw, as errors in plain text.

use crate::script_error::ScriptError;
use rquickjs::{CatchResultExt, CaughtError, Coerced, Ctx, Exception, FromJs, Value};

impl ScriptError {
    /// Describes a value that was thrown.
    pub(super) fn of<'js>(context: &Ctx<'js>, thrown: &Value<'js>) -> Self {
        let exception = thrown.as_object().cloned().and_then(Exception::from_object);
        let text = Coerced::<String>::from_js(context, thrown.clone()).catch(context);
        let message = match text {
            Ok(Coerced(text)) => text,
            Err(_) => "a value was thrown that cannot be shown as text".to_owned(),
        };
        Self { message, stack: exception.and_then(|exception| exception.stack()).unwrap_or_default() }
    }

    /// Describes what a call into the engine came to.
    pub(super) fn of_caught<'js>(context: &Ctx<'js>, caught: CaughtError<'js>) -> Self {
        match caught {
            CaughtError::Exception(exception) => Self::of(context, exception.as_object().as_value()),
            CaughtError::Value(value) => Self::of(context, &value),
            CaughtError::Error(error) => Self { message: error.to_string(), stack: String::new() },
        }
    }
}

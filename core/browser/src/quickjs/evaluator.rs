//! An engine for scripts that are no extension's, as the tools around a scenario.

use rquickjs::context::EvalOptions;
use rquickjs::{CatchResultExt, Context, Function, Runtime, Value};

/// An engine with one realm and nothing but the language in it.
pub(crate) struct Evaluator {
    context: Context,
    _runtime: Runtime,
}

impl Evaluator {
    /// Creates an engine.
    pub(crate) fn new() -> Result<Self, String> {
        let engine = |error: rquickjs::Error| error.to_string();
        let runtime = Runtime::new().map_err(engine)?;
        runtime.set_max_stack_size(0);
        let context = Context::full(&runtime).map_err(engine)?;
        Ok(Self { context, _runtime: runtime })
    }

    /// Runs a classic script. Gives what it throws as text.
    pub(crate) fn evaluate(&self, name: &str, text: &str) -> Result<(), String> {
        self.context.with(|context| {
            let mut options = EvalOptions::default();
            options.strict = false;
            options.filename = Some(name.to_owned());
            let result = context.eval_with_options::<Value<'_>, _>(text, options);
            result.map(drop).catch(&context).map_err(|error| error.to_string().trim().to_owned())
        })
    }

    /// Calls a function, given as text, with arguments, given as a JSON array; gives the text that it
    /// returns, or what it throws as text.
    pub(crate) fn call(&self, function: &str, arguments: &serde_json::Value) -> Result<String, String> {
        self.context.with(|context| {
            let call = || {
                let function: Function<'_> = context.eval(function)?;
                let apply: Function<'_> =
                    context.eval("(function_, given) => Reflect.apply(function_, undefined, given)")?;
                let arguments = context.json_parse(arguments.to_string())?;
                apply.call((function, arguments))
            };
            call().catch(&context).map_err(|error| error.to_string())
        })
    }
}

//! Messages: values of script that are written down, read and written again, in the
//! bindings' own code; texts that no binding wrote; and JSON as it is written natively,
//! against the engine's.

use crate::quickjs::json;
use port_core_webext::script::{API, Module as Source, POLYFILLS, bundle};
use rquickjs::{CatchResultExt, Context, Ctx, Function, Object, Runtime, TypedArray, Value};
use serde_json::Value as Json;

const CHECKS: Source = Source { name: "messages", source: include_str!("messages.js") };

/// A byte that says what to do, and a value to build or a text to read.
pub fn messages(input: &[u8]) {
    thread_local! {
        static SCRIPTS: Scripts = Scripts::new();
    }
    let Some((kind, rest)) = input.split_first() else { return };
    SCRIPTS.with(|scripts| {
        let written = match kind % 3 {
            0 => scripts.build("roundTrip", rest),
            1 => scripts.hostile(&String::from_utf8_lossy(rest)),
            _ => scripts.build("natively", rest),
        };
        if let Some(written) = written {
            is_well_formed(&written);
        }
    });
}

fn write_json<'js>(context: Ctx<'js>, value: Value<'js>) -> rquickjs::Result<Option<String>> {
    json::stringify(&context, &value)
}

/// An engine with the bindings that write messages down.
struct Scripts {
    context: Context,
    _runtime: Runtime,
}

impl Scripts {
    fn new() -> Self {
        let runtime = Runtime::new().expect("an engine");
        // A hostile text may ask for any amount.
        runtime.set_memory_limit(64 << 20);
        let context = Context::full(&runtime).expect("a context");
        context.with(|context| {
            let install = || {
                let checks: Object<'_> = context.eval(bundle(&[API, POLYFILLS, &[CHECKS]].concat()))?;
                context.globals().set("writeJson", Function::new(context.clone(), write_json)?)?;
                for name in ["roundTrip", "hostile", "natively"] {
                    context.globals().set(name, checks.get::<_, Function<'_>>(name)?)?;
                }
                Ok::<_, rquickjs::Error>(())
            };
            install().catch(&context).map_err(|error| error.to_string()).expect("the bindings load");
        });
        Self { context, _runtime: runtime }
    }

    /// What the value that the bytes describe is written as, where it is a structured clone.
    fn build(&self, check: &str, bytes: &[u8]) -> Option<String> {
        self.context.with(|context| {
            let call = || {
                let bytes = TypedArray::<u8>::new(context.clone(), bytes)?;
                context.globals().get::<_, Function<'_>>(check)?.call::<_, Option<String>>((bytes,))
            };
            call().catch(&context).map_err(|error| error.to_string()).expect("a value survives")
        })
    }

    /// What a text is read as, written again; `None` if it is no message.
    fn hostile(&self, text: &str) -> Option<String> {
        self.context.with(|context| {
            let call =
                || context.globals().get::<_, Function<'_>>("hostile")?.call::<_, Option<String>>((text,));
            call().catch(&context).map_err(|error| error.to_string()).expect("a message is read or refused")
        })
    }
}

/// Whether the text is a structured clone as `clone.js` describes it.
fn is_well_formed(text: &str) {
    let whole: Json = serde_json::from_str(text).expect("JSON");
    let none = Vec::new();
    let objects = whole.get("o").map_or(&none, |objects| objects.as_array().expect("objects are a list"));
    let value = |value: &Json| {
        let Some(parts) = value.as_array() else {
            assert!(!value.is_object(), "an object stands for itself: {value}");
            return;
        };
        match parts[0].as_str().expect("a letter") {
            "u" => assert_eq!(parts.len(), 1),
            "n" => assert!(["NaN", "Infinity", "-Infinity", "-0"].map(Json::from).contains(&parts[1])),
            "b" => assert!(parts[1].is_string()),
            "o" => assert!(parts[1].as_u64().is_some_and(|number| number < objects.len() as u64)),
            other => panic!("no kind of value: {other}"),
        }
    };
    value(whole.get("v").expect("a value"));
    for object in objects {
        let list = |at: usize| object[at].as_array().expect("a list");
        let text = |at: usize| object[at].as_str().expect("a text");
        match text(0) {
            "A" => list(2).iter().for_each(|item| {
                assert!(item[0].as_u64() < object[1].as_u64(), "beyond the array's end");
                value(&item[1]);
            }),
            "V" => {
                let buffer = &objects[object[2].as_u64().expect("a number") as usize];
                assert_eq!(buffer[0], "B", "a view of no buffer");
                assert!(object[3].is_u64() && object[4].is_u64());
            }
            "L" => assert_eq!(text(2).len() % 2, 0),
            "E" => assert!(text(1).ends_with("Error")),
            "M" | "O" => list(1).iter().for_each(|entry| {
                assert!(text(0) == "M" || entry[0].is_string());
                if text(0) == "M" {
                    value(&entry[0]);
                }
                value(&entry[1]);
            }),
            "S" => list(1).iter().for_each(value),
            "D" | "P" => value(&object[1]),
            "B" => assert_eq!(text(1).len() % 2, 0),
            "R" => assert!(object[1].is_string() && object[2].is_string()),
            other => panic!("no kind of object: {other}"),
        }
    }
}

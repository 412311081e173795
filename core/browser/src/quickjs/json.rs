//! Values of scripts as JSON, written the way `JSON.stringify` does and several times as
//! fast: the engine's own goes through each text character by character and makes a
//! string of every part.
//!
//! Plain objects, arrays and primitives are written here; whatever else is among them is
//! left to the engine, value by value.

use rquickjs::atom::PredefinedAtom;
use rquickjs::convert::Coerced;
use rquickjs::function::This;
use rquickjs::{Array, Ctx, Function, Object, Result, String as JsString, Value};
use std::fmt::Write as _;

/// How deep values nest before the engine goes on: it knows its stack, and finds circles.
const DEPTH: usize = 100;

/// The value as JSON, if JSON says everything about it that a structured clone would: if
/// it is made of plain objects and arrays, each met once, texts, numbers, truth values
/// and nulls. Anything else gives `None`, also what throws.
pub(super) fn stringify_tree<'js>(context: &Ctx<'js>, value: &Value<'js>) -> Option<String> {
    let mut writer = Writer::new(context);
    writer.tree = Some(Vec::new());
    match writer.write(value, &|| Ok(String::new())) {
        Ok(true) => Some(writer.text),
        Ok(false) | Err(Stop::LeftToTheEngine) => None,
        Err(Stop::Thrown(_)) => {
            context.catch();
            None
        }
    }
}

/// The value as JSON; `None` where JSON has nothing for it, as for a function. What is
/// thrown by the value's own functions, or for a circle, is thrown on.
pub(crate) fn stringify<'js>(context: &Ctx<'js>, value: &Value<'js>) -> Result<Option<String>> {
    let mut writer = Writer::new(context);
    match writer.write(value, &|| Ok(String::new())) {
        Ok(true) => Ok(Some(writer.text)),
        Ok(false) => Ok(None),
        Err(Stop::Thrown(error)) => Err(error),
        Err(Stop::LeftToTheEngine) => {
            context.json_stringify(value.clone())?.map(|text| text.to_string()).transpose()
        }
    }
}

struct Writer<'a, 'js> {
    context: &'a Ctx<'js>,
    text: String,
    depth: usize,
    /// The objects met so far, when none may be met twice and nothing may be left out.
    tree: Option<Vec<Object<'js>>>,
}

/// Why a value was not written.
enum Stop {
    Thrown(rquickjs::Error),
    /// The engine is to begin with the whole again.
    LeftToTheEngine,
}

impl From<rquickjs::Error> for Stop {
    fn from(error: rquickjs::Error) -> Self {
        Self::Thrown(error)
    }
}

type Written = std::result::Result<bool, Stop>;

/// Objects in a tree, beyond which looking for one among them takes too long.
const OBJECTS: usize = 32;

impl<'a, 'js> Writer<'a, 'js> {
    fn new(context: &'a Ctx<'js>) -> Self {
        Self { context, text: String::with_capacity(128), depth: 0, tree: None }
    }

    /// Writes a value that lies under a key; whether there is something to write.
    fn write(&mut self, value: &Value<'js>, key: &dyn Fn() -> Result<String>) -> Written {
        if let Some(text) = value.as_string() {
            return self.write_text(text);
        }
        if let Some(number) = value.as_int() {
            let _ = write!(self.text, "{number}");
        } else if let Some(truth) = value.as_bool() {
            self.text.push_str(if truth { "true" } else { "false" });
        } else if value.is_null() {
            self.text.push_str("null");
        } else if let Some(object) = value.as_object() {
            return match &self.tree {
                Some(_) => self.write_object_of_tree(object),
                None => self.write_object_or_what_it_becomes(object, key),
            };
        } else if let Some(number) = value.as_float() {
            let is_itself = number.is_finite() && (number != 0.0 || number.is_sign_positive());
            match (number.is_finite(), &self.tree) {
                (_, Some(_)) if !is_itself => return Err(Stop::LeftToTheEngine),
                (true, _) => self.text.push_str(&value.get::<Coerced<String>>()?),
                (false, _) => self.text.push_str("null"),
            }
        } else if self.tree.is_some() {
            return Err(Stop::LeftToTheEngine);
        } else if value.is_undefined() || value.is_symbol() {
            return Ok(false);
        } else {
            // A big integer, which has JSON if a script says so.
            return Err(Stop::LeftToTheEngine);
        }
        Ok(true)
    }

    fn write_object_of_tree(&mut self, object: &Object<'js>) -> Written {
        let known = self.tree.get_or_insert_default();
        let is_simple = !object.is_function() && !object.is_proxy() && self.depth < DEPTH;
        let is_simple = is_simple && *object != self.context.globals();
        if !is_simple || known.len() == OBJECTS || known.contains(object) {
            return Err(Stop::LeftToTheEngine);
        }
        known.push(object.clone());
        self.depth += 1;
        let written = match object.as_array() {
            Some(array) => self.write_items(array),
            None if is_plain(object) => self.write_members(object),
            None => Err(Stop::LeftToTheEngine),
        };
        self.depth -= 1;
        written
    }

    fn write_object_or_what_it_becomes(
        &mut self,
        object: &Object<'js>,
        key: &dyn Fn() -> Result<String>,
    ) -> Written {
        let to_json: Value<'js> = object.get(PredefinedAtom::ToJSON)?;
        let Some(to_json) = to_json.into_function() else { return self.write_object(object, true) };
        let becomes: Value<'js> = Function::call(&to_json, (This(object.clone()), key()?))?;
        match becomes.as_object() {
            Some(object) => self.write_object(object, false),
            None => self.write(&becomes, key),
        }
    }

    /// Writes an object that has no `toJSON`, or is what one gave.
    fn write_object(&mut self, object: &Object<'js>, may_be_asked_again: bool) -> Written {
        if object.is_function() {
            return Ok(false);
        }
        let is_simple = self.depth < DEPTH && !object.is_proxy();
        self.depth += 1;
        let written = match object.as_array() {
            Some(array) if is_simple => self.write_items(array),
            None if is_simple && is_plain(object) => self.write_members(object),
            _ if !may_be_asked_again => Err(Stop::LeftToTheEngine),
            _ => match self.context.json_stringify(object.clone())? {
                Some(json) => {
                    self.text.push_str(&json.to_string()?);
                    Ok(true)
                }
                None => Ok(false),
            },
        };
        self.depth -= 1;
        written
    }

    fn write_items(&mut self, array: &Array<'js>) -> Written {
        self.text.push('[');
        for index in 0..array.len() {
            if index > 0 {
                self.text.push(',');
            }
            let item: Value<'js> = array.get(index)?;
            if !self.write(&item, &|| Ok(index.to_string()))? {
                self.text.push_str("null");
            }
        }
        self.text.push(']');
        Ok(true)
    }

    fn write_members(&mut self, object: &Object<'js>) -> Written {
        self.text.push('{');
        let mut is_first = true;
        for key in object.keys::<rquickjs::Atom<'js>>() {
            let key = key?;
            let value: Value<'js> = object.get(key.clone())?;
            let before = self.text.len();
            if !is_first {
                self.text.push(',');
            }
            self.write_text(&key.to_js_string()?)?;
            self.text.push(':');
            if self.write(&value, &|| key.to_js_string()?.to_string())? {
                is_first = false;
            } else {
                self.text.truncate(before);
            }
        }
        self.text.push('}');
        Ok(true)
    }

    fn write_text(&mut self, text: &JsString<'js>) -> Written {
        match text.to_string() {
            Ok(text) => quote(&text, &mut self.text),
            // Half of a pair, which the engine writes as an escape.
            Err(rquickjs::Error::Utf8(_)) => {
                let quoted = self.context.json_stringify(text.clone())?;
                self.text.push_str(&quoted.map(|quoted| quoted.to_string()).transpose()?.unwrap_or_default());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }
}

/// Whether an object is like one that was written in braces: nothing but its members counts.
fn is_plain(object: &Object<'_>) -> bool {
    // The prototype of such objects is the only one that has none itself, those aside
    // that scripts make by hand, which are as plain.
    object
        .get_prototype()
        .is_some_and(|prototype| !prototype.is_proxy() && prototype.get_prototype().is_none())
}

/// Appends a text in quotes.
fn quote(text: &str, json: &mut String) {
    json.reserve(text.len() + 2);
    json.push('"');
    let mut plain = 0;
    for (index, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        json.push_str(&text[plain..index]);
        plain = index + 1;
        match byte {
            b'"' => json.push_str("\\\""),
            b'\\' => json.push_str("\\\\"),
            b'\n' => json.push_str("\\n"),
            b'\r' => json.push_str("\\r"),
            b'\t' => json.push_str("\\t"),
            0x08 => json.push_str("\\b"),
            0x0c => json.push_str("\\f"),
            _ => {
                let _ = write!(json, "\\u{byte:04x}");
            }
        }
    }
    json.push_str(&text[plain..]);
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::{stringify, stringify_tree};
    use rquickjs::{CatchResultExt, Context, Function, Object, Runtime, Value};

    /// Values whose JSON has a catch, each made anew by every call.
    const VALUES: &str = r#"[
        () => undefined, () => null, () => true, () => 0, () => -0, () => 1.5, () => 1e21, () => 1e-7,
        () => NaN, () => -Infinity, () => 2 ** 53, () => "", () => () => {}, () => class {}, () => Symbol("s"), () => 1n,
        () => "quo\"te \\ \b\f\n\r\t \u0000 \u001f \u007f é 🙂 \u2028", () => "\ud800", () => "a\udc00b\ud83d",
        () => [ , 1, undefined, () => {}, Symbol()], () => ({ a: undefined, b: () => {}, c: Symbol(), d: 1 }),
        () => ({ b: 1, a: 2, 1: 3, 0: 4, "\ud800": 5, "": 6, "x\0y": 7, "q\"": 8, [Symbol()]: 9 }),
        () => ({ __proto__: null, a: 1 }), () => ({ ["__proto__"]: { a: 1 } }),
        () => ({ get a() { return this.b; }, b: [2] }),
        () => Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true }, hidden: { value: 3 } }),
        () => new (class { a = 1; #b = 2; get c() { return 3; } })(),
        () => ({ inner: new (class { a = { b: [1] }; })() }),
        () => new Number(1), () => new String("s"), () => new Boolean(false), () => Object(1n),
        () => [new Number(1), new String("s")], () => new Date(0), () => ({ date: new Date(0), bad: new Date(NaN) }),
        () => new Map([[1, 2]]), () => /x/g, () => new Error("e"), () => new Uint8Array([1, 2]), () => new ArrayBuffer(3),
        () => new Proxy({ a: 1 }, {}), () => [new Proxy([1, 2], {})], () => Math, () => JSON.rawJSON("1"),
        () => ({ toJSON: 5, a: 1 }), () => ({ toJSON() { return undefined; } }), () => [{ toJSON: (key) => `item ${key}` }],
        () => ({ k: { toJSON: (key) => ({ key }) } }), () => ({ k: { toJSON() { return new Number(7); } } }),
        () => ({ k: { toJSON(key) { this.n = (this.n ?? 0) + 1; return this; } } }),
        () => ({ toJSON() { return () => {}; } }), () => ({ toJSON() { throw new Error("no"); } }),
        () => ({ get a() { throw new Error("no"); } }), () => { const o = {}; o.o = [o]; return o; },
        () => { const o = new (class {})(); o.o = { o }; return o; },
        () => { let o = {}; for (let i = 0; i < 300; i += 1) { o = { i, o: [o] }; } return o; },
        () => { const o = { a: 1 }; return [o, o, { o }]; }, () => { const a = [1, 2, 3]; a.extra = 4; return a; },
        () => { const o = { get a() { delete o.b; return 1; }, b: 2, c: 3 }; return o; },
        () => { const a = [{ get a() { a.length = 1; return 1; } }, 2]; return a; },
        () => (function () { return arguments; })(1, "two"), () => Object.freeze([Object.freeze({ a: 1 })]),
        () => [[], {}, [[]]], () => new Proxy({}, { ownKeys() { throw new Error("no"); } }),
        () => Object.assign(Object.create(Array.prototype), { 0: 1, length: 1 }),
        () => { let n = 0; return { get n() { n += 1; return n; }, date: new Date(0), again: { get n() { n += 1; return n; } } }; },
    ]"#;

    #[test]
    fn a_tree_loses_nothing_as_json() {
        let runtime = Runtime::new().expect("an engine");
        let context = Context::full(&runtime).expect("a world");
        context.with(|context| {
            let tree = |source: &str| {
                let value: Value<'_> = context.eval(format!("({source})")).catch(&context).expect("a value");
                stringify_tree(&context, &value)
            };
            let source = r#"{"a":[1,-2.5,"x",true,null,{}],"__proto__":{"b":[[]]}}"#;
            assert_eq!(tree(&source.replace("\"__proto__\"", "[\"__proto__\"]")).as_deref(), Some(source));
            assert_eq!(tree("({ a: 1, toJSON: 2 })").as_deref(), Some(r#"{"a":1,"toJSON":2}"#));
            for unlike in [
                "undefined",
                "NaN",
                "-0",
                "1n",
                "Symbol()",
                "() => {}",
                "{ a: undefined }",
                "[, 1]",
                "{ f() {} }",
                "new Date(0)",
                "new Map()",
                "new Number(1)",
                "new (class {})()",
                "globalThis",
                "new Proxy({}, {})",
                "((o) => [o, o])({})",
                "((o) => { o.o = o; return o; })({})",
                "{ get a() { throw 1; } }",
                "Array.from({ length: 40 }, () => ({}))",
                "Object.create(null)",
                "[-Infinity]",
            ] {
                assert_eq!(tree(unlike), None, "{unlike}");
            }
        });
    }

    #[test]
    fn it_is_what_json_stringify_gives() {
        let runtime = Runtime::new().expect("an engine");
        let context = Context::full(&runtime).expect("a world");
        context.with(|context| {
            let json: Object<'_> = context.globals().get("JSON").expect("JSON");
            let engine: Function<'_> = json.get("stringify").expect("a function");
            let values: Vec<Function<'_>> = context.eval(VALUES).catch(&context).expect("an array");
            for (index, make) in values.iter().enumerate() {
                let value = || make.call::<_, Value<'_>>(()).expect("a value");
                let expected: Result<Option<String>, _> = engine.call((value(),)).catch(&context);
                let ours = stringify(&context, &value()).catch(&context);
                match (&ours, &expected) {
                    (Ok(ours), Ok(expected)) => assert_eq!(ours, expected, "value {index}"),
                    (Err(_), Err(_)) => {}
                    _ => panic!("value {index}: {ours:?} and {expected:?}"),
                }
            }
        });
    }
}

//! The objects that scripts have of ports whose functions all of them share: made here, for
//! `Object.defineProperties` takes three times as long.

use rquickjs::object::{AsProperty, Property, PropertyFlags};
use rquickjs::{Array, Ctx, Object, Result, Value, qjs};

/// A port with a name. The functions are, in this order, the getters and setters of `sender`,
/// `onMessage` and `onDisconnect`, then `disconnect` and `postMessage`.
pub(super) fn make<'js>(context: Ctx<'js>, functions: &Array<'js>, name: Value<'js>) -> Result<Object<'js>> {
    let port = Object::new(context)?;
    for (index, property) in ["sender", "onMessage", "onDisconnect"].into_iter().enumerate() {
        let (getter, setter) = (functions.get(2 * index)?, functions.get(2 * index + 1)?);
        port.prop(property, Shared { getter, setter })?;
    }
    port.prop("name", plain(name))?;
    port.prop("disconnect", plain(functions.get(6)?))?;
    port.prop("postMessage", plain(functions.get(7)?))?;
    Ok(port)
}

/// A property as assigning makes it.
fn plain(value: Value<'_>) -> Property<Value<'_>> {
    Property::from(value).writable().enumerable().configurable()
}

/// A property with functions that exist already.
struct Shared<'js> {
    getter: Value<'js>,
    setter: Value<'js>,
}

/// What tells our property from those of the library.
enum Marker {}

impl<'js> AsProperty<'js, Marker> for Shared<'js> {
    fn config(self, context: &Ctx<'js>) -> Result<(PropertyFlags, Value<'js>, Value<'js>, Value<'js>)> {
        const FLAGS: u32 = qjs::JS_PROP_HAS_GET
            | qjs::JS_PROP_HAS_SET
            | qjs::JS_PROP_HAS_ENUMERABLE
            | qjs::JS_PROP_ENUMERABLE
            | qjs::JS_PROP_HAS_CONFIGURABLE
            | qjs::JS_PROP_CONFIGURABLE;
        Ok((FLAGS as PropertyFlags, Value::new_undefined(context.clone()), self.getter, self.setter))
    }
}

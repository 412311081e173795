//! WebKit's side of a web process behind safe functions: the few that no crate of bindings has.
//!
//! All of this belongs to the process's main thread, as WebKit itself does; none of these types is `Send`.

use gio::UnixFDList;
use glib::WeakRef;
use glib::object::{Object, ObjectExt, ObjectType};
use glib::translate::{FromGlibPtrFull, FromGlibPtrNone, IntoGlibPtr, ToGlibPtr};
use glib::types::StaticType;
use javascriptcore6::{Context, Value};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

/// A `GObject` of WebKit's own classes, as C has it.
type Raw = *mut c_void;

#[link(name = "webkitgtk-6.0")]
unsafe extern "C" {
    fn webkit_frame_get_id(frame: Raw) -> u64;
    fn webkit_frame_is_main_frame(frame: Raw) -> c_int;
    fn webkit_frame_get_uri(frame: Raw) -> *const c_char;
    fn webkit_frame_get_js_context_for_script_world(
        frame: Raw,
        world: Raw,
    ) -> *mut javascriptcore6::ffi::JSCContext;
    fn webkit_web_page_get_id(page: Raw) -> u64;
    fn webkit_web_page_send_message_to_view(
        page: Raw,
        message: Raw,
        cancellable: *mut c_void,
        callback: *mut c_void,
        user_data: *mut c_void,
    );
    fn webkit_script_world_get_default() -> Raw;
    fn webkit_script_world_new_with_name(name: *const c_char) -> Raw;
    fn webkit_user_message_new_with_fd_list(
        name: *const c_char,
        parameters: *mut glib::ffi::GVariant,
        descriptors: *mut gio::ffi::GUnixFDList,
    ) -> Raw;
}

fn raw(object: &Object) -> Raw {
    object.as_ptr().cast()
}

/// A script world, the same for all frames of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptWorld(Object);

impl ScriptWorld {
    /// Returns the world of the pages' own scripts.
    pub fn pages_own() -> Self {
        // SAFETY: takes nothing; gives an object that WebKit keeps.
        let world = unsafe { webkit_script_world_get_default() };
        // SAFETY: a live object, of which this takes a reference of its own.
        Self(unsafe { Object::from_glib_none(world.cast()) })
    }

    /// Makes a world with a name, which is not given twice in a process.
    ///
    /// # Panics
    ///
    /// On a name with a zero in it.
    pub fn named(name: &str) -> Self {
        let name = CString::new(name).expect("no zero in the name of a world");
        // SAFETY: the name ends with a zero, and WebKit copies it.
        let world = unsafe { webkit_script_world_new_with_name(name.as_ptr()) };
        // SAFETY: a new object, whose only reference is handed to us.
        Self(unsafe { Object::from_glib_full(world.cast::<glib::gobject_ffi::GObject>()) })
    }

    /// Calls back for every document whose window object in this world is new, before any script runs in it.
    pub fn on_new_window(&self, call: impl Fn(&Page, &Frame) + 'static) {
        self.0.connect_local("window-object-cleared", false, move |values| {
            let page = values.get(1).and_then(|value| value.get::<Object>().ok());
            let frame = values.get(2).and_then(|value| value.get::<Object>().ok());
            if let (Some(page), Some(frame)) = (page, frame) {
                call(&Page(page), &Frame(frame));
            }
            None
        });
    }
}

/// A frame of a page, while it is there.
#[derive(Clone, Debug)]
pub struct Frame(Object);

impl Frame {
    /// Returns WebKit's number of the frame, which is more than 32 bits.
    pub fn id(&self) -> u64 {
        // SAFETY: the object is a `WebKitFrame`: only WebKit's signal makes one of these.
        unsafe { webkit_frame_get_id(raw(&self.0)) }
    }

    /// Returns whether it is the page's top frame.
    pub fn is_top(&self) -> bool {
        // SAFETY: as in `id`.
        unsafe { webkit_frame_is_main_frame(raw(&self.0)) != 0 }
    }

    /// Returns the URL of the document that it shows.
    pub fn url(&self) -> String {
        // SAFETY: as in `id`.
        let url = unsafe { webkit_frame_get_uri(raw(&self.0)) };
        if url.is_null() {
            return String::new();
        }
        // SAFETY: not null, ends with a zero, and is WebKit's until the next call; it is copied now.
        unsafe { CStr::from_ptr(url) }.to_string_lossy().into_owned()
    }

    /// Returns what scripts of a world run in, in the document that the frame shows now. It is made if it was not there.
    pub fn context_in(&self, world: &ScriptWorld) -> Context {
        // SAFETY: as in `id`, and `ScriptWorld` holds a `WebKitScriptWorld`.
        let context = unsafe { webkit_frame_get_js_context_for_script_world(raw(&self.0), raw(&world.0)) };
        // SAFETY: a live context, of which a reference is handed to us.
        unsafe { Context::from_glib_full(context) }
    }

    /// Returns a reference that does not keep the frame.
    pub fn downgrade(&self) -> WeakFrame {
        WeakFrame(self.0.downgrade())
    }

    /// Calls back once the frame was removed from its page. Not while its page is in the back/forward cache.
    pub fn on_removed(&self, call: impl FnOnce() + 'static) {
        self.0.add_weak_ref_notify_local(call);
    }
}

/// A frame, which may be gone.
#[derive(Clone, Debug)]
pub struct WeakFrame(WeakRef<Object>);

impl WeakFrame {
    /// Returns the frame, if it is there.
    pub fn upgrade(&self) -> Option<Frame> {
        self.0.upgrade().map(Frame)
    }
}

/// A page, which may be gone.
#[derive(Clone, Debug)]
pub struct WeakPage(WeakRef<Object>);

impl WeakPage {
    /// Returns the page, if it is there.
    pub fn upgrade(&self) -> Option<Page> {
        self.0.upgrade().map(Page)
    }
}

/// A page: what one view shows in this process.
#[derive(Clone, Debug)]
pub struct Page(Object);

impl Page {
    /// Returns the page's number, which is the view's as well.
    pub fn id(&self) -> u64 {
        // SAFETY: the object is a `WebKitWebPage`: only WebKit's signals make one of these.
        unsafe { webkit_web_page_get_id(raw(&self.0)) }
    }

    /// Returns a reference that does not keep the page.
    pub fn downgrade(&self) -> WeakPage {
        WeakPage(self.0.downgrade())
    }

    /// Sends the browser a message with descriptors, which arrives at the page's view. It is lost without a word while
    /// the page is provisional.
    ///
    /// # Panics
    ///
    /// On a name with a zero in it.
    pub fn send(&self, name: &str, descriptors: &UnixFDList) {
        let name = CString::new(name).expect("no zero in the name of a message");
        // SAFETY: the name ends with a zero and is copied; no parameters; the list gets a reference more.
        let message = unsafe {
            webkit_user_message_new_with_fd_list(name.as_ptr(), ptr::null_mut(), descriptors.to_glib_none().0)
        };
        // SAFETY: a `WebKitWebPage` and a message that floats, whose reference WebKit takes; nobody waits for an answer.
        unsafe {
            webkit_web_page_send_message_to_view(
                raw(&self.0),
                message,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
            );
        }
    }

    /// Calls back once the page is no more in this process.
    pub fn on_gone(&self, call: impl FnOnce() + 'static) {
        self.0.add_weak_ref_notify_local(call);
    }
}

/// What scripts call: takes the arguments, gives a value, `null` for none, or a text that is thrown as an error.
pub type Native = dyn Fn(&Context, &[Value]) -> Result<Option<Value>, String>;

/// Makes a function for scripts. What it holds is dropped when the scripts' garbage is collected.
pub fn function(context: &Context, native: Box<Native>) -> Value {
    // Boxed twice: C holds a thin pointer.
    let data = Box::into_raw(Box::new(native));
    type Callback =
        unsafe extern "C" fn(*mut glib::ffi::GPtrArray, *mut c_void) -> *mut javascriptcore6::ffi::JSCValue;
    // SAFETY: GLib takes every callback as a pointer to a function without arguments, and JavaScriptCore calls it with
    // the arguments that `jsc_value_new_function_variadic` is documented to.
    let callback = unsafe { std::mem::transmute::<Callback, unsafe extern "C" fn()>(call_native) };
    // SAFETY: a live context; no name; `data` is freed by `drop_native` alone, which is called once.
    let function = unsafe {
        javascriptcore6::ffi::jsc_value_new_function_variadic(
            context.to_glib_none().0,
            ptr::null(),
            Some(callback),
            data.cast(),
            Some(drop_native),
            glib::translate::IntoGlib::into_glib(Value::static_type()),
        )
    };
    // SAFETY: a new value, whose reference is handed to us.
    unsafe { Value::from_glib_full(function) }
}

unsafe extern "C" fn call_native(
    arguments: *mut glib::ffi::GPtrArray,
    data: *mut c_void,
) -> *mut javascriptcore6::ffi::JSCValue {
    // SAFETY: the data of `function`, which is freed after the last call; shared, for a call may nest.
    let native = unsafe { &*data.cast::<Box<Native>>() };
    // SAFETY: JavaScriptCore hands in a live array for the time of the call.
    let (values, length) = unsafe { ((*arguments).pdata, (*arguments).len as usize) };
    let arguments: Vec<Value> = (0..length)
        .map(|index| {
            // SAFETY: within the array, whose elements are values.
            let value = unsafe { *values.add(index) };
            // SAFETY: a live value, of which this takes a reference of its own.
            unsafe { Value::from_glib_none(value.cast::<javascriptcore6::ffi::JSCValue>()) }
        })
        .collect();
    let Some(context) = Context::current() else { return ptr::null_mut() };
    // A panic must not reach C.
    let called = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| native(&context, &arguments)));
    let thrown = match called {
        Ok(Ok(value)) => return value.map_or(ptr::null_mut(), IntoGlibPtr::into_glib_ptr),
        Ok(Err(text)) => text,
        Err(_) => "the browser failed".to_owned(),
    };
    context.throw(&thrown);
    ptr::null_mut()
}

unsafe extern "C" fn drop_native(data: *mut c_void) {
    // SAFETY: made in `function`, and nobody calls the function any more.
    let native = unsafe { Box::from_raw(data.cast::<Box<Native>>()) };
    // A panic must not reach C.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(native)));
}

/// Calls back for every page that is made in this process.
///
/// # Safety
///
/// `extension` is the `WebKitWebProcessExtension` that WebKit handed to the library.
pub unsafe fn on_new_page(extension: *mut glib::gobject_ffi::GObject, call: impl Fn(&Page) + 'static) {
    // SAFETY: a live object by the caller's word, of which this takes a reference of its own.
    let extension: Object = unsafe { Object::from_glib_none(extension) };
    extension.connect_local("page-created", false, move |values| {
        if let Some(page) = values.get(1).and_then(|value| value.get::<Object>().ok()) {
            call(&Page(page));
        }
        None
    });
}

/// Returns the text that the browser handed to the library.
///
/// # Safety
///
/// `variant` is null, or a live `GVariant`.
pub unsafe fn text_of(variant: *mut glib::ffi::GVariant) -> Option<String> {
    if variant.is_null() {
        return None;
    }
    // SAFETY: not null, and live by the caller's word; this takes a reference of its own.
    let variant = unsafe { glib::Variant::from_glib_none(variant) };
    variant.get::<String>()
}

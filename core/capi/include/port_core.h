/*
 * The C interface of Port core, the messaging core of WebExtensions for native browsers.
 *
 * Made of core/capi/src by cbindgen: do not edit it. `docs/embedding.md` leads from nothing to a first message;
 * `port_core.hpp` wraps this for C++17.
 *
 * Every call answers a `pc_status`; what it gives comes through its last pointer. Ids are numbers, of which 0 is none.
 * A struct starts with its size: fill it with zeros, set `size` to its `sizeof`, then what you need. Texts are UTF-8
 * with a length. Each function says which thread may call it. The functions that you hand in are called under no lock;
 * they must not block, and no exception may leave them.
 */

#ifndef PORT_CORE_H
#define PORT_CORE_H

#include <stddef.h>
#include <stdint.h>

/**
 * The version of this interface as the header has it: the major part in the upper 16 bits, the minor one in the lower.
 */
#define PC_ABI_VERSION 1

/**
 * A kind of connection: a port (`connect` and `onConnect`).
 */
#define PC_PORT 0

/**
 * A kind of connection: a one-off message with its answer (`sendMessage` and `onMessage`). Post the message on the
 * port that you get, take the first message back as the answer, and disconnect.
 */
#define PC_ONE_OFF 1

/**
 * A kind of context: an extension's content scripts in a document of a tab.
 */
#define PC_CONTENT_SCRIPT 1

/**
 * A kind of context: the extension's background page, event page or service worker.
 */
#define PC_BACKGROUND 2

/**
 * A kind of context: another page of the extension, outside any tab, such as a popup.
 */
#define PC_PAGE 3

/**
 * A kind of context: a page of the extension that is shown in a tab.
 */
#define PC_PAGE_IN_TAB 4

/**
 * A kind of context: the scripts of a page of the web, which belongs to no extension. It may connect to the extensions that
 * admit it, by `pc_connect_runtime()` with an id, and do nothing else.
 */
#define PC_WEB_PAGE 5

/**
 * A context has a listener for `runtime.onConnect`.
 */
#define PC_LISTENS_FOR_PORTS 1

/**
 * A context has a listener for `runtime.onMessage`.
 */
#define PC_LISTENS_FOR_ONE_OFF 2

/**
 * A context has a listener for `runtime.onConnectExternal`.
 */
#define PC_LISTENS_FOR_EXTERNAL_PORTS 4

/**
 * A context has a listener for `runtime.onMessageExternal`.
 */
#define PC_LISTENS_FOR_EXTERNAL_ONE_OFF 8

/**
 * A background that is started on demand (`PC_BACKGROUND_ON_DEMAND`) has run its script and registered its listeners: those that
 * wait for it may come.
 */
#define PC_IS_READY 16

/**
 * Each connection is handed out as a question, with `undecided` set: `pc_accept()` or `pc_refuse()` it, now or later. Such a
 * connection makes one port, however many listeners there are.
 */
#define PC_ASKS 32

/**
 * A kind of event: `runtime.onConnect` or a relative, as `connect_kind` and `pc_opener()` tell.
 */
#define PC_CONNECT 1

/**
 * A kind of event: `port.onMessage`.
 */
#define PC_MESSAGE 2

/**
 * A kind of event: `port.onDisconnect`. The port is closed by now.
 */
#define PC_DISCONNECT 3

/**
 * A kind of event: a post on this port was refused because its window was full (`PC_POST_WINDOW_FULL`) or a lane was
 * (`PC_POST_BUSY`); now there is room again.
 */
#define PC_ROOM 4

/**
 * A kind of event: a fact ended the context. It is detached, and its ports are closed, with no event of their own.
 */
#define PC_CONTEXT_ENDED 5

/**
 * For `lifecycle`: the document is shown, or the context has none.
 */
#define PC_ACTIVE 1

/**
 * For `lifecycle`: the document is in the back/forward cache.
 */
#define PC_CACHED 2

/**
 * For `receiver_disconnects`: when one of several receivers disconnects, the port ends for everyone (default, Firefox).
 */
#define PC_DISCONNECT_ENDS_FOR_ALL 1

/**
 * For `receiver_disconnects`: it ends for the opener; the other receivers are not told (Chromium).
 */
#define PC_DISCONNECT_ENDS_FOR_OPENER 2

/**
 * For `receiver_disconnects`: that receiver alone leaves (WebKit).
 */
#define PC_DISCONNECT_LEAVES_OTHERS 3

/**
 * For `receiver_lost`: when one of several receivers goes away, the others stay (default, Chromium, WebKit).
 */
#define PC_LOST_LEAVES_OTHERS 1

/**
 * For `receiver_lost`: the port ends for everyone (Firefox).
 */
#define PC_LOST_ENDS_FOR_ALL 2

/**
 * For `back_forward_cache`: ports of a page that goes into the cache end (default, Chromium).
 */
#define PC_CACHE_ENDS_PORTS 1

/**
 * For `back_forward_cache`: they stay, and lose what is sent meanwhile (Firefox).
 */
#define PC_CACHE_LOSES_MESSAGES 2

/**
 * For `back_forward_cache`: they stay, and what is sent waits: `cache_messages` and `cache_bytes` for a port at most.
 */
#define PC_CACHE_QUEUES_MESSAGES 3

/**
 * For `document_target`: a document and a frame must fit (default, Chromium).
 */
#define PC_DOCUMENT_AND_FRAME_MUST_FIT 1

/**
 * For `document_target`: the document decides (Firefox).
 */
#define PC_DOCUMENT_DECIDES 2

/**
 * For `opening_port`: posts follow the connection at once (default, Chromium).
 */
#define PC_POSTS_FOLLOW 1

/**
 * For `opening_port`: posts wait until every receiver has answered (Firefox).
 */
#define PC_POSTS_WAIT 2

/**
 * For `fan_out_order`: frames are reached in the order of the document (default, Firefox).
 */
#define PC_ORDER_OF_DOCUMENT 1

/**
 * For `fan_out_order`: in another order (Chromium).
 */
#define PC_ORDER_ARBITRARY 2

/**
 * For `connect_listeners`: several listeners of a context share one port (default, Chromium, Firefox).
 */
#define PC_LISTENERS_SHARE_ONE_PORT 1

/**
 * For `connect_listeners`: each gets a port of its own (WebKit).
 */
#define PC_LISTENERS_HAVE_A_PORT_EACH 2

/**
 * For `discarded_tab`: a tab that is discarded keeps its id (default, Firefox).
 */
#define PC_DISCARDED_KEEPS_ID 1

/**
 * For `discarded_tab`: it takes a new one (Chromium).
 */
#define PC_DISCARDED_TAKES_NEW_ID 2

/**
 * For `sender_lifecycle` and `sender_context`: a sender shows it (default).
 */
#define PC_SHOWN 1

/**
 * For `sender_lifecycle` and `sender_context`: a sender does not.
 */
#define PC_HIDDEN 2

/**
 * The format of a message: JSON text in UTF-8.
 */
#define PC_JSON 0

/**
 * The format of a message: the browser's structured clone.
 */
#define PC_STRUCTURED_CLONE 1

/**
 * The first of 256 formats of your own: `PC_OTHER_FORMAT + 0` to `PC_OTHER_FORMAT + 255`.
 */
#define PC_OTHER_FORMAT 256

/**
 * Flag of `pc_service_new()`: never call Linux's `membarrier`, for sandboxes that kill who calls it. Every post then
 * takes a little longer.
 */
#define PC_WITHOUT_MEMBARRIER 1

/**
 * The id of the top frame of every tab.
 */
#define PC_TOP_FRAME 0

/**
 * For `pc_extension_loaded()`: no other extension may connect to it.
 */
#define PC_EXTERNAL_NOBODY 0

/**
 * For `pc_extension_loaded()`: every other extension may.
 */
#define PC_EXTERNAL_EVERYONE 1

/**
 * For `pc_extension_loaded()`: those that are listed may.
 */
#define PC_EXTERNAL_LISTED 2

/**
 * Flag of `pc_extension_loaded()`: its background is started on demand, as service workers and event pages are. While it
 * does not run, connects to it wait: see `pc_next_wanted_background()`.
 */
#define PC_BACKGROUND_ON_DEMAND 1

/**
 * Bytes that you keep, counted by references. They never change, and any thread may read and release them.
 */
typedef struct pc_bytes pc_bytes;

/**
 * The part of one browser thread that runs script: the contexts that live on the thread, and their ports.
 *
 * It belongs to one thread, at first the one that made it. `pc_event_loop_leave()` and `pc_event_loop_take()` move
 * it to another. Any other thread's calls are refused with `PC_WRONG_THREAD`. A function that the library calls (a waker,
 * a release function) may use the library, but not the event loop whose call it is made from: that is `PC_IN_USE`.
 */
typedef struct pc_event_loop pc_event_loop;

/**
 * The messaging of one browser, or of one profile of it: takes the facts that the browser knows, and makes event
 * loops. Two services know nothing of each other, and each refuses the other's ids.
 *
 * A fact takes effect before its call returns. It may wake event loops: their wakers are called on the thread
 * that reports it, under no lock.
 */
typedef struct pc_service pc_service;

/**
 * What a call answered: `PC_OK`, or why it did nothing. Also why a port or a context ended (`PC_REASON_…`).
 * The numbers never change; a later version may have more. `pc_status_text()` has a text for each.
 */
typedef int32_t pc_status;

/**
 * How the library wakes the main loop of a thread.
 *
 * An event loop is *armed* when it is made, and whenever `pc_next_event()` has answered `PC_NONE`. The first thing
 * that is new for an armed loop disarms it and calls `wake`: once, however much comes. So a thread may sleep before its
 * first look; once woken it must take events until `PC_NONE`.
 *
 * Both functions may be called on any thread, and at the same time on several. They are called under no lock of the
 * library, and may call it for other event loops, and for this one where the rule of threads allows that. They must
 * not block, and must not let an exception out. `wake` may be called late, but never after `drop`.
 */
typedef struct pc_waker {
    /**
     * `sizeof(pc_waker)`.
     */
    uint32_t size;
    /**
     * Has the thread take its events soon: writes to an eventfd, posts a task.
     */
    void (*wake)(void *data);
    /**
     * Frees `data`, once, when nobody will call `wake` any more; may be null. Not called if the call that this waker was
     * given to is refused.
     */
    void (*drop)(void *data);
    /**
     * What both are given.
     */
    void *data;
} pc_waker;

/**
 * An open port of a context, from `pc_why_awake()`.
 */
typedef struct pc_active_port {
    /**
     * The end that the context holds.
     */
    uint64_t port;
    /**
     * The number of its last use; 0 if there was none.
     */
    uint64_t last_use;
    /**
     * What it is for: `PC_PORT`, or `PC_ONE_OFF`, a message that is not answered yet.
     */
    uint32_t kind;
    /**
     * 1 if the context opened it, 0 if it accepted it.
     */
    uint32_t opened;
} pc_active_port;

/**
 * The id of a document: 128 bits, so that a browser's UUID fits. Chosen by the browser, and never used again.
 */
typedef struct pc_document {
    /**
     * The upper half.
     */
    uint64_t high;
    /**
     * The lower half.
     */
    uint64_t low;
} pc_document;

/**
 * A text: UTF-8 with its length in bytes, and no NUL at its end. `data` may be null if `length` is 0.
 * What you hand in is copied where it is kept, so it need live no longer than the call.
 */
typedef struct pc_string {
    /**
     * The first byte.
     */
    const char *data;
    /**
     * How many bytes there are.
     */
    size_t length;
} pc_string;

/**
 * Says where `tabs.connect` goes: to a tab, or to one frame or document of it.
 */
typedef struct pc_tab_target {
    /**
     * `sizeof(pc_tab_target)`.
     */
    uint32_t size;
    /**
     * What the connection is for: `PC_PORT` or `PC_ONE_OFF`.
     */
    uint32_t kind;
    /**
     * The tab.
     */
    uint64_t tab;
    /**
     * 1 if it goes to `frame` alone, otherwise 0.
     */
    uint32_t has_frame;
    /**
     * 1 if it goes to `document` alone, otherwise 0.
     */
    uint32_t has_document;
    /**
     * The frame (`frameId`).
     */
    uint64_t frame;
    /**
     * The document (`documentId`), of this tab.
     */
    struct pc_document document;
    /**
     * The port's name, which may be empty.
     */
    struct pc_string name;
} pc_tab_target;

/**
 * Says where `runtime.connect` goes: to the background and page contexts of an extension.
 */
typedef struct pc_runtime_target {
    /**
     * `sizeof(pc_runtime_target)`.
     */
    uint32_t size;
    /**
     * What the connection is for: `PC_PORT` or `PC_ONE_OFF`.
     */
    uint32_t kind;
    /**
     * The id of another extension, which must allow it; empty for the opener's own.
     */
    struct pc_string extension;
    /**
     * The port's name, which may be empty.
     */
    struct pc_string name;
} pc_runtime_target;

/**
 * Describes a context to `pc_attach()`. What is said here is what receivers see as `sender`.
 */
typedef struct pc_context_description {
    /**
     * `sizeof(pc_context_description)`.
     */
    uint32_t size;
    /**
     * What it is: `PC_CONTENT_SCRIPT`, `PC_BACKGROUND`, `PC_PAGE`, `PC_PAGE_IN_TAB` or `PC_WEB_PAGE`.
     */
    uint32_t kind;
    /**
     * The instance of the extension, from `pc_extension_loaded()`; ignored for `PC_WEB_PAGE`.
     */
    uint64_t extension;
    /**
     * The tab, for `PC_CONTENT_SCRIPT`, `PC_PAGE_IN_TAB` and `PC_WEB_PAGE`; otherwise ignored.
     */
    uint64_t tab;
    /**
     * The frame in that tab, for the same kinds.
     */
    uint64_t frame;
    /**
     * The document: for these kinds the one that the frame shows. For the others what `sender.documentId`
     * is, if `has_document` is 1.
     */
    struct pc_document document;
    /**
     * Whether a `PC_BACKGROUND` or `PC_PAGE` has a document; ignored for the other kinds, which always have one.
     */
    uint32_t has_document;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Its URL, for `sender.url`.
     */
    struct pc_string url;
    /**
     * Its origin, for `sender.origin`.
     */
    struct pc_string origin;
    /**
     * The ids of the extensions that admit a `PC_WEB_PAGE` (their manifests' `externally_connectable.matches`); ignored for the
     * other kinds. May be null if there is none.
     */
    const struct pc_string *admitted_by;
    /**
     * How many there are.
     */
    size_t admitted_by_count;
} pc_context_description;

/**
 * Who opened a port: what the browser said of that context.
 */
typedef struct pc_sender {
    /**
     * `sizeof(pc_sender)`; set it before you ask.
     */
    uint32_t size;
    /**
     * What kind of context it is: `PC_CONTENT_SCRIPT`, `PC_BACKGROUND`, `PC_PAGE` or `PC_PAGE_IN_TAB`.
     */
    uint32_t kind;
    /**
     * The instance of its extension; 0 for a `PC_WEB_PAGE`.
     */
    uint64_t extension;
    /**
     * `sender.id`; empty for a `PC_WEB_PAGE`.
     */
    struct pc_string extension_id;
    /**
     * `sender.url`.
     */
    struct pc_string url;
    /**
     * `sender.origin`.
     */
    struct pc_string origin;
    /**
     * 1 if `tab` and `frame` are there, otherwise 0.
     */
    uint32_t has_tab;
    /**
     * 1 if `document` is there, otherwise 0.
     */
    uint32_t has_document;
    /**
     * `sender.tab.id`.
     */
    uint64_t tab;
    /**
     * `sender.frameId`.
     */
    uint64_t frame;
    /**
     * `sender.documentId`.
     */
    struct pc_document document;
    /**
     * `sender.contextId`, or 0 if the policy hides it.
     */
    uint64_t context;
    /**
     * `sender.documentLifecycle` at the connect: `PC_ACTIVE`, `PC_CACHED`, or 0 if the policy hides it.
     */
    uint32_t lifecycle;
    /**
     * 0.
     */
    uint32_t reserved;
} pc_sender;

/**
 * A port that ended with its context.
 */
typedef struct pc_ended_port {
    /**
     * The end that is closed now.
     */
    uint64_t port;
    /**
     * The number that you set on it; 0 before.
     */
    uint64_t data;
} pc_ended_port;

/**
 * An event. What it points to lives until the next event is asked of the same event loop, or the loop is freed;
 * `pc_payload_retain()` keeps a payload longer. What a kind of event has no use for is 0 or null.
 */
typedef struct pc_event {
    /**
     * `sizeof(pc_event)`; set it before you ask.
     */
    uint32_t size;
    /**
     * What happened: `PC_CONNECT`, `PC_MESSAGE`, `PC_DISCONNECT`, `PC_ROOM` or `PC_CONTEXT_ENDED`. A later version may
     * have more: ignore what you do not know.
     */
    uint32_t kind;
    /**
     * The context that the event is for.
     */
    uint64_t context;
    /**
     * The port that it is about; 0 for `PC_CONTEXT_ENDED`.
     */
    uint64_t port;
    /**
     * The number that you set on the context.
     */
    uint64_t context_data;
    /**
     * The number that you set on the port.
     */
    uint64_t port_data;
    /**
     * `PC_MESSAGE`: the bytes posted.
     */
    const uint8_t *payload;
    /**
     * `PC_MESSAGE`: how many there are.
     */
    size_t payload_length;
    /**
     * `PC_MESSAGE`: how they were made, as for `pc_post()`.
     */
    uint32_t format;
    /**
     * `PC_MESSAGE`: 1 if the sender ran under user activation.
     */
    uint32_t user_activation;
    /**
     * `PC_DISCONNECT` and `PC_CONTEXT_ENDED`: why, `PC_REASON_…`. `pc_status_text()` has a text for it.
     */
    pc_status reason;
    /**
     * `PC_CONNECT`: what the connection is for, `PC_PORT` or `PC_ONE_OFF`.
     */
    uint32_t connect_kind;
    /**
     * `PC_DISCONNECT`: 1 if the reason is `PC_REASON_NO_RECEIVER` and a context was there that has no listener for the connection.
     * For a developer's log: browsers show scripts the same in both cases.
     */
    uint32_t not_listening;
    /**
     * `PC_CONNECT`: 1 if the context asks (`PC_ASKS`): `pc_accept()` or `pc_refuse()` the connection, now or later. What the opener
     * posts meanwhile is handed out as it comes.
     */
    uint32_t undecided;
    /**
     * `PC_CONNECT`: the name that the opener gave. It may have NULs.
     */
    struct pc_string name;
    /**
     * `PC_CONTEXT_ENDED`: the ports that ended with the context, in no order. Among them may be ports whose
     * `PC_CONNECT` was not handed out, and never will be.
     */
    const struct pc_ended_port *ended_ports;
    /**
     * `PC_CONTEXT_ENDED`: how many there are.
     */
    size_t ended_port_count;
} pc_event;

/**
 * What a service does where browsers differ. 0 asks for the default.
 * `pc_policies_of_chromium()` and `pc_policies_of_firefox()` fill it in.
 */
typedef struct pc_policies {
    /**
     * `sizeof(pc_policies)`.
     */
    uint32_t size;
    /**
     * What happens when one of several receivers of a port disconnects: `PC_DISCONNECT_…`.
     */
    uint32_t receiver_disconnects;
    /**
     * What happens when one of several receivers goes away: `PC_LOST_…`.
     */
    uint32_t receiver_lost;
    /**
     * What happens to the ports of a page that goes into the back/forward cache: `PC_CACHE_…`.
     */
    uint32_t back_forward_cache;
    /**
     * How many bytes may wait for a port, for `PC_CACHE_QUEUES_MESSAGES` alone.
     */
    uint64_t cache_bytes;
    /**
     * How many messages may wait for a port, for `PC_CACHE_QUEUES_MESSAGES` alone.
     */
    uint32_t cache_messages;
    /**
     * What a connect reaches that names a document and a frame: `PC_DOCUMENT_…`.
     */
    uint32_t document_target;
    /**
     * What becomes of posts before the receivers have answered: `PC_POSTS_…`.
     */
    uint32_t opening_port;
    /**
     * In which order frames are reached: `PC_ORDER_…`.
     */
    uint32_t fan_out_order;
    /**
     * How many ports a context with several listeners gets: `PC_LISTENERS_…`.
     */
    uint32_t connect_listeners;
    /**
     * What becomes of the id of a tab that is discarded: `PC_DISCARDED_…`.
     */
    uint32_t discarded_tab;
    /**
     * Whether a sender shows its document's lifecycle: `PC_SHOWN` or `PC_HIDDEN`.
     */
    uint32_t sender_lifecycle;
    /**
     * Whether a sender shows its context: `PC_SHOWN` or `PC_HIDDEN`.
     */
    uint32_t sender_context;
} pc_policies;

/**
 * Bytes that you own, with the function that frees them.
 */
typedef struct pc_owned_bytes {
    /**
     * `sizeof(pc_owned_bytes)`.
     */
    uint32_t size;
    /**
     * The bytes. They may not change until they are released.
     */
    const uint8_t *data;
    /**
     * How many there are.
     */
    size_t length;
    /**
     * Frees them. Called once, on any thread, when nobody reads them any more: possibly before the post returns. It may
     * call the library, must not block, and must not let an exception out.
     */
    void (*release)(void *context,
                    const uint8_t *data,
                    size_t length);
    /**
     * What `release` is given.
     */
    void *context;
} pc_owned_bytes;

/**
 * Bounds on what a service holds. 0 asks for the default.
 */
typedef struct pc_limits {
    /**
     * `sizeof(pc_limits)`.
     */
    uint32_t size;
    /**
     * How many ports one context may hold, opened or accepted from its own extension. Default 16,384.
     */
    uint32_t ports_per_context;
    /**
     * How many ports that other extensions opened one context may hold besides; 65,535 at most. Default 8,192.
     */
    uint32_t external_ports_per_context;
    /**
     * The longest name of a port, in bytes. Default 64 KiB.
     */
    uint32_t name_bytes;
    /**
     * How many bytes the names of one context's ports may have in all; those of up to 23 bytes do not count. Default 4 MiB.
     */
    uint32_t names_per_context;
    /**
     * How many connections one event loop may have sent to another without their answers. Default 65,536.
     */
    uint32_t unanswered_connects;
    /**
     * How many bytes a context's URL and origin may have together: shorten longer ones before `pc_attach()`. Default 16 KiB.
     */
    uint32_t description_bytes;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The largest message, in bytes. Default 64 MiB, as in Chromium.
     */
    uint64_t message_bytes;
    /**
     * How many messages one side of a port may have under way to a receiver that has not taken them. Default: any.
     */
    uint64_t window_messages;
    /**
     * How many bytes one side of a port may have under way. Default: any.
     */
    uint64_t window_bytes;
    /**
     * How many messages, connects and answers one direction between two event loops may hold. Default 1,048,576.
     */
    uint64_t lane_records;
    /**
     * How many bytes one direction between two event loops may hold. Default 128 MiB.
     */
    uint64_t lane_bytes;
    /**
     * How many bytes everything that the service holds for scripts may take together, beyond a little for each event
     * loop and lane. Default 192 MiB.
     */
    uint64_t service_bytes;
    /**
     * How many bytes each extension may hold besides while those of the service are used up. Default 8 MiB.
     */
    uint64_t extension_bytes;
} pc_limits;

/**
 * The call did what it was asked.
 */
#define PC_OK 0

/**
 * There is nothing: no event now, no such port, no listener. No error.
 */
#define PC_NONE 1

/**
 * A pointer is null where the call needs one.
 */
#define PC_NULL 10

/**
 * The `size` at the head of a struct is less than this version's, or what lies after its fields is not zero; or
 * it is not aligned, or a length is more than memory can have.
 */
#define PC_WRONG_SIZE 11

/**
 * A number has no meaning where it stands, such as an unknown kind.
 */
#define PC_UNKNOWN_VALUE 12

/**
 * A text is not UTF-8.
 */
#define PC_NOT_UTF8 13

/**
 * A text has half of a surrogate pair, written as if it were a character. A string of JavaScript's may have one:
 * make it U+FFFD, as browsers do (`String.prototype.toWellFormed`).
 */
#define PC_LONE_SURROGATE 14

/**
 * An extension's id, a URL or an origin has a NUL. (The name of a port may have one.)
 */
#define PC_CONTAINS_NUL 15

/**
 * The event loop belongs to another thread.
 */
#define PC_WRONG_THREAD 16

/**
 * The event loop is in the middle of another call, which called you back.
 */
#define PC_IN_USE 17

/**
 * A mistake in this library: it panicked, and wrote why to the standard error output. An event loop on which that
 * happened refuses every later call but `pc_event_loop_free()`.
 */
#define PC_PANICKED 18

/**
 * A fact: no such tab is open.
 */
#define PC_FACT_UNKNOWN_TAB 100

/**
 * A fact: a tab with this id is open already.
 */
#define PC_FACT_TAB_EXISTS 101

/**
 * A fact: the tab has no such frame.
 */
#define PC_FACT_UNKNOWN_FRAME 102

/**
 * A fact: the tab has a frame with this id already.
 */
#define PC_FACT_FRAME_EXISTS 103

/**
 * A fact: the document is not where the call needs it: shown by a frame, or kept by a cache.
 */
#define PC_FACT_UNKNOWN_DOCUMENT 104

/**
 * A fact: the document is shown or kept already; ids of documents are never used again.
 */
#define PC_FACT_DOCUMENT_EXISTS 105

/**
 * A fact: the extension instance is not loaded.
 */
#define PC_FACT_UNKNOWN_EXTENSION 106

/**
 * A fact: the extension is loaded already; unload it first.
 */
#define PC_FACT_EXTENSION_EXISTS 107

/**
 * A fact: there is no such event loop, or it is gone.
 */
#define PC_FACT_UNKNOWN_EVENT_LOOP 108

/**
 * An attach: the extension instance is not loaded.
 */
#define PC_ATTACH_UNKNOWN_EXTENSION 200

/**
 * An attach: the frame does not show this document, or no longer does.
 */
#define PC_ATTACH_UNKNOWN_DOCUMENT 201

/**
 * An attach: the browser declared this event loop gone.
 */
#define PC_ATTACH_EVENT_LOOP_GONE 202

/**
 * An attach: the event loop holds as many contexts as ids can name.
 */
#define PC_ATTACH_TOO_MANY_CONTEXTS 203

/**
 * An attach: the URL and the origin are longer than the limits allow.
 */
#define PC_ATTACH_DESCRIPTION_TOO_LONG 204

/**
 * A context: the id was never given by this event loop, or the context is detached.
 */
#define PC_CONTEXT_UNKNOWN_CONTEXT 300

/**
 * A context: a fact ended it; its `PC_CONTEXT_ENDED` is on its way.
 */
#define PC_CONTEXT_GONE 301

/**
 * A connect: the id of the context was never given by this event loop, or the context is detached.
 */
#define PC_CONNECT_UNKNOWN_CONTEXT 400

/**
 * A connect: a fact ended the context; its `PC_CONTEXT_ENDED` is on its way.
 */
#define PC_CONNECT_GONE 401

/**
 * A connect: the context's page is in the back/forward cache, where the policy leaves no ports.
 */
#define PC_CONNECT_CACHED 402

/**
 * A connect: a content script may not call `tabs.connect`.
 */
#define PC_CONNECT_NOT_ALLOWED 403

/**
 * A connect: the context holds as many ports, or bytes of their names, as the limits allow.
 */
#define PC_CONNECT_TOO_MANY_PORTS 404

/**
 * A connect: the event loop of a target is too far behind, or too many connections there wait for their answers.
 */
#define PC_CONNECT_BUSY 405

/**
 * A connect: the name is longer than the limits allow.
 */
#define PC_CONNECT_NAME_TOO_LONG 406

/**
 * A post: the port has ended, or its id was never given by this event loop.
 */
#define PC_POST_DISCONNECTED 500

/**
 * A post: a fact ended the context; its `PC_CONTEXT_ENDED` is on its way.
 */
#define PC_POST_GONE 501

/**
 * A post: the message is longer than the limits allow.
 */
#define PC_POST_TOO_LARGE 502

/**
 * A post: the port's window is full; a `PC_ROOM` tells when there is room again.
 */
#define PC_POST_WINDOW_FULL 503

/**
 * A post: the event loop of a receiver is too far behind; a `PC_ROOM` tells when there is room again.
 */
#define PC_POST_BUSY 504

/**
 * Why something ended: the other side called `disconnect()`.
 */
#define PC_REASON_DISCONNECTED 600

/**
 * Why something ended: another receiver of the same port ended it for all of them.
 */
#define PC_REASON_SIBLING_ENDED 601

/**
 * Why something ended: nobody took the connection.
 */
#define PC_REASON_NO_RECEIVER 602

/**
 * Why something ended: nobody took the connection, because the receivers hold as many ports as they may.
 */
#define PC_REASON_LIMIT_REACHED 603

/**
 * Why something ended: the other side's context was detached.
 */
#define PC_REASON_CONTEXT_DETACHED 604

/**
 * Why something ended: the frame was removed from its page.
 */
#define PC_REASON_FRAME_REMOVED 605

/**
 * Why something ended: the frame went to another document.
 */
#define PC_REASON_NAVIGATED 606

/**
 * Why something ended: the tab was closed.
 */
#define PC_REASON_TAB_CLOSED 607

/**
 * Why something ended: the tab was discarded to save memory.
 */
#define PC_REASON_TAB_DISCARDED 608

/**
 * Why something ended: the tab crashed.
 */
#define PC_REASON_TAB_CRASHED 609

/**
 * Why something ended: the page went into the back/forward cache.
 */
#define PC_REASON_BACK_FORWARD_CACHE 610

/**
 * Why something ended: the extension was unloaded, disabled or updated.
 */
#define PC_REASON_EXTENSION_UNLOADED 611

/**
 * Why something ended: the event loop is gone.
 */
#define PC_REASON_EVENT_LOOP_GONE 612

/**
 * Why something ended: the background was stopped, to be started again on demand.
 */
#define PC_REASON_BACKGROUND_STOPPED 613

/**
 * Why something ended: nobody took the connection, because the background could not be started.
 */
#define PC_REASON_BACKGROUND_NOT_STARTED 614

/**
 * Why something ended: the other side's process crashed.
 */
#define PC_REASON_PROCESS_CRASHED 615

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the version of this interface as the library has it. A program works with a library whose major part is the
 * same as its header's, and whose minor part is not less.
 *
 * Thread: any.
 */
uint32_t pc_abi_version(void);

/**
 * Gives an extension instance whose background is to be started: it was loaded with `PC_BACKGROUND_ON_DEMAND`, somebody
 * connects to it, and it does not run. It is given once, however many wait. Start it: attach its context, run its script, then
 * say by `pc_set_listening()` that it `PC_IS_READY`; or `pc_give_up_background()`.
 *
 * Thread: any.
 *
 * @param[out] extension  the instance
 * @return `PC_OK`; `PC_NONE` when there is none now; `PC_NULL`.
 */
pc_status pc_next_wanted_background(const struct pc_service *service,
                                    uint64_t *extension);

/**
 * Sets the waker that is called whenever `pc_next_wanted_background()` has something new to give; at once, if it has now.
 * The service holds one: the last that was set.
 *
 * Thread: any.
 *
 * @param waker  null for one that does nothing
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`.
 */
pc_status pc_set_background_waker(const struct pc_service *service,
                                  const struct pc_waker *waker);

/**
 * Reports that a wanted background will not come: its script failed, or took too long. The ports that waited for it end, and
 * the next connect asks for it again.
 *
 * Thread: any. May call wakers.
 *
 * @param reason  what the ports end with, usually `PC_REASON_BACKGROUND_NOT_STARTED`
 * @return `PC_OK`, `PC_NULL`, `PC_UNKNOWN_VALUE` for the reason, `PC_FACT_UNKNOWN_EXTENSION`.
 */
pc_status pc_give_up_background(const struct pc_service *service,
                                uint64_t extension,
                                pc_status reason);

/**
 * Ends the context of an extension's background, with its ports, whose other sides hear `PC_REASON_BACKGROUND_STOPPED`. If it is
 * started on demand, the next connect asks for it again, and so does one that nobody had taken: it waits for the next
 * start, once the background's event loop has taken its events or is dropped.
 *
 * Thread: any. May call wakers.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_EXTENSION`.
 */
pc_status pc_stop_background(const struct pc_service *service,
                             uint64_t extension);

/**
 * Tells what keeps a background awake: its open ports, the one used last first, and how many uses there were. A timer that
 * finds the same number of uses twice knows that the background was idle in between.
 *
 * Thread: the event loop's own.
 *
 * @param[out] uses  how many uses there were; 0 for a context that is no background started on demand
 * @param ports      where to write the ports; may be null if `capacity` is 0
 * @param capacity   how many have room there
 * @param[out] count  how many there are, which may be more
 * @return `PC_OK`, `PC_NULL`, `PC_CONTEXT_UNKNOWN_CONTEXT`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_why_awake(struct pc_event_loop *event_loop,
                       uint64_t context,
                       uint64_t *uses,
                       struct pc_active_port *ports,
                       size_t capacity,
                       size_t *count);

/**
 * Connects a background or page context to its own extension's content scripts in a tab: `tabs.connect`. Gives the
 * opener's end at once; messages may be posted right away. When nobody takes the connection, the port ends with
 * `PC_REASON_NO_RECEIVER`, never before this returns.
 *
 * Thread: the event loop's own. May call wakers.
 *
 * @param opener  the context that connects
 * @param[out] port  the opener's end
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_UNKNOWN_VALUE`, `PC_NOT_UTF8`, `PC_LONE_SURROGATE`, `PC_CONNECT_…`,
 * `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_connect_tab(struct pc_event_loop *event_loop,
                         uint64_t opener,
                         const struct pc_tab_target *target,
                         uint64_t *port);

/**
 * Connects a context to the background and page contexts of its own extension, or of another that admits it:
 * `runtime.connect`. Everything else is as for `pc_connect_tab()`.
 *
 * Thread: the event loop's own. May call wakers.
 *
 * @param opener  the context that connects
 * @param[out] port  the opener's end
 * @return as `pc_connect_tab()`, and `PC_CONTAINS_NUL` for the extension's id.
 */
pc_status pc_connect_runtime(struct pc_event_loop *event_loop,
                             uint64_t opener,
                             const struct pc_runtime_target *target,
                             uint64_t *port);

/**
 * Ends a port: `port.disconnect()`. The other side receives everything posted before, then
 * `PC_REASON_DISCONNECTED`; this side hears nothing more of it.
 *
 * Thread: the event loop's own. May call wakers.
 *
 * @return `PC_OK`; `PC_NONE` when the port was not open; `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_disconnect(struct pc_event_loop *event_loop,
                        uint64_t port);

/**
 * Takes a connection that was handed out with `undecided` set (`PC_ASKS`). Its opener hears that it has a receiver. To post on the
 * port does the same.
 *
 * Thread: the event loop's own. May call wakers.
 *
 * @return `PC_OK`; `PC_NONE` when there was nothing to decide: it was decided, or the port has ended; `PC_NULL`,
 * `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_accept(struct pc_event_loop *event_loop,
                    uint64_t port);

/**
 * Refuses a connection that was handed out with `undecided` set (`PC_ASKS`), as if no listener had been there. The port is closed,
 * with no event of its own. If nobody else takes the connection, its opener hears `PC_REASON_NO_RECEIVER`.
 *
 * Thread: the event loop's own. May call wakers.
 *
 * @return `PC_OK`; `PC_NONE` when there was nothing to decide: it was decided, or the port has ended; `PC_NULL`,
 * `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_refuse(struct pc_event_loop *event_loop,
                    uint64_t port);

/**
 * Tells whether a port may be used: it has not ended, or its `PC_DISCONNECT` has not been handed out yet.
 *
 * Thread: the event loop's own.
 *
 * @return `PC_OK` when it is open, otherwise `PC_NONE`; `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_is_open(struct pc_event_loop *event_loop,
                     uint64_t port);

/**
 * Attaches a context to an event loop. From now on connects find it, but it refuses them until it is listening.
 *
 * Thread: the event loop's own.
 *
 * @param[out] context  its id
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_UNKNOWN_VALUE`, `PC_NOT_UTF8`, `PC_LONE_SURROGATE`, `PC_CONTAINS_NUL`,
 * `PC_ATTACH_…`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_attach(struct pc_event_loop *event_loop,
                    const struct pc_context_description *description,
                    uint64_t *context);

/**
 * Detaches a context: its ports end, and the other sides hear `PC_REASON_CONTEXT_DETACHED` after what was posted
 * before. No event for it is handed out any more.
 *
 * Thread: the event loop's own. May call wakers.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_CONTEXT_UNKNOWN_CONTEXT`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_detach(struct pc_event_loop *event_loop,
                    uint64_t context);

/**
 * Sets which kinds of connection a context has listeners for; none after `pc_attach()`. A connection is refused
 * if there is no listener for its kind when the event loop takes it.
 *
 * Thread: the event loop's own.
 *
 * @param listens    the sum of some `PC_LISTENS_FOR_…`, `PC_IS_READY` and `PC_ASKS`, or 0
 * @param listeners  how many listeners for ports there are, for `PC_LISTENERS_HAVE_A_PORT_EACH` alone; 0 counts as 1
 * @return `PC_OK`, `PC_NULL`, `PC_UNKNOWN_VALUE`, `PC_CONTEXT_…`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_set_listening(struct pc_event_loop *event_loop,
                           uint64_t context,
                           uint32_t listens,
                           uint16_t listeners);

/**
 * Lists the open ports of a context, opened and accepted, in no particular order.
 *
 * Thread: the event loop's own.
 *
 * @param ports     where to write them; may be null if `capacity` is 0
 * @param capacity  how many have room there
 * @param[out] count  how many there are, which may be more
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_ports(struct pc_event_loop *event_loop,
                   uint64_t context,
                   uint64_t *ports,
                   size_t capacity,
                   size_t *count);

/**
 * Tells which context holds a port. Check this before you use a port whose number came from a script: many extensions share
 * an event loop, and numbers can be guessed.
 *
 * Thread: the event loop's own.
 *
 * @param[out] context  its id; 0 when the port is not open
 * @return `PC_OK`; `PC_NONE` when the port is not open; `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_context_of(struct pc_event_loop *event_loop,
                        uint64_t port,
                        uint64_t *context);

/**
 * Keeps a number of yours with a context, such as an index or an address: every event for the context hands it out. It is
 * 0 at first.
 *
 * Thread: the event loop's own.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_CONTEXT_UNKNOWN_CONTEXT`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_set_context_data(struct pc_event_loop *event_loop,
                              uint64_t context,
                              uint64_t data);

/**
 * Keeps a number of yours with a port: every event for the port hands it out from now on. It is 0 at first.
 *
 * Thread: the event loop's own.
 *
 * @return `PC_OK`; `PC_NONE` when the port is not open; `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_set_port_data(struct pc_event_loop *event_loop,
                           uint64_t port,
                           uint64_t data);

/**
 * Tells the number that was set on a context by `pc_set_context_data()`, or 0.
 *
 * Thread: the event loop's own.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_context_data(struct pc_event_loop *event_loop,
                          uint64_t context,
                          uint64_t *data);

/**
 * Tells the number that was set on a port by `pc_set_port_data()`, or 0.
 *
 * Thread: the event loop's own.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_port_data(struct pc_event_loop *event_loop,
                       uint64_t port,
                       uint64_t *data);

/**
 * Tells who opened the port of the `PC_CONNECT` that the event loop handed out last. The texts live as long as the event.
 *
 * Thread: the event loop's own.
 *
 * @param sender  its `size` is to be set
 * @return `PC_OK`; `PC_NONE` when the last event was no connect; `PC_NULL`, `PC_WRONG_SIZE`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_opener(struct pc_event_loop *event_loop,
                    struct pc_sender *sender);

/**
 * Takes the next event. After `PC_NONE` the next new thing calls the waker, once: so take events until `PC_NONE`, and
 * then you may sleep. A handler may call anything on this event loop before the next event is taken.
 *
 * `PC_NONE` is not cheap: the loop arms itself first, which takes about 16 microseconds. A main loop that expects an answer at once
 * first tries `pc_next_event_unarmed()` for a moment.
 *
 * Thread: the event loop's own. May call release functions.
 *
 * @param event  its `size` is to be set; after `PC_OK` it shows the event, otherwise it is left as it was
 * @return `PC_OK`; `PC_NONE` when there is nothing now; `PC_NULL`, `PC_WRONG_SIZE`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_next_event(struct pc_event_loop *event_loop,
                        struct pc_event *event);

/**
 * Takes the next event like `pc_next_event()`, but arms nothing: after `PC_NONE` no waker is called, so you must ask again by
 * yourself. Meant for a loop that spins for a moment before it sleeps.
 *
 * Thread: the event loop's own. May call release functions.
 *
 * @return as `pc_next_event()`.
 */
pc_status pc_next_event_unarmed(struct pc_event_loop *event_loop,
                                struct pc_event *event);

/**
 * Takes the next event, for a thread that does nothing else: polls for a moment, then blocks until there is one.
 *
 * Thread: the event loop's own, which it blocks.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_wait(struct pc_event_loop *event_loop,
                  struct pc_event *event);

/**
 * Takes the next event like `pc_wait()`, but waits no longer than this.
 *
 * Thread: the event loop's own, which it blocks.
 *
 * @param milliseconds  how long
 * @return `PC_OK`; `PC_NONE` when none came; `PC_NULL`, `PC_WRONG_SIZE`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_wait_for(struct pc_event_loop *event_loop,
                      uint64_t milliseconds,
                      struct pc_event *event);

/**
 * Makes an event loop, which belongs to the calling thread.
 *
 * Thread: any.
 *
 * @param waker  wakes the thread's own main loop; null for a thread that takes its events by `pc_wait()`
 * @param[out] event_loop  for `pc_event_loop_free()`; null if the call is refused
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`.
 */
pc_status pc_event_loop_new(const struct pc_service *service,
                            const struct pc_waker *waker,
                            struct pc_event_loop **event_loop);

/**
 * Makes an event loop like `pc_event_loop_new()`, for one whose scripts are trusted less than others': those of a renderer process,
 * say. All that it has the service hold takes at most so many bytes of `service_bytes` and the extensions' own: what lies in
 * the lanes that it sends on, its ports, names, and posts that wait. What would pass that is refused with `PC_BUSY`.
 *
 * Thread: any.
 *
 * @param waker  as for `pc_event_loop_new()`
 * @param bytes  drawn in pieces of up to 96 KiB, so less than that is nothing
 * @param[out] event_loop  for `pc_event_loop_free()`; null if the call is refused
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`.
 */
pc_status pc_event_loop_new_limited(const struct pc_service *service,
                                    const struct pc_waker *waker,
                                    uint64_t bytes,
                                    struct pc_event_loop **event_loop);

/**
 * Frees an event loop; null is ignored. Its contexts end: the other sides hear `PC_REASON_EVENT_LOOP_GONE`,
 * after what was sent before. A view of an event goes with it.
 *
 * Thread: the event loop's own. May call wakers and release functions. In a debug build a second call for the same handle aborts.
 *
 * @return `PC_OK`, `PC_WRONG_THREAD`, `PC_IN_USE`. Only after `PC_OK` is it freed.
 */
pc_status pc_event_loop_free(struct pc_event_loop *event_loop);

/**
 * Leaves an event loop to another thread, which then calls `pc_event_loop_take()`. Until then it belongs to nobody.
 *
 * Thread: the event loop's own.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_event_loop_leave(struct pc_event_loop *event_loop);

/**
 * Takes an event loop that another thread left: it belongs to the calling thread now.
 *
 * Thread: any.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD` when nobody left it.
 */
pc_status pc_event_loop_take(struct pc_event_loop *event_loop);

/**
 * Tells the id of an event loop, for `pc_event_loop_gone()`.
 *
 * Thread: the event loop's own.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_event_loop_id(struct pc_event_loop *event_loop,
                           uint64_t *id);

/**
 * Tells whether the browser declared this event loop gone by `pc_event_loop_gone()`. Meant for a thread that comes back
 * from a hang: a loop that is gone stays gone, so the thread frees it and makes another.
 *
 * Thread: the event loop's own. Takes a lock for a moment, so do not call it on every turn.
 *
 * @param[out] gone  1 if it is gone, otherwise 0
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_event_loop_is_gone(struct pc_event_loop *event_loop,
                                uint32_t *gone);

/**
 * Replaces the waker. If the old one was called for something that is not yet taken, the new one is called at once.
 * The last thread that uses the old one drops it.
 *
 * Thread: the event loop's own.
 *
 * @param waker  null for one that does nothing
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_event_loop_set_waker(struct pc_event_loop *event_loop,
                                  const struct pc_waker *waker);

/**
 * Sets how many times `pc_wait()` and `pc_wait_for()` poll before they block. The default, 400, takes about five microseconds; use
 * more where answers come at once, and 0 where threads outnumber processors.
 *
 * Thread: the event loop's own.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_event_loop_set_looks_before_sleep(struct pc_event_loop *event_loop,
                                               uint32_t looks);

/**
 * Keeps the payload of the message that the event loop handed out last, beyond the next event. A message of up
 * to 160 bytes is copied; a longer one is not.
 *
 * Thread: the event loop's own.
 *
 * @param[out] kept  for `pc_bytes_release()`; null if nothing is kept
 * @return `PC_OK`; `PC_NONE` when the last event was no message; `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_payload_retain(struct pc_event_loop *event_loop,
                            struct pc_bytes **kept);

/**
 * Gives the text of what an event loop knows: contexts, ports with their other sides and states, what is queued,
 * lanes. For a developer's panel or a bug report; the form of the text may change. Walks everything that lies in the lanes.
 *
 * Thread: the event loop's own.
 *
 * @param[out] text  UTF-8, for `pc_bytes_release()`
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_event_loop_snapshot(struct pc_event_loop *event_loop,
                                 struct pc_bytes **text);

/**
 * Gives the text of what a service knows: tabs, frames, extensions, contexts, event loops. As for
 * `pc_event_loop_snapshot()`.
 *
 * Thread: any.
 *
 * @param[out] text  UTF-8, for `pc_bytes_release()`
 * @return `PC_OK`, `PC_NULL`.
 */
pc_status pc_service_snapshot(const struct pc_service *service,
                              struct pc_bytes **text);

/**
 * Returns the first of the bytes, which live until the last reference is released; null for null.
 *
 * Thread: any.
 */
const uint8_t *pc_bytes_data(const struct pc_bytes *bytes);

/**
 * Returns how many bytes there are; 0 for null.
 *
 * Thread: any.
 */
size_t pc_bytes_length(const struct pc_bytes *bytes);

/**
 * Takes one more reference, which is to be released as well; null is ignored.
 *
 * Thread: any.
 */
void pc_bytes_retain(struct pc_bytes *bytes);

/**
 * Releases a reference; null is ignored. With the last one the bytes go, and if they were posted by
 * `pc_post_owned()` and nobody else reads them, their release function is called.
 *
 * Thread: any. In a debug build, to release more references than there are aborts.
 */
void pc_bytes_release(struct pc_bytes *bytes);

/**
 * Fills in what Chromium was measured to do. Set `policies->size` first.
 *
 * Thread: any.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`.
 */
pc_status pc_policies_of_chromium(struct pc_policies *policies);

/**
 * Fills in what Firefox was measured to do. Set `policies->size` first.
 *
 * Thread: any.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`.
 */
pc_status pc_policies_of_firefox(struct pc_policies *policies);

/**
 * Sends a message to the other side of a port, from an opener to every receiver: `port.postMessage()`. Copies it: a
 * message of up to 160 bytes into the lane, a longer one into memory of its own. It is never delivered before
 * this returns. A refused post changes nothing.
 *
 * Thread: the event loop's own. May call wakers.
 *
 * @param data             the bytes; may be null if `length` is 0
 * @param length           how many there are
 * @param format           `PC_JSON`, `PC_STRUCTURED_CLONE`, or `PC_OTHER_FORMAT` and up to 255 more. The library gives it no meaning
 * @param user_activation  1 if the sending script ran under user activation, otherwise 0
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_UNKNOWN_VALUE`, `PC_POST_…`, `PC_WRONG_THREAD`, `PC_IN_USE`.
 */
pc_status pc_post(struct pc_event_loop *event_loop,
                  uint64_t port,
                  const uint8_t *data,
                  size_t length,
                  uint32_t format,
                  uint32_t user_activation);

/**
 * Sends a message like `pc_post()`, without copying a long one: the receivers read your bytes. If the post is
 * refused, the bytes stay yours and are not released (but with `PC_PANICKED` they are the library's, and may leak).
 *
 * Thread: the event loop's own. May call wakers and `release`.
 *
 * @return as `pc_post()`; `PC_NULL` also when there is no `release`.
 */
pc_status pc_post_owned(struct pc_event_loop *event_loop,
                        uint64_t port,
                        const struct pc_owned_bytes *owned,
                        uint32_t format,
                        uint32_t user_activation);

/**
 * Sends bytes that you keep, such as the payload of another message, without copying them if there are many.
 * The reference that you hold stays yours.
 *
 * Thread: the event loop's own. May call wakers.
 *
 * @return as `pc_post()`.
 */
pc_status pc_post_kept(struct pc_event_loop *event_loop,
                       uint64_t port,
                       const struct pc_bytes *bytes,
                       uint32_t format,
                       uint32_t user_activation);

/**
 * Makes a service.
 *
 * Thread: any.
 *
 * @param policies  what it does where browsers differ; null for the defaults
 * @param limits    what it may hold; null for the defaults
 * @param flags     0, or `PC_WITHOUT_MEMBARRIER`
 * @param[out] service  for `pc_service_free()`; null if the call is refused
 * @return `PC_OK`, `PC_NULL`, `PC_WRONG_SIZE`, `PC_UNKNOWN_VALUE`.
 */
pc_status pc_service_new(const struct pc_policies *policies,
                         const struct pc_limits *limits,
                         uint32_t flags,
                         struct pc_service **service);

/**
 * Frees the handle of a service; null is ignored. Its event loops live on, and work as before: the rest of the
 * service goes with the last of them. No other thread may be using the handle.
 *
 * Thread: any. In a debug build a second call for the same handle aborts.
 */
void pc_service_free(struct pc_service *service);

/**
 * Reports that a tab was opened, with no frames yet.
 *
 * Thread: any. May call wakers.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_TAB_EXISTS`.
 */
pc_status pc_tab_opened(const struct pc_service *service,
                        uint64_t tab,
                        uint64_t window);

/**
 * Reports that a tab was moved to a window. Its ports live on.
 *
 * Thread: any.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`.
 */
pc_status pc_tab_moved(const struct pc_service *service,
                       uint64_t tab,
                       uint64_t window);

/**
 * Reports that a tab was closed: everything in it ends, and its id may be used again.
 *
 * Thread: any. May call wakers.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`.
 */
pc_status pc_tab_closed(const struct pc_service *service,
                        uint64_t tab);

/**
 * Reports that a tab was discarded to save memory: everything in it ends, and the tab stays open without frames.
 *
 * Thread: any. May call wakers.
 *
 * @param next      its id from now on, if the policy is `PC_DISCARDED_TAKES_NEW_ID`; otherwise ignored
 * @param[out] now  the id that the tab has now; may be null
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`, `PC_FACT_TAB_EXISTS`.
 */
pc_status pc_tab_discarded(const struct pc_service *service,
                           uint64_t tab,
                           uint64_t next,
                           uint64_t *now);

/**
 * Reports that a tab crashed: everything in it ends, and the tab stays open without frames.
 *
 * Thread: any. May call wakers.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`.
 */
pc_status pc_tab_crashed(const struct pc_service *service,
                         uint64_t tab);

/**
 * Reports that a frame was added to a tab and shows a document.
 *
 * Thread: any.
 *
 * @param parent  the frame that contains it; null for the top frame
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`, `PC_FACT_UNKNOWN_FRAME` for the parent, `PC_FACT_FRAME_EXISTS`,
 * `PC_FACT_DOCUMENT_EXISTS`.
 */
pc_status pc_frame_attached(const struct pc_service *service,
                            uint64_t tab,
                            uint64_t frame,
                            const uint64_t *parent,
                            struct pc_document document);

/**
 * Reports that a frame went to another document: the contexts of the old one end, and the frames below it. Do not
 * report a navigation within the document.
 *
 * Thread: any. May call wakers.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`, `PC_FACT_UNKNOWN_FRAME`, `PC_FACT_DOCUMENT_EXISTS`.
 */
pc_status pc_frame_navigated(const struct pc_service *service,
                             uint64_t tab,
                             uint64_t frame,
                             struct pc_document document);

/**
 * Reports that a frame was removed from its page, with those below it.
 *
 * Thread: any. May call wakers.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_TAB`, `PC_FACT_UNKNOWN_FRAME`.
 */
pc_status pc_frame_removed(const struct pc_service *service,
                           uint64_t tab,
                           uint64_t frame);

/**
 * Reports that a document, with the frames below its own, went into the back/forward cache.
 *
 * Thread: any. May call wakers.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_DOCUMENT` when no frame shows it.
 */
pc_status pc_document_cached(const struct pc_service *service,
                             struct pc_document document);

/**
 * Reports that a cached document is shown again, with the frames below its own. What its frame showed in the meantime
 * ends, unless it was cached too.
 *
 * Thread: any. May call wakers.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_DOCUMENT` when it is not in the cache, `PC_FACT_UNKNOWN_FRAME` when
 * its frame was removed.
 */
pc_status pc_document_restored(const struct pc_service *service,
                               struct pc_document document);

/**
 * Reports that a cached document was thrown out of the cache: it ends, with the frames below its own.
 *
 * Thread: any. May call wakers.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_DOCUMENT` when it is not in the cache.
 */
pc_status pc_document_evicted(const struct pc_service *service,
                              struct pc_document document);

/**
 * Reports that an extension was loaded. Every load is another instance.
 *
 * Thread: any.
 *
 * @param id        its id, as scripts see it (`runtime.id`)
 * @param external  which other extensions may connect to it: `PC_EXTERNAL_…`
 * @param listed    their ids, for `PC_EXTERNAL_LISTED`; otherwise ignored
 * @param listed_count  how many there are
 * @param flags     0, or `PC_BACKGROUND_ON_DEMAND`
 * @param[out] extension  the instance
 * @return `PC_OK`, `PC_NULL`, `PC_UNKNOWN_VALUE`, `PC_NOT_UTF8`, `PC_LONE_SURROGATE`, `PC_CONTAINS_NUL`,
 * `PC_WRONG_SIZE`, `PC_FACT_EXTENSION_EXISTS`.
 */
pc_status pc_extension_loaded(const struct pc_service *service,
                              struct pc_string id,
                              uint32_t external,
                              const struct pc_string *listed,
                              size_t listed_count,
                              uint32_t flags,
                              uint64_t *extension);

/**
 * Reports that an extension was unloaded, disabled or replaced by an update: all its contexts end.
 *
 * Thread: any. May call wakers.
 *
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_EXTENSION`.
 */
pc_status pc_extension_unloaded(const struct pc_service *service,
                                uint64_t extension);

/**
 * Reports that the thread of an event loop died or hangs: all its contexts end for everyone else, and its peers are
 * told. Should the thread run on after all, its calls are refused: see `pc_event_loop_is_gone()`.
 *
 * Thread: any. May call wakers.
 *
 * @param event_loop  the id, from `pc_event_loop_id()`
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_EVENT_LOOP`.
 */
pc_status pc_event_loop_gone(const struct pc_service *service,
                             uint64_t event_loop);

/**
 * Reports that the process that an event loop stands for crashed. Everything is as for `pc_event_loop_gone()`, but others hear
 * `PC_REASON_PROCESS_CRASHED`.
 *
 * Thread: any. May call wakers.
 *
 * @param event_loop  the id, from `pc_event_loop_id()`
 * @return `PC_OK`, `PC_NULL`, `PC_FACT_UNKNOWN_EVENT_LOOP`.
 */
pc_status pc_event_loop_crashed(const struct pc_service *service,
                                uint64_t event_loop);

/**
 * Returns an English text for a status: in lower case, without a full stop, for logs. The text lives for ever.
 * A number that is no status has the text "unknown status"; the answer is never null.
 *
 * Thread: any.
 */
const char *pc_status_text(pc_status status);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PORT_CORE_H */

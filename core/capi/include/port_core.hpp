/// @file
/// Port core for C++17: `port_core.h` with owners, strong ids, and results in place of statuses.
///
/// Throws nothing itself and needs no exceptions. Whether a thread may call something is what `port_core.h` says of the
/// function below it; each class here says it in short.
#ifndef PORT_CORE_HPP
#define PORT_CORE_HPP

#include "port_core.h"

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "port_core.hpp needs C++17"
#endif

#include <cassert>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace port_core {

/// Ids of the browser's and of the library's. Each is a number of its own type: `TabId{7}`.
enum class TabId : std::uint64_t {};
enum class WindowId : std::uint64_t {};
enum class FrameId : std::uint64_t {};
enum class ExtensionInstance : std::uint64_t {};
enum class EventLoopId : std::uint64_t {};
enum class ContextId : std::uint64_t {};
enum class PortId : std::uint64_t {};
using DocumentId = pc_document;

/// The top frame of every tab.
inline constexpr FrameId top_frame{PC_TOP_FRAME};

/// Returns the number of an id.
template <class Id> constexpr std::uint64_t number(Id id) noexcept {
    static_assert(std::is_enum_v<Id>, "an id");
    return static_cast<std::uint64_t>(id);
}

/// Makes a struct of zeros but for its size, as the library wants them.
template <class Struct> constexpr Struct sized() noexcept {
    Struct made{};
    made.size = sizeof(Struct);
    return made;
}

inline pc_string to_c(std::string_view text) noexcept {
    return {text.data(), text.size()};
}

inline std::string_view from_c(pc_string text) noexcept {
    return {text.data, text.length};
}

/// What a call answered.
class [[nodiscard]] Status {
public:
    constexpr Status(pc_status number) noexcept : number_(number) {}

    constexpr bool ok() const noexcept { return number_ == PC_OK; }
    constexpr explicit operator bool() const noexcept { return ok(); }
    /// The number, `PC_…`.
    constexpr pc_status number() const noexcept { return number_; }
    /// An English text, which lives for ever.
    const char* text() const noexcept { return pc_status_text(number_); }
    /// For an answer that does not matter.
    constexpr void ignore() const noexcept {}

private:
    pc_status number_;
};

/// A value, or why there is none: a small `std::expected`.
template <class Value> class [[nodiscard]] Result {
public:
    Result(Value value) : value_(std::move(value)), status_(PC_OK) {}
    Result(Status status) noexcept : status_(status) { assert(!status.ok()); }

    bool ok() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return ok(); }
    Status status() const noexcept { return status_; }

    /// The value; without one the program ends.
    Value& value() & { return expect(), *value_; }
    const Value& value() const& { return expect(), *value_; }
    Value&& value() && { return expect(), *std::move(value_); }
    Value& operator*() & { return value(); }
    const Value& operator*() const& { return value(); }
    Value&& operator*() && { return std::move(*this).value(); }
    Value* operator->() { return &value(); }
    const Value* operator->() const { return &value(); }
    template <class Other> Value value_or(Other&& other) && {
        return ok() ? *std::move(value_) : static_cast<Value>(std::forward<Other>(other));
    }

private:
    void expect() const {
        assert(ok() && "a result without a value");
        if (!ok()) std::abort();
    }

    std::optional<Value> value_;
    Status status_;
};

/// Bytes that are kept: a payload beyond the next event, a snapshot's text. Copies share them. Any thread.
class Bytes {
public:
    Bytes() noexcept = default;
    /// Takes over a reference.
    explicit Bytes(pc_bytes* reference) noexcept : bytes_(reference) {}
    Bytes(const Bytes& other) noexcept : bytes_(other.bytes_) { pc_bytes_retain(bytes_); }
    Bytes(Bytes&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
    Bytes& operator=(Bytes other) noexcept { return std::swap(bytes_, other.bytes_), *this; }
    ~Bytes() { pc_bytes_release(bytes_); }

    std::string_view view() const noexcept {
        return {reinterpret_cast<const char*>(pc_bytes_data(bytes_)), pc_bytes_length(bytes_)};
    }
    const pc_bytes* get() const noexcept { return bytes_; }

private:
    pc_bytes* bytes_ = nullptr;
};

/// The opener of a port. What it shows lives as long as the event.
class Sender {
public:
    explicit Sender(const pc_sender& sender) noexcept : sender_(sender) {}

    /// Empty for a page of the web.
    std::string_view extension_id() const noexcept { return from_c(sender_.extension_id); }
    /// None for a page of the web.
    std::optional<ExtensionInstance> extension() const noexcept {
        return if_there(sender_.kind != PC_WEB_PAGE, ExtensionInstance{sender_.extension});
    }
    std::uint32_t kind() const noexcept { return sender_.kind; }
    std::string_view url() const noexcept { return from_c(sender_.url); }
    std::string_view origin() const noexcept { return from_c(sender_.origin); }
    std::optional<TabId> tab() const noexcept { return if_there(sender_.has_tab, TabId{sender_.tab}); }
    std::optional<FrameId> frame() const noexcept { return if_there(sender_.has_tab, FrameId{sender_.frame}); }
    std::optional<DocumentId> document() const noexcept { return if_there(sender_.has_document, sender_.document); }
    std::optional<ContextId> context() const noexcept {
        return if_there(sender_.context != 0, ContextId{sender_.context});
    }
    /// `PC_ACTIVE`, `PC_CACHED`, or 0 if the policy hides it.
    std::uint32_t lifecycle() const noexcept { return sender_.lifecycle; }

private:
    template <class T> static std::optional<T> if_there(bool there, T value) noexcept {
        return there ? std::optional<T>(value) : std::nullopt;
    }

    pc_sender sender_;
};

/// `runtime.onConnect`, or a relative. `EventLoop::opener()` tells who connected.
struct Connected {
    ContextId context;
    PortId port;
    std::string_view name;
    bool one_off;
    /// The context asks (`PC_ASKS`): `accept` or `refuse` it.
    bool undecided;
    std::uint64_t context_data, port_data;
};

/// `port.onMessage`.
struct Message {
    ContextId context;
    PortId port;
    std::string_view payload;
    std::uint32_t format;
    bool user_activation;
    std::uint64_t context_data, port_data;
};

/// `port.onDisconnect`.
struct Disconnected {
    ContextId context;
    PortId port;
    Status reason;
    /// Somebody was there who does not listen; for a developer's log.
    bool not_listening;
    std::uint64_t context_data, port_data;
};

/// A port whose window was full has room again.
struct Room {
    ContextId context;
    PortId port;
    std::uint64_t context_data, port_data;
};

/// A fact ended a context, and these ports with it.
struct ContextEnded {
    ContextId context;
    Status reason;
    std::uint64_t context_data;
    const pc_ended_port* ports;
    std::size_t port_count;

    const pc_ended_port* begin() const noexcept { return ports; }
    const pc_ended_port* end() const noexcept { return port_count == 0 ? ports : ports + port_count; }
};

/// Makes one visitor of several functions: `Handlers{[](const Message&) {…}, [](const auto&) {}}`.
template <class... Functions> struct Handlers : Functions... {
    using Functions::operator()...;
};
template <class... Functions> Handlers(Functions...) -> Handlers<Functions...>;

/// An event. What it shows lives until the next event is asked of the same event loop, or the loop goes.
class Event {
public:
    explicit Event(const pc_event& event) noexcept : event_(event) {}

    const pc_event& raw() const noexcept { return event_; }
    ContextId context() const noexcept { return ContextId{event_.context}; }

    /// Calls the visitor with a `Connected`, `Message`, `Disconnected`, `Room` or `ContextEnded`. A kind that this header
    /// does not know is not visited.
    template <class Visitor> void visit(Visitor&& visitor) const {
        const ContextId context{event_.context};
        const PortId port{event_.port};
        const auto context_data = event_.context_data, port_data = event_.port_data;
        switch (event_.kind) {
        case PC_CONNECT:
            visitor(Connected{context, port, from_c(event_.name), event_.connect_kind == PC_ONE_OFF,
                              event_.undecided != 0, context_data, port_data});
            break;
        case PC_MESSAGE:
            visitor(Message{context, port, payload(), event_.format, event_.user_activation != 0, context_data,
                            port_data});
            break;
        case PC_DISCONNECT:
            visitor(Disconnected{context, port, event_.reason, event_.not_listening != 0, context_data, port_data});
            break;
        case PC_ROOM:
            visitor(Room{context, port, context_data, port_data});
            break;
        case PC_CONTEXT_ENDED:
            visitor(ContextEnded{context, event_.reason, context_data, event_.ended_ports, event_.ended_port_count});
            break;
        default:
            break;
        }
    }

private:
    std::string_view payload() const noexcept {
        return {reinterpret_cast<const char*>(event_.payload), event_.payload_length};
    }

    pc_event event_;
};

/// Describes a context. The texts need live no longer than the attach.
class ContextDescription {
public:
    static ContextDescription content_script(ExtensionInstance extension, TabId tab, FrameId frame, DocumentId document) {
        return ContextDescription(PC_CONTENT_SCRIPT, extension).in(tab, frame, document);
    }
    static ContextDescription background(ExtensionInstance extension) {
        return ContextDescription(PC_BACKGROUND, extension);
    }
    static ContextDescription page(ExtensionInstance extension) { return ContextDescription(PC_PAGE, extension); }
    static ContextDescription page_in_tab(ExtensionInstance extension, TabId tab, FrameId frame, DocumentId document) {
        return ContextDescription(PC_PAGE_IN_TAB, extension).in(tab, frame, document);
    }
    /// A page of the web, which the extensions with these ids admit.
    static ContextDescription web_page(const std::vector<std::string_view>& admitted_by, TabId tab, FrameId frame,
                                       DocumentId document) {
        auto page = ContextDescription(PC_WEB_PAGE, ExtensionInstance{0}).in(tab, frame, document);
        for (const auto id : admitted_by) page.admitted_by_.push_back(to_c(id));
        return page;
    }

    ContextDescription url(std::string_view url) const { return with([&](auto& raw) { raw.url = to_c(url); }); }
    ContextDescription origin(std::string_view origin) const {
        return with([&](auto& raw) { raw.origin = to_c(origin); });
    }
    /// The document of a background or page outside any tab.
    ContextDescription document(DocumentId document) const {
        return with([&](auto& raw) { raw.document = document, raw.has_document = 1; });
    }

    /// Points into this.
    pc_context_description raw() const noexcept {
        pc_context_description raw = raw_;
        raw.admitted_by = admitted_by_.data();
        raw.admitted_by_count = admitted_by_.size();
        return raw;
    }

private:
    ContextDescription(std::uint32_t kind, ExtensionInstance extension) : raw_(sized<pc_context_description>()) {
        raw_.kind = kind;
        raw_.extension = number(extension);
    }
    ContextDescription in(TabId tab, FrameId frame, DocumentId document) const {
        return with([&](auto& raw) { raw.tab = number(tab), raw.frame = number(frame), raw.document = document; });
    }
    template <class Change> ContextDescription with(Change change) const {
        ContextDescription changed = *this;
        change(changed.raw_);
        return changed;
    }

    pc_context_description raw_;
    std::vector<pc_string> admitted_by_;
};

/// Says where `tabs.connect` goes. The name need live no longer than the connect.
class TabTarget {
public:
    explicit TabTarget(TabId tab) : raw_(sized<pc_tab_target>()) { raw_.tab = number(tab); }

    TabTarget& name(std::string_view name) { return raw_.name = to_c(name), *this; }
    TabTarget& frame(FrameId frame) { return raw_.has_frame = 1, raw_.frame = number(frame), *this; }
    TabTarget& document(DocumentId document) { return raw_.has_document = 1, raw_.document = document, *this; }
    TabTarget& one_off() { return raw_.kind = PC_ONE_OFF, *this; }

    const pc_tab_target& raw() const noexcept { return raw_; }

private:
    pc_tab_target raw_;
};

/// Says where `runtime.connect` goes: to one's own extension, or to another.
class RuntimeTarget {
public:
    RuntimeTarget() : raw_(sized<pc_runtime_target>()) {}

    RuntimeTarget& extension(std::string_view id) { return raw_.extension = to_c(id), *this; }
    RuntimeTarget& name(std::string_view name) { return raw_.name = to_c(name), *this; }
    RuntimeTarget& one_off() { return raw_.kind = PC_ONE_OFF, *this; }

    const pc_runtime_target& raw() const noexcept { return raw_; }

private:
    pc_runtime_target raw_;
};

/// Wakes a thread's main loop. Called on any thread, and not to throw: the program would end.
using Waker = std::function<void()>;

namespace detail {

/// A waker until the library has it.
struct OwnWaker {
    explicit OwnWaker(Waker waker) : held(std::make_unique<Waker>(std::move(waker))) {
        raw.wake = [](void* data) noexcept { (*static_cast<Waker*>(data))(); };
        raw.drop = [](void* data) noexcept { delete static_cast<Waker*>(data); };
        raw.data = held.get();
    }
    void taken() noexcept { static_cast<void>(held.release()); }

    std::unique_ptr<Waker> held;
    pc_waker raw = sized<pc_waker>();
};

} // namespace detail

/// The messaging of one browser or profile. Any thread may call it.
class Service {
public:
    static Result<Service> make(const pc_policies* policies = nullptr, const pc_limits* limits = nullptr,
                                std::uint32_t flags = 0) {
        pc_service* service = nullptr;
        const Status status = pc_service_new(policies, limits, flags, &service);
        return status ? Result<Service>(Service(service)) : status;
    }

    pc_service* get() const noexcept { return service_.get(); }

    Status tab_opened(TabId tab, WindowId window) const { return pc_tab_opened(get(), number(tab), number(window)); }
    Status tab_moved(TabId tab, WindowId window) const { return pc_tab_moved(get(), number(tab), number(window)); }
    Status tab_closed(TabId tab) const { return pc_tab_closed(get(), number(tab)); }
    Status tab_crashed(TabId tab) const { return pc_tab_crashed(get(), number(tab)); }
    /// Returns the id that the tab has now.
    Result<TabId> tab_discarded(TabId tab, TabId next) const {
        std::uint64_t now = 0;
        const Status status = pc_tab_discarded(get(), number(tab), number(next), &now);
        return status ? Result(TabId{now}) : status;
    }
    Status top_frame_attached(TabId tab, DocumentId document) const {
        return pc_frame_attached(get(), number(tab), PC_TOP_FRAME, nullptr, document);
    }
    Status frame_attached(TabId tab, FrameId frame, FrameId parent, DocumentId document) const {
        const std::uint64_t in = number(parent);
        return pc_frame_attached(get(), number(tab), number(frame), &in, document);
    }
    Status frame_navigated(TabId tab, FrameId frame, DocumentId document) const {
        return pc_frame_navigated(get(), number(tab), number(frame), document);
    }
    Status frame_removed(TabId tab, FrameId frame) const {
        return pc_frame_removed(get(), number(tab), number(frame));
    }
    Status document_cached(DocumentId document) const { return pc_document_cached(get(), document); }
    Status document_restored(DocumentId document) const { return pc_document_restored(get(), document); }
    Status document_evicted(DocumentId document) const { return pc_document_evicted(get(), document); }

    Result<ExtensionInstance> extension_loaded(std::string_view id,
                                               std::uint32_t external = PC_EXTERNAL_NOBODY,
                                               const std::vector<std::string_view>& listed = {},
                                               std::uint32_t flags = 0) const {
        std::vector<pc_string> texts;
        for (const auto one : listed) texts.push_back(to_c(one));
        std::uint64_t extension = 0;
        const Status status =
            pc_extension_loaded(get(), to_c(id), external, texts.data(), texts.size(), flags, &extension);
        return status ? Result(ExtensionInstance{extension}) : status;
    }
    Status extension_unloaded(ExtensionInstance extension) const {
        return pc_extension_unloaded(get(), number(extension));
    }
    /// Returns an extension whose background is to be started (`PC_BACKGROUND_ON_DEMAND`).
    Result<ExtensionInstance> next_wanted_background() const {
        std::uint64_t extension = 0;
        const Status status = pc_next_wanted_background(get(), &extension);
        return status ? Result(ExtensionInstance{extension}) : status;
    }
    Status set_background_waker(Waker waker) const {
        detail::OwnWaker own(std::move(waker));
        const Status status = pc_set_background_waker(get(), &own.raw);
        if (status) own.taken();
        return status;
    }
    Status give_up_background(ExtensionInstance extension,
                              pc_status reason = PC_REASON_BACKGROUND_NOT_STARTED) const {
        return pc_give_up_background(get(), number(extension), reason);
    }
    Status stop_background(ExtensionInstance extension) const {
        return pc_stop_background(get(), number(extension));
    }
    Status event_loop_gone(EventLoopId event_loop) const { return pc_event_loop_gone(get(), number(event_loop)); }
    Status event_loop_crashed(EventLoopId event_loop) const { return pc_event_loop_crashed(get(), number(event_loop)); }

    /// Returns a text of what the service knows.
    Result<Bytes> snapshot() const {
        pc_bytes* text = nullptr;
        const Status status = pc_service_snapshot(get(), &text);
        return status ? Result(Bytes(text)) : status;
    }

private:
    explicit Service(pc_service* service) noexcept : service_(service) {}

    struct Free {
        void operator()(pc_service* service) const noexcept { pc_service_free(service); }
    };
    std::unique_ptr<pc_service, Free> service_;
};

/// One thread's part. It belongs to the thread that made it, and is to go on that thread too; `leave()` and `take()` move it.
/// Destroyed on another thread, or after `leave()` without `take()`, it fails an assertion; with `NDEBUG` it says so on stderr
/// and is leaked, and its peers do not hear that it went.
///
/// Calls that return no `Status` or `Result` (`id`, `is_gone`, `ports`, `context_of`, `disconnect`, `accept`, `refuse`, `is_open`) answer on a wrong
/// thread as if there were nothing.
class EventLoop {
public:
    /// Without a waker, for a thread that waits.
    static Result<EventLoop> make(const Service& service) { return make_with(service, nullptr); }
    static Result<EventLoop> make(const Service& service, Waker waker) {
        detail::OwnWaker own(std::move(waker));
        Result<EventLoop> made = make_with(service, &own.raw);
        if (made) own.taken();
        return made;
    }
    /// For one whose scripts are trusted less than others': the service holds at most so many bytes for them. See `pc_event_loop_new_limited()`.
    static Result<EventLoop> make_limited(const Service& service, Waker waker, std::uint64_t bytes) {
        detail::OwnWaker own(std::move(waker));
        pc_event_loop* event_loop = nullptr;
        const Status status = pc_event_loop_new_limited(service.get(), &own.raw, bytes, &event_loop);
        if (status) own.taken();
        return status ? Result<EventLoop>(EventLoop(event_loop)) : status;
    }

    pc_event_loop* get() const noexcept { return event_loop_.get(); }

    EventLoopId id() const {
        std::uint64_t id = 0;
        Status(pc_event_loop_id(get(), &id)).ignore();
        return EventLoopId{id};
    }
    bool is_gone() const {
        std::uint32_t gone = 0;
        Status(pc_event_loop_is_gone(get(), &gone)).ignore();
        return gone != 0;
    }
    Status set_waker(Waker waker) {
        detail::OwnWaker own(std::move(waker));
        const Status status = pc_event_loop_set_waker(get(), &own.raw);
        if (status) own.taken();
        return status;
    }
    Status set_looks_before_sleep(std::uint32_t looks) {
        return pc_event_loop_set_looks_before_sleep(get(), looks);
    }
    /// Leaves it to another thread, which calls `take()`.
    Status leave() { return pc_event_loop_leave(get()); }
    Status take() { return pc_event_loop_take(get()); }

    Result<ContextId> attach(const ContextDescription& description) {
        std::uint64_t context = 0;
        const pc_context_description raw = description.raw();
        const Status status = pc_attach(get(), &raw, &context);
        return status ? Result(ContextId{context}) : status;
    }
    Status detach(ContextId context) { return pc_detach(get(), number(context)); }
    /// `listens` is the sum of some `PC_LISTENS_FOR_…`.
    Status set_listening(ContextId context, std::uint32_t listens, std::uint16_t listeners = 0) {
        return pc_set_listening(get(), number(context), listens, listeners);
    }
    std::vector<PortId> ports(ContextId context) const {
        std::size_t count = 0;
        Status(pc_ports(get(), number(context), nullptr, 0, &count)).ignore();
        std::vector<std::uint64_t> numbers(count);
        Status(pc_ports(get(), number(context), numbers.data(), count, &count)).ignore();
        std::vector<PortId> ports;
        for (const auto bits : numbers) ports.push_back(PortId{bits});
        return ports;
    }
    std::optional<ContextId> context_of(PortId port) const {
        std::uint64_t context = 0;
        const Status status = pc_context_of(get(), number(port), &context);
        return status ? std::optional(ContextId{context}) : std::nullopt;
    }
    /// How many uses a background had that is started on demand: a timer that finds the same number twice may stop it.
    Result<std::uint64_t> uses(ContextId context) const {
        std::uint64_t uses = 0;
        std::size_t count = 0;
        const Status status = pc_why_awake(get(), number(context), &uses, nullptr, 0, &count);
        return status ? Result(uses) : status;
    }
    Status set_context_data(ContextId context, std::uint64_t data) {
        return pc_set_context_data(get(), number(context), data);
    }
    Status set_port_data(PortId port, std::uint64_t data) { return pc_set_port_data(get(), number(port), data); }

    Result<PortId> connect_tab(ContextId opener, const TabTarget& target) {
        std::uint64_t port = 0;
        const Status status = pc_connect_tab(get(), number(opener), &target.raw(), &port);
        return status ? Result(PortId{port}) : status;
    }
    Result<PortId> connect_runtime(ContextId opener, const RuntimeTarget& target) {
        std::uint64_t port = 0;
        const Status status = pc_connect_runtime(get(), number(opener), &target.raw(), &port);
        return status ? Result(PortId{port}) : status;
    }
    /// Returns whether the port was open.
    bool disconnect(PortId port) { return pc_disconnect(get(), number(port)) == PC_OK; }
    /// Returns whether there was a decision to make.
    bool accept(PortId port) { return pc_accept(get(), number(port)) == PC_OK; }
    /// Returns whether there was a decision to make.
    bool refuse(PortId port) { return pc_refuse(get(), number(port)) == PC_OK; }
    bool is_open(PortId port) const { return pc_is_open(get(), number(port)) == PC_OK; }

    /// Posts a copy of these bytes.
    Status post(PortId port, std::string_view bytes, std::uint32_t format = PC_JSON, bool user_activation = false) {
        const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
        return pc_post(get(), number(port), data, bytes.size(), format, user_activation);
    }
    /// Posts bytes that are kept.
    Status post(PortId port, const Bytes& bytes, std::uint32_t format = PC_JSON, bool user_activation = false) {
        return pc_post_kept(get(), number(port), bytes.get(), format, user_activation);
    }
    /// Posts what owns bytes, such as a `std::string` or a `std::vector`, without copying many of them. If the post is
    /// refused, the owner has them back.
    template <class Owner>
    Status post_owned(PortId port, Owner&& owner, std::uint32_t format = PC_JSON, bool user_activation = false) {
        static_assert(std::is_rvalue_reference_v<Owner&&>, "move the owner in");
        static_assert(sizeof(*owner.data()) == 1, "an owner of bytes");
        auto held = std::make_unique<std::remove_reference_t<Owner>>(std::move(owner));
        pc_owned_bytes bytes = sized<pc_owned_bytes>();
        bytes.data = reinterpret_cast<const std::uint8_t*>(held->data());
        bytes.length = held->size();
        bytes.release = [](void* context, const std::uint8_t*, std::size_t) noexcept {
            delete static_cast<std::remove_reference_t<Owner>*>(context);
        };
        bytes.context = held.get();
        const Status status = pc_post_owned(get(), number(port), &bytes, format, user_activation);
        if (status || status.number() == PC_PANICKED) {
            static_cast<void>(held.release());
        } else {
            owner = std::move(*held);
        }
        return status;
    }

    /// Takes the next event; `PC_NONE` when there is nothing, and then the waker is called for what comes. No value may also
    /// mean that the call was refused (`PC_WRONG_THREAD`, `PC_IN_USE`): look at the `status()` of a loop that stays silent.
    ///
    ///     while (auto event = event_loop.next()) event->visit(handlers);
    Result<Event> next() { return taken(pc_next_event); }
    /// The same, but no waker is called afterwards.
    Result<Event> next_unarmed() { return taken(pc_next_event_unarmed); }
    /// Blocks the thread until there is an event; for ever, if nothing is reported. A fact that ends a context of this loop is
    /// an event too.
    Result<Event> wait() { return taken(pc_wait); }
    /// Blocks the thread until there is an event, or for this long.
    Result<Event> wait_for(std::uint64_t milliseconds) {
        return taken([=](auto* event_loop, auto* event) { return pc_wait_for(event_loop, milliseconds, event); });
    }
    /// Tells who opened the port of the last event, which was a `Connected`.
    Result<Sender> opener() const {
        pc_sender sender = sized<pc_sender>();
        const Status status = pc_opener(get(), &sender);
        return status ? Result(Sender(sender)) : status;
    }
    /// Keeps the payload of the last event, which was a message.
    Result<Bytes> retain_payload() {
        pc_bytes* kept = nullptr;
        const Status status = pc_payload_retain(get(), &kept);
        return status ? Result(Bytes(kept)) : status;
    }

    /// Returns a text of what the event loop knows.
    Result<Bytes> snapshot() const {
        pc_bytes* text = nullptr;
        const Status status = pc_event_loop_snapshot(get(), &text);
        return status ? Result(Bytes(text)) : status;
    }

private:
    explicit EventLoop(pc_event_loop* event_loop) noexcept : event_loop_(event_loop) {}

    static Result<EventLoop> make_with(const Service& service, const pc_waker* waker) {
        pc_event_loop* event_loop = nullptr;
        const Status status = pc_event_loop_new(service.get(), waker, &event_loop);
        return status ? Result<EventLoop>(EventLoop(event_loop)) : status;
    }

    template <class Call> Result<Event> taken(Call call) {
        pc_event event = sized<pc_event>();
        const Status status = call(get(), &event);
        return status ? Result(Event(event)) : status;
    }

    struct Free {
        void operator()(pc_event_loop* event_loop) const noexcept {
            const pc_status freed = pc_event_loop_free(event_loop);
            if (freed != PC_OK) std::fprintf(stderr, "port_core: an event loop is leaked: %s\n", pc_status_text(freed));
            assert(freed == PC_OK && "an event loop goes on its own thread, and not within its own calls");
        }
    };
    std::unique_ptr<pc_event_loop, Free> event_loop_;
};

} // namespace port_core

#endif

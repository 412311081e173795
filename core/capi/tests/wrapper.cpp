// What the C++ wrapper does that no example shows: owners, kept bytes, refusals, threads.

#include <port_core.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

using namespace port_core;

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) {                                                   \
            std::fprintf(stderr, "line %d: %s\n", __LINE__, #condition);      \
            std::exit(1);                                                     \
        }                                                                     \
    } while (false)

namespace {

constexpr TabId tab{7};
constexpr DocumentId document{1, 2};

struct Scene {
    Service service = *Service::make();
    ExtensionInstance extension = *service.extension_loaded("greeter@example");
    EventLoop here = *EventLoop::make(service);
    EventLoop there = *EventLoop::make(service);
    ContextId background{}, script{};

    Scene() {
        CHECK(service.tab_opened(tab, WindowId{1}));
        CHECK(service.top_frame_attached(tab, document));
        background = *here.attach(ContextDescription::background(extension).url("ext://greeter/bg.js").document({3, 4}));
        script = *there.attach(ContextDescription::content_script(extension, tab, top_frame, document));
        CHECK(there.set_listening(script, PC_LISTENS_FOR_PORTS));
    }

    // Opens a port, and gives both ends.
    std::pair<PortId, PortId> open() {
        const PortId port = *here.connect_tab(background, TabTarget(tab).name("x").frame(top_frame).document(document));
        PortId received{};
        const auto event = there.next();
        CHECK(event);
        event->visit(Handlers{[&](const Connected& it) { received = it.port; }, [](const auto&) { CHECK(false); }});
        return {port, received};
    }
};

std::string heard(EventLoop& event_loop) {
    std::string payload;
    if (const auto event = event_loop.next()) {
        event->visit(Handlers{[&](const Message& it) { payload = it.payload; }, [](const auto&) { CHECK(false); }});
    }
    return payload;
}

void owners() {
    Scene scene;
    const auto [port, received] = scene.open();
    CHECK(scene.here.post(port, "short"));
    CHECK(heard(scene.there) == "short");
    CHECK(scene.here.post_owned(port, std::string(1000, 'x')));
    CHECK(scene.here.post_owned(port, std::vector<char>(3, 'y')));
    CHECK(heard(scene.there) == std::string(1000, 'x'));
    Bytes kept = *scene.there.retain_payload();
    CHECK(heard(scene.there) == "yyy");
    CHECK(scene.there.post(received, kept));
    const Bytes again = kept;
    kept = Bytes();
    CHECK(again.view() == std::string(1000, 'x'));
    CHECK(heard(scene.here) == std::string(1000, 'x'));

    // Refused: the owner has its bytes back.
    CHECK(scene.here.disconnect(port) && !scene.here.disconnect(port) && !scene.here.is_open(port));
    std::string text(1000, 'z');
    const Status refused = scene.here.post_owned(port, std::move(text));
    CHECK(refused.number() == PC_POST_DISCONNECTED);
    CHECK(text == std::string(1000, 'z')); // NOLINT(bugprone-use-after-move): it came back.
    CHECK(scene.there.next() && scene.there.retain_payload().status().number() == PC_NONE);
}

void openers_and_ends() {
    Scene scene;
    const auto [port, received] = scene.open();
    const auto sender = *scene.there.opener();
    CHECK(sender.kind() == PC_BACKGROUND && sender.extension() == scene.extension);
    CHECK(sender.extension_id() == "greeter@example" && sender.url() == "ext://greeter/bg.js");
    CHECK(!sender.tab() && !sender.frame() && sender.document()->low == 4 && sender.context() == scene.background);
    CHECK(scene.there.context_of(received) == scene.script && !scene.there.context_of(port));
    CHECK(scene.there.ports(scene.script) == std::vector<PortId>{received});
    CHECK(scene.there.set_port_data(received, 5) && scene.there.set_context_data(scene.script, 6));
    CHECK(scene.service.frame_navigated(tab, top_frame, {9, 9}));
    bool ended = false;
    (*scene.there.next()).visit(Handlers{
        [&](const ContextEnded& it) {
            CHECK(it.context == scene.script && it.context_data == 6 && it.port_count == 1);
            for (const auto& one : it) CHECK(PortId{one.port} == received && one.data == 5);
            ended = true;
        },
        [](const auto&) { CHECK(false); },
    });
    CHECK(ended);
    bool told = false;
    (*scene.here.wait_for(1000)).visit(Handlers{
        [&](const Disconnected& it) { told = it.reason.number() == PC_REASON_NAVIGATED; },
        [](const auto&) { CHECK(false); },
    });
    CHECK(told);
    const auto nothing = scene.here.next();
    CHECK(!nothing && nothing.status().number() == PC_NONE);
}

void wakers() {
    Scene scene;
    const auto [port, received] = scene.open();
    while (scene.there.next()) {
    }
    int wakes = 0;
    auto shared = std::make_shared<int>();
    CHECK(scene.there.set_waker([&wakes, shared] { ++wakes; }));
    CHECK(shared.use_count() == 2);
    CHECK(scene.here.post(port, "1") && scene.here.post(port, "2"));
    CHECK(wakes == 1);
    CHECK(scene.there.set_waker([] {}));
    CHECK(shared.use_count() == 1);
}

void threads() {
    Scene scene;
    pc_status refused = PC_OK;
    std::thread([&] { refused = scene.here.next().status().number(); }).join();
    CHECK(refused == PC_WRONG_THREAD);
    CHECK(scene.here.leave());
    std::thread([event_loop = std::move(scene.here)]() mutable {
        CHECK(event_loop.take());
        CHECK(event_loop.next().status().number() == PC_NONE);
        const EventLoop gone = std::move(event_loop);
    }).join();
}

void refusals() {
    Scene scene;
    CHECK(scene.service.extension_loaded("a\xED\xA0\x80").status().number() == PC_LONE_SURROGATE);
    CHECK(scene.service.extension_loaded("listed@example", PC_EXTERNAL_LISTED, {"greeter@example"}));
    CHECK(scene.here.connect_runtime(scene.background, RuntimeTarget().extension("listed@example").name("x")));
    CHECK(scene.here.connect_tab(ContextId{1}, TabTarget(tab).one_off()).status().number() == PC_CONNECT_UNKNOWN_CONTEXT);
    CHECK(!scene.here.detach(scene.script) && scene.there.detach(scene.script));
    CHECK(!scene.here.is_gone() && scene.service.event_loop_gone(scene.here.id()) && scene.here.is_gone());
    CHECK(scene.here.snapshot()->view().find("EventLoopSnapshot") == 0);
    CHECK(scene.service.snapshot()->view().find("ServiceSnapshot") == 0);
    pc_policies wrong = sized<pc_policies>();
    wrong.discarded_tab = 9;
    CHECK(Service::make(&wrong).status().number() == PC_UNKNOWN_VALUE);
    CHECK(*scene.service.tab_discarded(tab, TabId{8}) == tab);
    CHECK(std::move(scene.service.tab_discarded(TabId{99}, TabId{8})).value_or(TabId{1}) == TabId{1});
}

} // namespace

int main() {
    owners();
    openers_and_ends();
    wakers();
    threads();
    refusals();
}

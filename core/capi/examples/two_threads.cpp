// Two threads of a browser: an extension's background connects to its content script in a tab, as in MDN's example
// of tabs.connect():
//
//     let port = browser.tabs.connect(tab, {name: "tabs-connect-example"});
//     port.postMessage({greeting: "Hi from background script"});

#include <port_core.hpp>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>

using namespace port_core;

constexpr TabId tab{1};
constexpr DocumentId document{0, 1};

// The thread of the tab's site: a content script that listens, and answers each message.
void site(const Service& service, ExtensionInstance extension, std::promise<void> ready) {
    auto event_loop = *EventLoop::make(service);
    const auto script = ContextDescription::content_script(extension, tab, top_frame, document)
                            .url("https://a.example/")
                            .origin("https://a.example");
    const auto context = event_loop.attach(script);
    if (!context || !event_loop.set_listening(*context, PC_LISTENS_FOR_PORTS)) {
        return;
    }
    ready.set_value();
    for (bool open = true; open;) {
        const auto event = event_loop.wait();
        if (!event) {
            return;
        }
        event->visit(Handlers{
            [](const Connected& it) {
                std::printf("content script: a port named %s\n", std::string(it.name).c_str());
            },
            [&](const Message& it) {
                std::printf("content script: %s\n", std::string(it.payload).c_str());
                const Status answered = event_loop.post(it.port, R"({"greeting":"Hi from content script"})");
                if (!answered) {
                    std::printf("content script: %s\n", answered.text());
                }
            },
            [&](const Disconnected& it) {
                std::printf("content script: %s\n", it.reason.text());
                open = false;
            },
            [](const auto&) {},
        });
    }
}

int main() {
    // The browser's process: what there is.
    const auto service = *Service::make();
    const auto extension = *service.extension_loaded("greeter@example");
    if (!service.tab_opened(tab, WindowId{1}) || !service.top_frame_attached(tab, document)) {
        return 1;
    }

    std::promise<void> ready;
    auto listening = ready.get_future();
    std::thread content([&, ready = std::move(ready)]() mutable { site(service, extension, std::move(ready)); });

    // The thread of the extension: its background connects, once the content script listens.
    listening.wait();
    auto event_loop = *EventLoop::make(service);
    const auto background = *event_loop.attach(
        ContextDescription::background(extension).url("ext://greeter/bg.js").origin("ext://greeter"));
    const auto port = event_loop.connect_tab(background, TabTarget(tab).name("tabs-connect-example"));
    if (!port || !event_loop.post(*port, R"({"greeting":"Hi from background script"})")) {
        std::quick_exit(1); // The other thread waits for a connection that will not come.
    }
    if (const auto event = event_loop.wait()) {
        event->visit(Handlers{
            [](const Message& it) { std::printf("background: %s\n", std::string(it.payload).c_str()); },
            [](const auto&) {},
        });
    }
    event_loop.disconnect(*port);
    content.join();
}

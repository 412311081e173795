// A main loop that has other work too: poll() on an eventfd that the library's waker writes to, beside a pipe. Linux.
//
// Two such threads play ping-pong, ROUNDS times (10,000, or the first argument), then do nothing for a moment.

#include <port_core.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <string>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

using namespace port_core;

constexpr TabId tab{1};
constexpr DocumentId document{0, 1};

// An eventfd that closes itself. The waker and the loop share it: a wake may come late.
class Bell {
public:
    Bell() : file_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;
    ~Bell() { close(file_); }

    int file() const { return file_; }
    void ring() const {
        const std::uint64_t one = 1;
        static_cast<void>(!write(file_, &one, sizeof one));
    }
    void hear() const {
        std::uint64_t rung;
        static_cast<void>(!read(file_, &rung, sizeof rung));
    }

private:
    int file_;
};

// One thread's main loop: ends when a handler returns false, or when `quit` can be read.
template <class Handle> int run(EventLoop& event_loop, const Bell& bell, int quit, Handle handle) {
    int turns = 0;
    for (;;) {
        pollfd files[] = {{bell.file(), POLLIN, 0}, {quit, POLLIN, 0}};
        poll(files, 2, -1);
        ++turns;
        if (files[1].revents != 0) {
            return turns;
        }
        bell.hear();
        // The bell rings once for all that came: take events until there is none.
        while (const auto event = event_loop.next()) {
            if (!handle(*event)) {
                return turns;
            }
        }
    }
}

int main(int argc, char** argv) {
    const long rounds = argc > 1 ? std::atol(argv[1]) : 10'000;
    const auto service = *Service::make();
    const auto extension = *service.extension_loaded("greeter@example");
    int quit[2];
    if (!service.tab_opened(tab, WindowId{1}) || !service.top_frame_attached(tab, document) || pipe(quit) != 0) {
        return 1;
    }

    std::atomic<bool> listening{false};
    std::thread site([&] {
        auto bell = std::make_shared<Bell>();
        auto event_loop = *EventLoop::make(service, [bell] { bell->ring(); });
        const auto script = *event_loop.attach(ContextDescription::content_script(extension, tab, top_frame, document));
        if (!event_loop.set_listening(script, PC_LISTENS_FOR_PORTS)) {
            return;
        }
        listening = true;
        run(event_loop, *bell, quit[0], [&](const Event& event) {
            event.visit(Handlers{
                [&](const Message& it) { event_loop.post(it.port, it.payload).ignore(); },
                [](const auto&) {},
            });
            return true;
        });
    });
    while (!listening) {
        std::this_thread::yield();
    }

    auto bell = std::make_shared<Bell>();
    auto event_loop = *EventLoop::make(service, [bell] { bell->ring(); });
    const auto background = *event_loop.attach(ContextDescription::background(extension));
    const auto port = *event_loop.connect_tab(background, TabTarget(tab));
    long heard = 0;
    if (!event_loop.post(port, "0")) {
        return 1;
    }
    run(event_loop, *bell, quit[0], [&](const Event& event) {
        event.visit(Handlers{
            [&](const Message&) {
                if (++heard < rounds) {
                    event_loop.post(port, std::to_string(heard)).ignore();
                }
            },
            [](const auto&) {},
        });
        return heard < rounds;
    });
    std::printf("%ld answers\n", heard);
    close(quit[1]);
    site.join();
    close(quit[0]);
    return heard == rounds ? 0 : 1;
}

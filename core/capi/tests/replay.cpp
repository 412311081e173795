// Runs recorded operation sequences over the C interface, and compares each answer and each event with the recorded one.
//
// A line is a call, its arguments, "=", and the answer. Loops, instances, contexts and ports are numbers in order of appearance.
// replay.rs records them.

#include <port_core.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

using namespace port_core;

namespace {

// Ids by number, in order of appearance.
template <class Id> class Numbered {
public:
    std::string enter(Id id) {
        ids_.push_back(id);
        numbers_[id] = ids_.size() - 1;
        return std::to_string(ids_.size() - 1);
    }
    Id at(const std::string& text) const { return ids_.at(std::stoull(text)); }
    std::string of(Id id) const { return std::to_string(numbers_.at(id)); }
    bool knows(Id id) const { return numbers_.count(id) != 0; }

private:
    std::vector<Id> ids_;
    std::map<Id, std::size_t> numbers_;
};

std::string payload_of(const std::string& text) {
    std::string bytes = text == "-" ? "" : text;
    std::replace(bytes.begin(), bytes.end(), '_', ' ');
    return bytes;
}

std::string shown_payload(std::string_view bytes) {
    std::string text(bytes);
    std::replace(text.begin(), text.end(), ' ', '_');
    return text.empty() ? "-" : text;
}

std::string name_of(const std::string& text) {
    return text == "-" ? "" : text;
}

template <class Id> std::string given(const Result<Id>& result, Numbered<Id>& numbered) {
    return std::to_string(result.status().number()) + " " + (result ? numbered.enter(*result) : "-");
}

class Replay {
public:
    // Makes a call, and returns its answer.
    std::string operator()(const std::string& call, std::istringstream& in) {
        arguments_ = &in;
        if (call == "service") return service();
        if (call == "event_loop") {
            loops_.push_back(*EventLoop::make(*service_));
            loop_ids_.push_back(loops_.back()->id());
            return "0";
        }
        if (auto fact = this->fact(call)) return *fact;
        const auto number = word_number();
        if (call == "event_loop_gone") return status(service_->event_loop_gone(loop_ids_.at(number)));
        if (call == "event_loop_crashed") return status(service_->event_loop_crashed(loop_ids_.at(number)));
        auto& event_loop = loops_.at(number);
        if (call == "drop") return event_loop.reset(), "0";
        return this->call(call, *event_loop);
    }

private:
    std::string word() {
        std::string word;
        if (!(*arguments_ >> word)) throw std::runtime_error("a line is too short");
        return word;
    }
    std::uint64_t word_number() { return std::stoull(word()); }
    std::uint32_t word_number_32() { return static_cast<std::uint32_t>(word_number()); }
    TabId tab() { return TabId{word_number()}; }
    FrameId frame() { return FrameId{word_number()}; }
    DocumentId document() {
        const auto high = word_number();
        return {high, word_number()};
    }
    static std::string status(Status status) { return std::to_string(status.number()); }

    std::string service() {
        loops_.clear();
        loop_ids_.clear();
        instances_ = {};
        contexts_ = {};
        ports_ = {};
        auto policies = sized<pc_policies>();
        for (auto* policy : {&policies.receiver_disconnects, &policies.receiver_lost, &policies.back_forward_cache,
                             &policies.document_target, &policies.opening_port, &policies.fan_out_order,
                             &policies.connect_listeners, &policies.discarded_tab, &policies.sender_lifecycle,
                             &policies.sender_context, &policies.cache_messages}) {
            *policy = word_number_32();
        }
        policies.cache_bytes = word_number();
        auto limits = sized<pc_limits>();
        for (auto* limit : {&limits.ports_per_context, &limits.external_ports_per_context, &limits.name_bytes,
                            &limits.names_per_context, &limits.unanswered_connects, &limits.description_bytes}) {
            *limit = word_number_32();
        }
        for (auto* limit : {&limits.message_bytes, &limits.window_messages, &limits.window_bytes,
                            &limits.lane_records, &limits.lane_bytes}) {
            *limit = word_number();
        }
        service_ = std::make_unique<Service>(*Service::make(&policies, &limits));
        return "0";
    }

    std::optional<std::string> fact(const std::string& call) {
        if (call == "tab_opened" || call == "tab_moved") {
            const auto tab = this->tab();
            const WindowId window{word_number()};
            return status(call == "tab_opened" ? service_->tab_opened(tab, window) : service_->tab_moved(tab, window));
        }
        if (call == "tab_closed") return status(service_->tab_closed(tab()));
        if (call == "tab_crashed") return status(service_->tab_crashed(tab()));
        if (call == "tab_discarded") {
            const auto tab = this->tab(), next = this->tab();
            const auto now = service_->tab_discarded(tab, next);
            return status(now.status()) + " " + std::to_string(now ? number(*now) : 0);
        }
        if (call == "frame_attached") {
            const auto tab = this->tab();
            const auto frame = this->frame();
            const auto parent = word();
            const auto document = this->document();
            if (parent == "-") return status(service_->top_frame_attached(tab, document));
            return status(service_->frame_attached(tab, frame, FrameId{std::stoull(parent)}, document));
        }
        if (call == "frame_navigated") {
            const auto tab = this->tab();
            const auto frame = this->frame();
            return status(service_->frame_navigated(tab, frame, document()));
        }
        if (call == "frame_removed") {
            const auto tab = this->tab();
            return status(service_->frame_removed(tab, frame()));
        }
        if (call == "document_cached") return status(service_->document_cached(document()));
        if (call == "document_restored") return status(service_->document_restored(document()));
        if (call == "document_evicted") return status(service_->document_evicted(document()));
        if (call == "extension_loaded") {
            const auto id = word();
            const auto external = word_number_32();
            const auto listed = word();
            return given(service_->extension_loaded(id, external, ids_in(listed), word_number_32()), instances_);
        }
        if (call == "stop_background") return status(service_->stop_background(instances_.at(word())));
        if (call == "give_up_background") {
            const auto instance = instances_.at(word());
            return status(service_->give_up_background(instance, static_cast<pc_status>(word_number())));
        }
        if (call == "next_wanted_background") {
            const auto wanted = service_->next_wanted_background();
            return wanted ? instances_.of(*wanted) : "-";
        }
        if (call == "extension_unloaded") return status(service_->extension_unloaded(instances_.at(word())));
        return std::nullopt;
    }

    std::string call(const std::string& call, EventLoop& event_loop) {
        if (call == "attach") return attach(event_loop);
        if (call == "detach") return status(event_loop.detach(contexts_.at(word())));
        if (call == "set_listening") {
            const auto context = contexts_.at(word());
            const auto listens = word_number_32();
            return status(event_loop.set_listening(context, listens, static_cast<std::uint16_t>(word_number())));
        }
        if (call == "connect_tab") {
            const auto opener = contexts_.at(word());
            const bool one_off = word() == "1";
            TabTarget target(tab());
            const auto frame = word(), high = word(), low = word(), name = name_of(word());
            if (frame != "-") target.frame(FrameId{std::stoull(frame)});
            if (high != "-") target.document({std::stoull(high), std::stoull(low)});
            if (one_off) target.one_off();
            return given(event_loop.connect_tab(opener, target.name(name)), ports_);
        }
        if (call == "connect_runtime") {
            const auto opener = contexts_.at(word());
            const bool one_off = word() == "1";
            const auto extension = name_of(word()), name = name_of(word());
            RuntimeTarget target;
            if (one_off) target.one_off();
            return given(event_loop.connect_runtime(opener, target.extension(extension).name(name)), ports_);
        }
        if (call == "disconnect") return event_loop.disconnect(ports_.at(word())) ? "1" : "0";
        if (call == "accept") return event_loop.accept(ports_.at(word())) ? "1" : "0";
        if (call == "refuse") return event_loop.refuse(ports_.at(word())) ? "1" : "0";
        if (call == "post") {
            const auto port = ports_.at(word());
            auto payload = payload_of(word());
            const auto format = word_number_32();
            const bool active = word() == "1";
            // Long ones are handed over.
            if (payload.size() <= 200) return status(event_loop.post(port, payload, format, active));
            const auto size = payload.size();
            const auto posted = event_loop.post_owned(port, std::move(payload), format, active);
            if (!posted && payload.size() != size) throw std::runtime_error("a refused message did not come back");
            return status(posted);
        }
        if (call == "next") return next(event_loop);
        throw std::runtime_error("unknown call");
    }

    /// Ids with commas between, or `-`.
    static std::vector<std::string_view> ids_in(std::string_view listed) {
        std::vector<std::string_view> ids;
        while (listed != "-" && !listed.empty()) {
            const auto comma = std::min(listed.find(','), listed.size());
            ids.push_back(listed.substr(0, comma));
            listed.remove_prefix(std::min(comma + 1, listed.size()));
        }
        return ids;
    }

    std::string attach(EventLoop& event_loop) {
        const auto kind = word_number();
        const auto owner = word();
        const auto instance = owner == "-" ? ExtensionInstance{0} : instances_.at(owner);
        const auto tab = this->tab();
        const auto frame = this->frame();
        const auto document = this->document();
        const auto listed = word();
        const auto admitted_by = ids_in(listed);
        const auto described = kind == PC_CONTENT_SCRIPT
            ? ContextDescription::content_script(instance, tab, frame, document)
            : kind == PC_BACKGROUND ? ContextDescription::background(instance)
            : kind == PC_PAGE       ? ContextDescription::page(instance)
            : kind == PC_WEB_PAGE   ? ContextDescription::web_page(admitted_by, tab, frame, document)
                                    : ContextDescription::page_in_tab(instance, tab, frame, document);
        const auto url = word(), origin = word();
        return given(event_loop.attach(described.url(url).origin(origin)), contexts_);
    }

    std::string next(EventLoop& event_loop) {
        const auto event = event_loop.next();
        if (!event) return event.status().number() == PC_NONE ? "none" : event.status().text();
        std::ostringstream out;
        const auto context = contexts_.of(event->context());
        event->visit(Handlers{
            [&](const Connected& it) {
                const auto sender = *event_loop.opener();
                out << "connect " << context << ' ' << ports_.enter(it.port) << ' ' << it.one_off << ' ' << it.name << ' '
                    << sender.kind() << ' ' << (sender.extension() ? instances_.of(*sender.extension()) : "-") << ' ' << sender.url() << ' '
                    << (sender.context() ? contexts_.of(*sender.context()) : "-") << ' ' << sender.lifecycle() << ' ' << it.undecided;
            },
            [&](const Message& it) {
                out << "message " << context << ' ' << ports_.of(it.port) << ' ' << shown_payload(it.payload) << ' '
                    << it.format << ' ' << it.user_activation;
            },
            [&](const Disconnected& it) {
                out << "disconnect " << context << ' ' << ports_.of(it.port) << ' ' << it.reason.number() << ' ' << it.not_listening;
            },
            [&](const Room& it) { out << "room " << context << ' ' << ports_.of(it.port); },
            [&](const ContextEnded& it) {
                out << "ended " << context << ' ' << it.reason.number() << ' ' << it.port_count;
                std::vector<std::size_t> known;
                for (const auto& ended : it) {
                    if (ports_.knows(PortId{ended.port})) known.push_back(std::stoull(ports_.of(PortId{ended.port})));
                }
                std::sort(known.begin(), known.end());
                for (const auto one : known) out << ' ' << one;
            },
        });
        return out.str();
    }

    std::istringstream* arguments_ = nullptr;
    std::unique_ptr<Service> service_;
    std::vector<std::optional<EventLoop>> loops_;
    std::vector<EventLoopId> loop_ids_;
    Numbered<ExtensionInstance> instances_;
    Numbered<ContextId> contexts_;
    Numbered<PortId> ports_;
};

// Ends that one fact causes come in no order, neither here nor in Rust. Whatever else is heard must be the same at once.
class Unordered {
public:
    // Returns whether this may be heard where that was recorded.
    bool may(const std::string& here, const std::string& recorded) {
        const bool both_end = kind(here) == kind(recorded) && (kind(here) == "ended" || kind(here) == "disconnect");
        if (!both_end) return here == recorded && differences_.empty();
        count(here, 1);
        count(recorded, -1);
        return true;
    }

private:
    static std::string kind(const std::string& event) { return event.substr(0, event.find(' ')); }
    void count(const std::string& event, int by) {
        if ((differences_[event] += by) == 0) differences_.erase(event);
    }

    std::map<std::string, int> differences_;
};

} // namespace

int main(int argc, char** argv) {
    std::ifstream recording(argc > 1 ? argv[1] : "operations.txt");
    Replay replay;
    std::string line, sequence;
    std::map<std::string, Unordered> heard;
    long operations = 0, events = 0;
    while (std::getline(recording, line)) {
        if (line.rfind('#', 0) == 0) {
            sequence = line;
            heard.clear();
            continue;
        }
        const auto equals = line.find("= ");
        const auto recorded = line.substr(equals + 2);
        std::istringstream arguments(line.substr(0, equals));
        std::string call;
        arguments >> call;
        const auto answer = replay(call, arguments);
        // "next" and the loop's number.
        const bool same = call == "next" ? heard[line.substr(0, equals)].may(answer, recorded) : answer == recorded;
        if (!same) {
            std::cerr << sequence << "\n" << line << "\nhere: " << answer << '\n';
            return 1;
        }
        ++operations;
        events += call == "next" && answer != "none";
    }
    std::cout << operations << " operations, " << events << " events\n";
}

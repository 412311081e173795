/* From nothing to a first message, in C: two event loops, both on this thread. */

#include <port_core.h>

#include <stdio.h>
#include <string.h>

#define TEXT(text) ((pc_string){text, strlen(text)})

static int failed(const char *call, pc_status status) {
    if (status != PC_OK) {
        fprintf(stderr, "%s: %s\n", call, pc_status_text(status));
    }
    return status != PC_OK;
}

#define TRY(call) \
    if (failed(#call, call)) return 1

int main(void) {
    const pc_document document = {0, 1};
    pc_service *service = NULL;
    pc_event_loop *here = NULL, *there = NULL;
    uint64_t extension = 0, background = 0, script = 0, port = 0;

    TRY(pc_service_new(NULL, NULL, 0, &service));
    TRY(pc_extension_loaded(service, TEXT("greeter@example"), PC_EXTERNAL_NOBODY, NULL, 0, 0, &extension));
    TRY(pc_tab_opened(service, 7, 1));
    TRY(pc_frame_attached(service, 7, PC_TOP_FRAME, NULL, document));

    TRY(pc_event_loop_new(service, NULL, &here));
    TRY(pc_event_loop_new(service, NULL, &there));
    pc_context_description described = {.size = sizeof described, .kind = PC_BACKGROUND, .extension = extension};
    TRY(pc_attach(here, &described, &background));
    described.kind = PC_CONTENT_SCRIPT;
    described.tab = 7;
    described.document = document;
    described.url = TEXT("https://example.org/");
    TRY(pc_attach(there, &described, &script));
    TRY(pc_set_listening(there, script, PC_LISTENS_FOR_PORTS, 0));

    pc_tab_target target = {.size = sizeof target, .tab = 7, .name = TEXT("greetings")};
    TRY(pc_connect_tab(here, background, &target, &port));
    TRY(pc_post(here, port, (const uint8_t *)"\"hello\"", 7, PC_JSON, 0));

    pc_event event = {.size = sizeof event};
    while (pc_next_event(there, &event) == PC_OK) {
        if (event.kind == PC_CONNECT) {
            printf("a port named %.*s\n", (int)event.name.length, event.name.data);
        } else if (event.kind == PC_MESSAGE) {
            printf("%.*s\n", (int)event.payload_length, (const char *)event.payload);
        }
    }
    TRY(pc_event_loop_free(here));
    TRY(pc_event_loop_free(there));
    pc_service_free(service);
    return 0;
}

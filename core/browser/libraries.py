#!/usr/bin/env python3
"""Runs messaging libraries from npm in the headless browser, and writes their table of docs/behaviour.md.

    core/browser/libraries.py

Each is installed in a temporary folder, bundled by esbuild into an extension of a background and a content script that
asks it something, and run under both profiles. Needs npm and its registry. The program is
target/release/examples/browser, or $BROWSER.
"""
import json
import os
import subprocess
import tempfile

BROWSER = os.path.abspath(os.environ.get("BROWSER", "target/release/examples/browser"))
ESBUILD = "esbuild@0.28"
# Modules of Node that streams are made with.
NODE = ["readable-stream@3", "events@3", "buffer@6"]

POLYFILL = dict(
    background="""import browser from "webextension-polyfill";
browser.runtime.onMessage.addListener(async (message) => [message, "answered"]);
browser.runtime.onConnect.addListener((port) => port.onMessage.addListener((message) => port.postMessage([message, "posted"])));""",
    content="""import browser from "webextension-polyfill";
const port = browser.runtime.connect({ name: "library" });
const posted = new Promise((resolve) => port.onMessage.addListener(resolve));
port.postMessage(2);
heard([await browser.runtime.sendMessage(1), await posted]);""",
    expected='[[1,"answered"],[2,"posted"]]',
)

# Name in the table: packages, what comes first in both scripts, the scripts, and what the content script is to hear.
LIBRARIES = {
    "webextension-polyfill, native": dict(packages=["webextension-polyfill@0.12"], **POLYFILL),
    "webextension-polyfill, wrapping": dict(packages=["webextension-polyfill@0.12"], first="globalThis.browser = undefined;", **POLYFILL),
    "webext-bridge": dict(
        packages=["webext-bridge@6"],
        background="""import { onMessage } from "webext-bridge/background";
onMessage("echo", ({ data, sender }) => [data, sender.context]);""",
        content="""import { sendMessage } from "webext-bridge/content-script";
heard(await sendMessage("echo", { a: 1 }, "background"));""",
        expected='[{"a":1},"content-script"]',
    ),
    "webext-messenger": dict(
        packages=["webext-messenger@0.36"],
        background="""import { registerMethods } from "webext-messenger";
registerMethods({ double: async (number) => 2 * number });""",
        content="""import { getMethod, backgroundTarget } from "webext-messenger";
heard(await getMethod("double", backgroundTarget)(21));""",
        expected="42",
    ),
    "comctx": dict(
        packages=["comctx@1"],
        background="""import { defineProxy } from "comctx";
const [provide] = defineProxy(() => ({ add: async (a, b) => a + b }), { namespace: "library" });
provide({
    sendMessage: async (message) => (await chrome.tabs.query({})).forEach((tab) => chrome.tabs.sendMessage(tab.id, message)),
    onMessage: (callback) => chrome.runtime.onMessage.addListener((message) => void callback(message)),
});""",
        content="""import { defineProxy } from "comctx";
const [, inject] = defineProxy(() => ({}), { namespace: "library" });
const calls = inject({
    sendMessage: (message) => void chrome.runtime.sendMessage(message),
    onMessage: (callback) => chrome.runtime.onMessage.addListener((message) => void callback(message)),
});
heard(await calls.add(20, 22));""",
        expected="42",
    ),
    "@webext-core/messaging": dict(
        packages=["@webext-core/messaging@4"],
        background="""import { defineExtensionMessaging } from "@webext-core/messaging";
defineExtensionMessaging().onMessage("length", ({ data }) => data.length);""",
        content="""import { defineExtensionMessaging } from "@webext-core/messaging";
heard(await defineExtensionMessaging().sendMessage("length", "hello world"));""",
        expected="11",
    ),
    "trpc-browser": dict(
        packages=["trpc-browser@1", "@trpc/server@10", "@trpc/client@10"],
        background="""import { initTRPC } from "@trpc/server";
import { createChromeHandler } from "trpc-browser/adapter";
const t = initTRPC.create({ isServer: false, allowOutsideOfServer: true });
createChromeHandler({ router: t.router({ greet: t.procedure.query(() => "hello") }) });""",
        content="""import { createTRPCProxyClient } from "@trpc/client";
import { chromeLink } from "trpc-browser/link";
heard(await createTRPCProxyClient({ links: [chromeLink({ port: chrome.runtime.connect() })] }).greet.query());""",
        expected='"hello"',
    ),
    "webext-redux": dict(
        packages=["webext-redux@4", "redux@5"],
        background="""import { createStore } from "redux";
import { createWrapStore } from "webext-redux";
createWrapStore()(createStore((state = { sum: 1 }, action) => (action.type === "add" ? { sum: state.sum + action.by } : state)));""",
        content="""import { Store } from "webext-redux";
const store = new Store();
await store.ready();
const before = store.getState().sum;
const changed = new Promise((resolve) => store.subscribe(resolve));
await store.dispatch({ type: "add", by: 41 });
await changed;
heard([before, store.getState().sum]);""",
        expected="[1,42]",
    ),
    "@metamask/post-message-stream": dict(
        packages=["@metamask/post-message-stream@10", *NODE],
        # It has no way to a tab: it is for pages of the extension.
        page=True,
        background="""import { BrowserRuntimePostMessageStream } from "@metamask/post-message-stream";
const stream = new BrowserRuntimePostMessageStream({ name: "background", target: "page" });
stream.on("data", (data) => stream.write([data, "heard"]));""",
        content="""import { BrowserRuntimePostMessageStream } from "@metamask/post-message-stream";
const stream = new BrowserRuntimePostMessageStream({ name: "page", target: "background" });
stream.on("data", heard);
stream.write("hello");""",
        expected='["hello","heard"]',
    ),
    "extension-port-stream": dict(
        packages=["extension-port-stream@5", *NODE],
        background="""import { ExtensionPortStream } from "extension-port-stream";
chrome.runtime.onConnect.addListener((port) => {
    const stream = new ExtensionPortStream(port);
    stream.on("data", (data) => stream.write([data, "heard"]));
});""",
        content="""import { ExtensionPortStream } from "extension-port-stream";
const stream = new ExtensionPortStream(chrome.runtime.connect());
stream.on("data", heard);
stream.write("hello");""",
        expected='["hello","heard"]',
    ),
}

MANIFEST = {
    "manifest_version": 3,
    "name": "library",
    "version": "1",
    "permissions": ["tabs", "scripting", "storage"],
    "host_permissions": ["<all_urls>"],
    "background": {"service_worker": "background.js", "scripts": ["background.js"]},
    "content_scripts": [{"matches": ["<all_urls>"], "js": ["content.js"]}],
}
# Node's globals, of which libraries for bundlers take that they are there.
FIRST = "globalThis.global ??= globalThis; globalThis.process ??= { env: {}, nextTick: (call, ...given) => queueMicrotask(() => call(...given)) };"


def npm(folder, *arguments):
    subprocess.run(["npm", *arguments], cwd=folder, check=True, capture_output=True, text=True)


def build(folder, library):
    """Makes the extension."""
    extension = os.path.join(folder, "extension")
    os.makedirs(extension, exist_ok=True)
    manifest = dict(MANIFEST)
    if "page" in library:
        del manifest["content_scripts"]
    with open(os.path.join(extension, "manifest.json"), "w") as file:
        json.dump(manifest, file)
    with open(os.path.join(folder, "buffer.mjs"), "w") as file:
        file.write('export { Buffer } from "buffer";' if NODE[0] in library["packages"] else "")
    with open(os.path.join(extension, "page.html"), "w") as file:
        file.write("<script src=content.js></script>")
    sources = {"background": library["background"]}
    # Imports come first; the rest is in a function, for it awaits.
    lines = library["content"].splitlines()
    imports = [line for line in lines if line.startswith("import ")]
    rest = [line for line in lines if not line.startswith("import ")]
    show = 'const heard = (value) => console.log("heard " + JSON.stringify(value));'
    sources["content"] = "\n".join([*imports, show, "(async () => {", *rest, "})();"])
    for name, source in sources.items():
        with open(os.path.join(folder, f"{name}.mjs"), "w") as file:
            file.write(source)
        banner = "--banner:js=" + FIRST + library.get("first", "")
        bundle = ["npx", "esbuild", f"{name}.mjs", "--bundle", "--format=iife", "--platform=browser", f"--outfile=extension/{name}.js", banner, "--inject:buffer.mjs", "--log-level=error"]
        subprocess.run(bundle, cwd=folder, check=True)
    return extension


def versions_of(folder, library):
    name = library["packages"][0].rsplit("@", 1)[0]
    with open(os.path.join(folder, "node_modules", name, "package.json")) as file:
        return json.load(file)["version"]


def run(extension, profile, library):
    command = [BROWSER, "--json", "--extension", extension, "--profile", profile, "--page", "https://example.org/", "--time", "6"]
    command += ["--open", "/page.html"] if "page" in library else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if any(line["event"] == "console" and line["text"] == "heard " + library["expected"] for line in lines):
        return "messages", None
    errors = [line["message"] for line in lines if line["event"] == "error"]
    return "fails", errors[0] if errors else "nothing is heard"


def main():
    print("| library | Chromium | Firefox | what went wrong |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        npm(folder, "init", "-y")
        packages = dict.fromkeys(package for library in LIBRARIES.values() for package in library["packages"])
        npm(folder, "install", "--no-audit", "--no-fund", ESBUILD, *packages)
        for name, library in LIBRARIES.items():
            extension = build(folder, library)
            results = [run(extension, profile, library) for profile in ("chromium", "firefox")]
            wrong = "; ".join(dict.fromkeys(error[:90] for _, error in results if error))
            print(f"| {name} {versions_of(folder, library)} | {results[0][0]} | {results[1][0]} | {wrong} |", flush=True)


if __name__ == "__main__":
    main()

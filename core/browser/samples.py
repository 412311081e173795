#!/usr/bin/env python3
"""Runs unpacked extensions in the headless browser, and writes the table of docs/behaviour.md.

    core/browser/samples.py FOLDER…

Every folder below the given ones that has a manifest.json and whose scripts message is run under both profiles, as it
is, and somebody uses it: opens a page that its content scripts are for and those that its scripts name, clicks its
button, gives its commands, chooses its menu items, types its keyword, opens its developer tools and its pages, presses
their buttons and types into what is there. Extensions that listen to others are run with their neighbours. The program
is target/release/examples/browser, or $BROWSER.
"""
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile

MESSAGING = re.compile(r"(runtime|tabs|extension)\s*\.\s*(sendMessage|sendRequest|connect|onMessage|onConnect|onRequest)\b")
PAGE = """<!doctype html><title>Example</title><h1>Example</h1>
<p>1600 Amphitheatre Parkway, Mountain View, CA 94043</p>
<p>A text with <a id="link" href="https://example.org/other">a link</a> and <img src="https://example.org/a.png">
<form><input name="q"><button type="button" id="button">press</button></form>"""
PROFILES = ("chromium", "firefox")
ABSENT = "not supported by this browser: "


def scripts_of(folder, endings=(".js", ".mjs", ".html")):
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "node_modules"]
        for name in files:
            if name.endswith(endings):
                with open(os.path.join(path, name), errors="replace") as file:
                    yield file.read()


def manifest_of(folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8-sig") as file:
        return json.loads(re.sub(r"^\s*//.*$", "", file.read(), flags=re.M))


def address_of(pattern):
    """A URL that a match pattern is for."""
    if pattern == "<all_urls>":
        return None
    scheme, _, rest = pattern.partition("://")
    host, _, path = rest.partition("/")
    host = host.replace("*.", "www.") if host != "*" else "example.org"
    return f"{scheme if scheme != '*' else 'https'}://{host}/{path.replace('*', '')}"


def pages_for(manifest, source):
    """Pages that the content scripts are for: first those that the scripts name themselves."""
    patterns = [pattern for entry in manifest.get("content_scripts") or [] for pattern in entry.get("matches", [])]
    made = [url for url in map(address_of, patterns) if url]
    named = [url for url in re.findall(r"""["'`](https?://[\w./-]+)""", source) if any(url.startswith(one) and url != one for one in made)]
    return list(dict.fromkeys([*named, *made]))[:3]


def buttons_of(folder):
    """The ids of buttons in the extension's pages."""
    found = []
    for text in scripts_of(folder, (".html",)):
        for tag in re.findall(r"<(?:button|input)\b[^>]*>", text):
            if tag.startswith("<button") or re.search(r"""type\s*=\s*["']?(button|submit)""", tag):
                found += re.findall(r"""\bid\s*=\s*["']?([\w-]+)""", tag)
    return list(dict.fromkeys(found))[:12]


def own_pages(folder):
    return [name for name in sorted(os.listdir(folder)) if name.endswith(".html")][:3]


def options_for(folder, source, manifest):
    """What somebody does who uses the extension."""
    options = []
    if any(key in manifest for key in ("action", "browser_action", "page_action")):
        options += ["--click"]
    for command in manifest.get("commands") or {}:
        options += ["--command", command]
    if "devtools_page" in manifest:
        options += ["--devtools"]
    if "enus.create" in source:
        ids = re.findall(r"""\bid:\s*["'`]([\w -]+)["'`]""", source)
        for item in sorted(set(ids))[:6] or ["1"]:
            options += ["--menu", item]
    if "omnibox" in manifest:
        options += ["--omnibox", manifest["omnibox"]["keyword"] + " tabs"]
    press = ["button", "input[type=button]", "input[type=submit]", "input[type=file]", *(f"#{name}" for name in buttons_of(folder)), "a"]
    pressed = [option for selector in press for option in ("--press", selector)]
    options += [*pressed, "--press", "input[name]", "--type", "hello"]
    for tab in ("1", "2"):
        # The last is what content scripts add: the page's own button is in a form.
        options += ["--tab", tab, *pressed[:2], "--press", "a", "--press", "body > button"]
    if not any(key in manifest for key in ("action", "browser_action", "page_action", "devtools_page", "content_scripts")):
        for page in own_pages(folder):
            options += ["--open", f"/{page}", *pressed]
    return options


def neighbours_of(folder, source):
    """Other extensions that it talks to: those beside it."""
    if "External" not in source and "management.getAll" not in source:
        return []
    around = os.path.dirname(folder)
    beside = [os.path.join(around, name) for name in sorted(os.listdir(around))]
    return [other for other in beside if other != folder and os.path.exists(os.path.join(other, "manifest.json"))]


def run(folder, source, profile, page, neighbours):
    browser = os.environ.get("BROWSER", "target/release/examples/browser")
    try:
        manifest = manifest_of(folder)
    except ValueError:
        manifest = {}
    pages = [option for url in pages_for(manifest, source) for option in ("--page", url, "--html", page)]
    pages += ["--page", "https://example.org/", "--html", page, "--page", "https://developer.mozilla.org/"]
    extensions = [option for one in [folder, *neighbours] for option in ("--extension", one)]
    command = [browser, "--json", *extensions, "--profile", profile, "--time", "8", *pages]
    command += options_for(folder, source, manifest)
    if "SHOW" in os.environ:
        print(" ".join(command), file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    heard = [line["context"] for line in lines if line["event"] == "message"]
    loaded, accepted = (any(line["event"] == event for line in lines) for event in ("extension", "accept"))
    texts = [line.get("text") or line.get("message") or "" for line in lines if line["event"] in ("console", "error")]
    absent = [text.split(ABSENT, 1)[1] for text in texts if ABSENT in text]
    absent += [text for text in texts if text.startswith("alert: ")]
    errors = [line["message"] for line in lines if line["event"] == "error" and "no extension has" not in line["message"]]
    if accepted and not heard and not absent and not errors:
        errors = ["ports open, and nothing is posted to them"]
    return loaded, heard, absent, errors


def found_in(root):
    """The extensions below a folder whose scripts message: their folders and sources."""
    for path, folders, files in os.walk(root):
        folders.sort()
        folders[:] = [name for name in folders if name != "node_modules"]
        if "manifest.json" in files:
            source = "\n".join(scripts_of(path))
            if MESSAGING.search(source):
                yield path, source


@contextlib.contextmanager
def page_to_open():
    with tempfile.NamedTemporaryFile("w", suffix=".html") as page:
        page.write(PAGE)
        page.flush()
        yield page.name


def try_out(folder, source, page, neighbours=()):
    """Runs it, beside its neighbours, under each profile: what to say of each, who heard a message, and why nobody did."""
    cells, listeners, reasons = {}, set(), []
    for profile in PROFILES:
        loaded, heard, absent, errors = run(folder, source, profile, page, neighbours)
        cells[profile] = "does not load" if not loaded else "messages" if heard else "loads"
        listeners.update(heard)
        if not heard:
            reasons += [reason for reason in dict.fromkeys(absent or errors) if reason not in reasons][:2]
    reason = "; ".join(re.sub(r"\s*\(of [^)]*\)", "", reason).replace("|", "/")[:90] for reason in reasons[:2])
    return cells, listeners, reason


def say_totals(results):
    counts = ", ".join(f"{profile} {sum(cells[profile] == 'messages' for cells in results)}" for profile in PROFILES)
    print(f"\n{len(results)} that message; got a message through: {counts}")


def main(roots):
    print("| extension | Chromium | Firefox | what is absent, or went wrong |\n|---|---|---|---|")
    results = []
    with page_to_open() as page:
        for root in roots:
            for folder, source in found_in(root):
                cells, _, reason = try_out(folder, source, page, neighbours_of(folder, source))
                name = os.path.relpath(folder, os.path.dirname(root.rstrip("/")))
                print(f"| {name} | {cells['chromium']} | {cells['firefox']} | {reason} |", flush=True)
                results.append(cells)
    say_totals(results)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])

#!/usr/bin/env python3
"""Runs unpacked extensions in the headless browser, and writes the table of docs/behaviour.md.

    core/browser/samples.py FOLDER…

Every folder below the given ones that has a manifest.json and whose scripts message is run under both profiles, as it
is: its button is clicked, its commands are given, its menu items chosen, its developer tools opened, and the first
button and link of whatever page is open are pressed. The program is target/release/examples/browser, or $BROWSER.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

MESSAGING = re.compile(r"(runtime|tabs|extension)\s*\.\s*(sendMessage|sendRequest|connect|onMessage|onConnect|onRequest)\b")
PAGE = """<!doctype html><title>Example</title><h1>Example</h1>
<p>A text with <a id="link" href="https://example.org/other">a link</a> and <img src="https://example.org/a.png">
<form><input name="q"><button type="button" id="button">press</button></form>"""
ABSENT = "not supported by this browser: "


def scripts_of(folder):
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "node_modules"]
        for name in files:
            if name.endswith((".js", ".mjs", ".html")):
                with open(os.path.join(path, name), errors="replace") as file:
                    yield file.read()


def manifest_of(folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8-sig") as file:
        return json.loads(re.sub(r"^\s*//.*$", "", file.read(), flags=re.M))


def options_for(folder, source):
    try:
        manifest = manifest_of(folder)
    except ValueError:
        return []
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
    return options + ["--press", "button", "--press", "input[type=button]", "--press", "a"]


def run(folder, source, profile, page):
    browser = os.environ.get("BROWSER", "target/release/examples/browser")
    pages = ["--page", "https://example.org/", "--html", page, "--page", "https://developer.mozilla.org/"]
    command = [browser, "--json", "--extension", folder, "--profile", profile, "--time", "6", *pages]
    done = subprocess.run(command + options_for(folder, source), capture_output=True, text=True, errors="replace", timeout=60)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    heard = sum(line["event"] == "message" for line in lines)
    loaded = any(line["event"] == "extension" for line in lines)
    texts = [line.get("text") or line.get("message") or "" for line in lines if line["event"] in ("console", "error")]
    absent = [text.split(ABSENT, 1)[1] for text in texts if ABSENT in text]
    errors = [line["message"] for line in lines if line["event"] == "error" and "no extension has" not in line["message"]]
    return loaded, heard, absent, errors


def main(roots):
    found = []
    for root in roots:
        for path, folders, files in os.walk(root):
            folders.sort()
            folders[:] = [name for name in folders if name != "node_modules"]
            if "manifest.json" in files:
                source = "\n".join(scripts_of(path))
                if MESSAGING.search(source):
                    found.append((os.path.relpath(path, os.path.dirname(root.rstrip("/"))), path, source))
    print("| extension | Chromium | Firefox | what is absent, or went wrong |\n|---|---|---|---|")
    totals = {"chromium": 0, "firefox": 0}
    with tempfile.NamedTemporaryFile("w", suffix=".html") as page:
        page.write(PAGE)
        page.flush()
        for name, folder, source in found:
            cells, reasons = [], []
            for profile in totals:
                loaded, heard, absent, errors = run(folder, source, profile, page.name)
                totals[profile] += heard > 0
                cells.append("does not load" if not loaded else "messages" if heard else "loads")
                if not heard:
                    reasons += [reason for reason in (absent or errors)[:2] if reason not in reasons]
            reason = "; ".join(re.sub(r"\s*\(of [^)]*\)", "", reason).replace("|", "/")[:90] for reason in reasons[:2])
            print(f"| {name} | {cells[0]} | {cells[1]} | {reason} |", flush=True)
    print(f"\n{len(found)} that message; got a message through: " + ", ".join(f"{profile} {count}" for profile, count in totals.items()))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])

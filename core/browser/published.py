#!/usr/bin/env python3
"""Runs published extensions in the headless browser, and writes their table of docs/behaviour.md.

    core/browser/published.py

The extensions are those that packages of npm hold, built, as folders or as the files of Chrome's store. They are
unpacked in a temporary folder, nothing of them is kept or installed, and each is used as samples.py uses samples. Needs
npm and its registry. The program is target/release/examples/browser, or $BROWSER.
"""
import concurrent.futures
import glob
import json
import os
import re
import tarfile
import tempfile
import zipfile

from libraries import npm
from samples import found_in, manifest_of, page_to_open, say_totals, try_out

PACKAGES = [
    "@tomjs/electron-devtools-files@2.0.48",
    "electron-devtools-vendor@3.0.0",
    "ember-inspector@4.13.1",
    "@electron/devtron@2.1.1",
]


def unpack(folder):
    """Fetches the packages, and unpacks them and the files of Chrome's store that they hold."""
    npm(folder, "pack", *PACKAGES)
    for file in glob.glob(os.path.join(folder, "*.tgz")):
        with tarfile.open(file) as archive:
            archive.extractall(file.removesuffix(".tgz"), filter="data")
    for file in glob.glob(os.path.join(folder, "**", "*.crx"), recursive=True):
        with zipfile.ZipFile(file) as archive:
            archive.extractall(file.removesuffix(".crx"))


def name_of(folder):
    """Its name, version and manifest's version; nothing where they are to be filled in yet, as in a template."""
    manifest = manifest_of(folder)
    if "{{" in manifest.get("version", ""):
        return None
    name = manifest.get("name", "")
    message = re.fullmatch(r"__MSG_(\w+)__", name)
    if message:
        locale = manifest.get("default_locale", "en")
        with open(os.path.join(folder, "_locales", locale, "messages.json"), encoding="utf-8-sig") as file:
            name = json.load(file)[message[1]]["message"]
    build = os.path.basename(folder)
    build = f", for {build.title()}" if build in ("chrome", "firefox") else ""
    return f"{name} {manifest.get('version')}{build} (MV{manifest.get('manifest_version')})"


def side_of(context):
    """What a context is, without its number."""
    return re.sub(r"^tab \d+", "tab", context)


def main():
    with tempfile.TemporaryDirectory() as folder, page_to_open() as page:
        unpack(folder)
        found = {}
        for path, source in found_in(folder):
            name = name_of(path)
            if name:
                found[name] = (path, source, page)
        print("| extension | Chromium | Firefox | heard by | what is absent, or went wrong |\n|---|---|---|---|---|")
        names = sorted(found, key=str.lower)
        results = []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for name, (cells, listeners, reason) in zip(names, pool.map(lambda name: try_out(*found[name]), names)):
                heard = ", ".join(sorted({side_of(context) for context in listeners}))
                print(f"| {name} | {cells['chromium']} | {cells['firefox']} | {heard} | {reason} |", flush=True)
                results.append(cells)
        say_totals(results)


if __name__ == "__main__":
    main()

// `location` and `history`.

/**
 * @param {object} native `parseUrl`, and for documents `go`, `reload`, `traverse`, `setDocumentUrl`, `documentUrl`
 * @param {object} world see main.js
 * @param {{later: Function, dispatch: Function}} page `dispatch` is the window's
 */
export function createNavigation(native, world, { later, dispatch }) {
    const hasDocument = !world.isWorker && native.documentUrl() !== undefined;
    const current = () => (hasDocument ? native.documentUrl() : world.url);
    const parts = () => JSON.parse(native.parseUrl(current(), undefined));
    // The states of the document's entries in the session history.
    let states = [null];
    let position = 0;

    function enter(state, replace) {
        position += replace ? 0 : 1;
        states = [...states.slice(0, position), state];
    }

    function resolve(url) {
        const parsed = native.parseUrl(String(url), current());
        if (parsed === undefined) {
            throw new SyntaxError(`'${url}' is not a valid URL.`);
        }
        return JSON.parse(parsed);
    }

    const withoutHash = (href) => href.replace(/#.*$/, "");

    function navigate(url, replace) {
        const target = resolve(url);
        if (!hasDocument) {
            return;
        }
        const before = current();
        const staysHere = target.href.includes("#") && withoutHash(target.href) === withoutHash(before);
        if (!staysHere) {
            native.go(target.href, replace);
        } else if (target.href !== before) {
            native.setDocumentUrl(target.href, replace);
            enter(null, replace);
            tellOfChange(before);
        }
    }

    function tellOfChange(oldURL) {
        later(0, () => dispatch({ type: "hashchange", oldURL, newURL: current() }));
    }

    const location = {};
    for (const name of ["href", "origin", "protocol", "host", "hostname", "port", "pathname", "search", "hash"]) {
        Object.defineProperty(location, name, {
            get: () => parts()[name],
            set(value) {
                if (name === "href") {
                    navigate(value, false);
                } else if (name === "hash") {
                    navigate(`#${String(value).replace(/^#/, "")}`, false);
                } else if (name === "search") {
                    navigate(`?${String(value).replace(/^\?/, "")}`, false);
                } else if (name === "pathname") {
                    navigate(String(value), false);
                }
            },
            enumerable: true,
        });
    }
    if (world.profile === "chromium") {
        location.ancestorOrigins = {};
    }
    location.assign = (url) => navigate(url, false);
    location.replace = (url) => navigate(url, true);
    location.reload = () => hasDocument && native.reload();
    location.toString = () => location.href;

    function change(given, url, replace) {
        enter(given === undefined ? null : given, replace);
        const href = url === undefined || url === null ? current() : resolve(url).href;
        if (hasDocument) {
            native.setDocumentUrl(href, replace);
        }
    }

    const history = {
        scrollRestoration: "auto",
        get length() {
            return states.length;
        },
        get state() {
            return states[position];
        },
        pushState: (given, title, url) => change(given, url, false),
        replaceState: (given, title, url) => change(given, url, true),
        go: (delta) => native.traverse(Math.trunc(Number(delta)) || 0),
        back: () => native.traverse(-1),
        forward: () => native.traverse(1),
    };

    return {
        location,
        history,
        navigate: (url) => navigate(url, false),
        /** The user went back or forward within the document. */
        traversed(delta) {
            position = Math.min(Math.max(0, position + delta), states.length - 1);
            dispatch({ type: "popstate", state: states[position] });
        },
    };
}

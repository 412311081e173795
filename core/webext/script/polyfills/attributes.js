// What elements give for attributes that are more than texts: `style`, `classList`, `dataset`.

const dashed = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `style`: kept and read back, and without an effect, for nothing is painted. */
export function createStyle() {
    const values = new Map();
    const methods = {
        setProperty: (name, value) => void values.set(name, String(value)),
        getPropertyValue: (name) => values.get(name) ?? "",
        removeProperty(name) {
            const value = values.get(name) ?? "";
            values.delete(name);
            return value;
        },
        get cssText() {
            return [...values].map(([name, value]) => `${name}: ${value};`).join(" ");
        },
        set cssText(text) {
            values.clear();
            for (const [, name, value] of String(text).matchAll(/([\w-]+)\s*:\s*([^;]+)/g)) {
                values.set(name, value.trim());
            }
        },
    };
    return new Proxy(methods, {
        get: (target, name) => (typeof name !== "string" || name in target ? target[name] : (values.get(dashed(name)) ?? "")),
        set(target, name, value) {
            if (name === "cssText") {
                target.cssText = value;
            } else if (value === "" || value === null) {
                values.delete(dashed(name));
            } else {
                values.set(dashed(name), String(value));
            }
            return true;
        },
    });
}

export function createClassList(element) {
    const read = () => element.className.split(/\s+/).filter((name) => name !== "");
    const write = (names) => element.setAttribute("class", [...new Set(names)].join(" "));
    return {
        contains: (name) => read().includes(name),
        add: (...names) => write([...read(), ...names]),
        remove: (...names) => write(read().filter((name) => !names.includes(name))),
        replace: (old, name) => write(read().map((known) => (known === old ? name : known))),
        toggle(name, force = !read().includes(name)) {
            write(force ? [...read(), name] : read().filter((known) => known !== name));
            return force;
        },
        item: (index) => read()[index] ?? null,
        get length() {
            return read().length;
        },
        get value() {
            return element.className;
        },
        toString: () => element.className,
        forEach: (visit) => read().forEach(visit),
        [Symbol.iterator]: () => read()[Symbol.iterator](),
    };
}

const dataName = (name) => `data-${dashed(name)}`;

export function createDataset(element) {
    return new Proxy(
        {},
        {
            get: (_, name) => (typeof name === "string" ? (element.getAttribute(dataName(name)) ?? undefined) : undefined),
            has: (_, name) => element.hasAttribute(dataName(name)),
            set(_, name, value) {
                element.setAttribute(dataName(name), value);
                return true;
            },
            deleteProperty(_, name) {
                element.removeAttribute(dataName(name));
                return true;
            },
        },
    );
}

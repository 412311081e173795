// `storage`: areas that the browser keeps for all contexts of an extension.

const keysParameter = { name: "keys", type: "string|array|object", optional: true };

/**
 * @param {object} world see host.d.ts
 * @param {object} tools see api.js
 */
export function createStorage(world, { calls, emitted }) {
    const isTrusted = world.kind !== "content-script";

    function createArea(name, quotas) {
        const withName = (values) => {
            values[values.length] = name;
        };
        const method = (member, parameters) => calls.method(`storage.${member}`, parameters, withName);
        return {
            get: method("get", [keysParameter]),
            getBytesInUse: method("getBytesInUse", [keysParameter]),
            getKeys: method("getKeys", []),
            set: method("set", [{ name: "items", type: "object" }]),
            remove: method("remove", [{ name: "keys", type: "string|array" }]),
            clear: method("clear", []),
            onChanged: emitted(`storage.${name}.onChanged`),
            ...quotas,
        };
    }

    const areas = {
        local: createArea("local", { QUOTA_BYTES: 10485760 }),
        sync: createArea("sync", { QUOTA_BYTES: 102400, QUOTA_BYTES_PER_ITEM: 8192, MAX_ITEMS: 512 }),
        managed: createArea("managed", {}),
        onChanged: emitted("storage.onChanged"),
    };
    if (isTrusted) {
        areas.session = createArea("session", { QUOTA_BYTES: 10485760 });
        areas.session.setAccessLevel = calls.method("storage.setAccessLevel", [{ name: "accessOptions", type: "object" }]);
    }
    return areas;
}

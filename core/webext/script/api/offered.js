// What not every host carries out: it is there where the host offers it, and else absent as everything that is.

const optional = { optional: true };
const text = (name, rest) => ({ name, type: "string", ...rest });
const object = (name, rest) => ({ name, type: "object", ...rest });

/** `notifications`, which a person sees. */
function createNotifications({ calls, emitted }) {
    const one = (member, parameters) => calls.method(`notifications.${member}`, parameters);
    return {
        PermissionLevel: { DENIED: "denied", GRANTED: "granted" },
        TemplateType: { BASIC: "basic", IMAGE: "image", LIST: "list", PROGRESS: "progress" },
        create: one("create", [text("notificationId", optional), object("options")]),
        update: one("update", [text("notificationId"), object("options")]),
        clear: one("clear", [text("notificationId")]),
        getAll: one("getAll", []),
        getPermissionLevel: one("getPermissionLevel", []),
        onButtonClicked: emitted("notifications.onButtonClicked"),
        onClicked: emitted("notifications.onClicked"),
        onClosed: emitted("notifications.onClosed"),
        onPermissionLevelChanged: emitted("notifications.onPermissionLevelChanged"),
        onShown: emitted("notifications.onShown"),
    };
}

/** Adds it to the API of a page of the extension. */
export function addOffered(api, { offers, extension }, tools) {
    const { calls } = tools;
    const isOffered = (name) => offers !== undefined && offers.includes(name);
    if (isOffered("notifications") && extension.permissions.includes("notifications")) {
        api.notifications = createNotifications(tools);
    }
    if (isOffered("tabs.captureVisibleTab")) {
        const window = { name: "windowId", type: "integer", ...optional };
        api.tabs.captureVisibleTab = calls.method("tabs.captureVisibleTab", [window, object("options", optional)]);
    }
}

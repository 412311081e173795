// The parts of the extension APIs that have no effect here: constants, events that never
// fire, namespaces that every extension of Chromium has. Scripts ask whether they are there.

/** Each value under its name in capitals: `A_B` for `"a-b"`. */
function constants(...values) {
    return Object.fromEntries(values.map((value) => [value.toUpperCase().replaceAll("-", "_"), value]));
}

/** Those of `runtime`. */
export const runtimeConstants = {
    ContextType: constants("BACKGROUND", "DEVELOPER_TOOLS", "OFFSCREEN_DOCUMENT", "POPUP", "SIDE_PANEL", "TAB"),
    OnInstalledReason: constants("chrome_update", "install", "shared_module_update", "update"),
    OnRestartRequiredReason: constants("app_update", "os_update", "periodic"),
    PlatformArch: constants("arm", "arm64", "mips", "mips64", "ppc64", "riscv64", "x86-32", "x86-64"),
    PlatformNaclArch: constants("arm", "mips", "mips64", "ppc64", "x86-32", "x86-64"),
    PlatformOs: constants("android", "cros", "linux", "mac", "openbsd", "win"),
    RequestUpdateCheckStatus: constants("no_update", "throttled", "update_available"),
};

const windowType = constants("app", "custom-tab", "devtools", "normal", "panel", "popup");

const tabs = {
    MutedInfoReason: constants("capture", "extension", "user"),
    TabStatus: constants("complete", "loading", "unloaded"),
    WindowType: windowType,
    ZoomSettingsMode: constants("automatic", "disabled", "manual"),
    ZoomSettingsScope: constants("per-origin", "per-tab"),
    MAX_CAPTURE_VISIBLE_TAB_CALLS_PER_SECOND: 2,
    SPLIT_VIEW_ID_NONE: -1,
    TAB_ID_NONE: -1,
    TAB_INDEX_NONE: -1,
};

const scripting = {
    ExecutionWorld: constants("ISOLATED", "MAIN"),
    StyleOrigin: constants("AUTHOR", "USER"),
};

const webNavigation = {
    TransitionQualifier: constants("client_redirect", "forward_back", "from_address_bar", "server_redirect"),
    TransitionType: constants(
        "auto_bookmark",
        "auto_subframe",
        "form_submit",
        "generated",
        "keyword",
        "keyword_generated",
        "link",
        "manual_subframe",
        "reload",
        "start_page",
        "typed",
    ),
};

const windows = {
    CreateType: constants("normal", "panel", "popup"),
    WindowState: constants("fullscreen", "locked-fullscreen", "maximized", "minimized", "normal"),
    WindowType: windowType,
};

const management = {
    ExtensionDisabledReason: constants("permissions_increase", "unknown"),
    ExtensionInstallType: constants("admin", "development", "normal", "other", "sideload"),
    ExtensionType: constants(
        "extension",
        "hosted_app",
        "legacy_packaged_app",
        "login_screen_extension",
        "packaged_app",
        "theme",
    ),
    LaunchType: constants("OPEN_AS_PINNED_TAB", "OPEN_AS_REGULAR_TAB", "OPEN_AS_WINDOW", "OPEN_FULL_SCREEN"),
};

const silentEvents = {
    runtime: [
        "onBrowserUpdateAvailable",
        "onEnabled",
        "onRestartRequired",
        "onUserScriptConnect",
        "onUserScriptMessage",
    ],
    tabs: ["onAttached", "onDetached", "onHighlighted", "onMoved", "onZoomChange"],
    windows: ["onBoundsChanged"],
};

/**
 * Adds to the API of an extension page what Chromium has besides.
 *
 * @param {object} api
 * @param {object} extension see main.js
 * @param {{emitted: Function}} tools see api.js
 */
export function addSurface(api, { instance }, { emitted }) {
    api.dom = { openOrClosedShadowRoot: () => null };
    api.extension.ViewType = constants("popup", "tab");
    Object.assign(api.management, management);
    api.runtime.dynamicId = instance;
    for (const [namespace, values] of Object.entries({ runtime: runtimeConstants, scripting, tabs, webNavigation, windows })) {
        Object.assign(api[namespace] ?? {}, values);
    }
    for (const [namespace, names] of Object.entries(silentEvents)) {
        for (const name of api[namespace] === undefined ? [] : names) {
            api[namespace][name] = emitted(`${namespace}.${name}`);
        }
    }
}

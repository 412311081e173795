// What scripts of an extension find in their world where there is no web platform: `browser` and
// `chrome`, the console, timers, and as much of a page as content scripts commonly touch.
//
// `install` is called once for each world, before any script of the extension. It
// takes the native functions and a description of the world (see host.d.ts), and gives back
// the functions by which the host delivers tasks to it. Each delivery is one task; the
// host runs a microtask checkpoint behind it.

import { createApi, createPageApi } from "../api/api.js";
import { createChrome } from "../api/chrome.js";
import { after, apply, indirectEval, parse, toText } from "../api/intrinsics.js";
import { createProfile } from "../api/profile.js";
import { wellFormedJson } from "../api/text.js";
import { installConsole } from "./console.js";
import { installEncoding } from "./encoding.js";
import { installPage } from "./page.js";
import { installPlatform, platform } from "./platform.js";
import { installTimers } from "./timers.js";
import { createUncaught } from "./uncaught.js";
import { installUrl } from "./url.js";
import { addWorkerGlobals } from "./worker.js";

/**
 * @param {object} native functions of the host
 * @param {object} world see host.d.ts
 * @returns {{deliver: object, calls: object}} how tasks reach the world, by the names of events;
 *   and what makes further asynchronous methods, see calls.js
 */
export function install(native, world) {
    const profile = createProfile(world.profile, platform);
    const builtIn = new Set(Object.getOwnPropertyNames(globalThis));
    installConsole(native);
    const uncaught = createUncaught(native, profile);
    // In Firefox content scripts do not hear of errors.
    const isPagesOwn = world.kind === "main";
    const isTelling = profile.tellsContentScripts || (world.kind !== "content-script" && !isPagesOwn);
    const telling = isTelling ? { ...native, reportException: uncaught.report } : native;
    const { timer, later } = installTimers(telling);
    installUrl(native);
    installEncoding();
    installPlatform(native, world);
    const { uncaught: tellOfUncaught, ...page } = installPage(telling, world, later);
    uncaught.listen(tellOfUncaught);
    // What listeners of the extension API throw is an error of Firefox's extension pages.
    const isTold = profile.tellsOfListeners && world.kind !== "content-script";
    const web = { ...platform, later };
    const { api, chrome, deliver, calls } = isPagesOwn
        ? createPagesOwn(native, profile, world, web)
        : createApi(isTold ? telling : native, world, web);
    // What comes from the browser is not listed among the globals of the scripts.
    for (const name of Object.getOwnPropertyNames(globalThis).filter((name) => !builtIn.has(name))) {
        // A window lists itself, which makes it a circle.
        Object.defineProperty(globalThis, name, { enumerable: name === "window" });
    }
    if (world.isWorker) {
        addWorkerGlobals();
    }
    // Data properties in both engines; scripts may shadow them.
    if (api !== undefined) {
        globalThis.browser = api;
    }
    if (chrome !== undefined) {
        globalThis.chrome = chrome;
    }
    const rejected = (reason, promise) =>
        isTelling && tellOfUncaught({ type: "unhandledrejection", cancelable: true, reason, promise });
    const executions = createExecutions(native, profile.tellsOfExecuted ? uncaught.report : () => {});
    return { __proto__: null, calls, deliver: { __proto__: null, ...deliver, ...page, timer, rejected, ...executions } };
}

/** What a page's own world has, and what is delivered about it. */
function createPagesOwn(native, profile, world, web) {
    const { api, deliver } = world.isAdmitted ? createPageApi(native, world, web) : { api: undefined, deliver: toNobody };
    return { api, chrome: createChrome(profile, world, api), deliver, calls: undefined };
}

/** What is delivered about the extension API where there is none. */
const toNobody = { connect() {}, message() {}, disconnect() {}, answer() {}, emit() {}, invalidated() {} };

/** Runs functions given as text, or scripts, and answers under a number; `report` is told of what they throw. */
function createExecutions(native, report) {
    const fail = (number) => (error) => native.executed(number, undefined, toText(error));

    function answer(number, run) {
        let result;
        try {
            result = run();
        } catch (error) {
            fail(number)(error);
            report(error);
            return;
        }
        const succeed = (value) => {
            try {
                native.executed(number, wellFormedJson(value), undefined);
            } catch (error) {
                fail(number)(error);
            }
        };
        after(result, succeed, fail(number));
    }

    return {
        __proto__: null,
        execute(source, argumentsJson, number) {
            // In the global scope, as a script of its own.
            answer(number, () => apply(indirectEval(`(${source})`), undefined, parse(argumentsJson)));
        },
        inject(scriptsJson, number) {
            const scripts = parse(scriptsJson);
            answer(number, () => {
                let value;
                for (let index = 0; index < scripts.length; index += 1) {
                    value = native.evaluate(scripts[index].url, scripts[index].text);
                }
                return value;
            });
        },
    };
}

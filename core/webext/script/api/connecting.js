// `runtime.connect` and `runtime.sendMessage`, of extensions and of pages of the web.

import { createChecker } from "./arguments.js";
import { createSendArguments } from "./send_arguments.js";

const string = (name, rest) => ({ name, type: "string", ...rest });
const flag = { name: "includeTlsChannelId", type: "boolean" };
const optional = { optional: true };
const extensionId = string("extensionId", optional);

/**
 * @param {object} tools see port.js and one_off.js
 * @param {(extension: any, method: object) => string | undefined} reached the extension that is meant by what a
 *   script gives; undefined for its own; throws where none is
 */
export function createConnecting({ native, profile, createPort, oneOff }, reached) {
    const connectInfo = { name: "connectInfo", type: "object", properties: [string("name"), flag], ...optional };
    const checkConnect = createChecker(profile, "runtime.connect", [extensionId, connectInfo]);
    const sendParameters = [
        extensionId,
        { name: "message", type: "any" },
        { name: "options", type: "object", properties: [flag], ...optional },
        { name: "callback", type: "function", ...optional },
    ];
    const checkSend = createChecker(profile, "runtime.sendMessage", sendParameters);
    const readSent = createSendArguments(profile, checkSend);

    /** The extension to reach. */
    function target({ method }, given) {
        const extension = reached(given, method);
        const error = extension === undefined ? undefined : profile.invalidExtension(method, extension);
        if (error !== undefined) {
            throw error;
        }
        return extension;
    }

    return {
        connect(...given) {
            // By their numbers: taking an array apart calls its iterator.
            const values = checkConnect(given);
            const name = profile.portName(values[1]) ?? "";
            const extension = target(checkConnect, values[0]);
            const number = native.connectRuntime(extension, profile.sendName(name), false);
            return createPort(number, name, undefined);
        },
        sendMessage(...given) {
            const sent = readSent(given);
            if (sent.error !== undefined) {
                return oneOff.fail(sent.error, sent.callback);
            }
            const extension = target(checkSend, sent.id);
            const connect = () => native.connectRuntime(extension, "", true);
            return oneOff.send(checkSend.method, connect, sent.message, sent.callback);
        },
    };
}

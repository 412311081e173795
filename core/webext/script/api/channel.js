// One end of a channel: what a port does, and what is done to it.

import { Listeners, createEvent } from "./event.js";
import { NewError, ownClass } from "./intrinsics.js";
import { refused } from "./refusal.js";

// States of a channel. While its end is under way, posts go nowhere; while it is told,
// events can still be made.
const OPEN = 0;
const ENDING = 1;
const TELLING = 2;
const CLOSED = 3;

/**
 * Makes the class of a world's channels: `new Channel(number, senderJson)`.
 *
 * @param {object} tools see port.js
 */
export function createChannelClass({ native, profile, lastError, codec, later, channels }) {
    const none = new Listeners(native, profile);

    class Channel {
        constructor(number, senderJson) {
            this.number = number;
            if (senderJson !== undefined) {
                this.senderJson = senderJson;
            }
            channels.set(number, this);
        }

        /** `postMessage`. */
        post(message) {
            if (this.state >= TELLING) {
                throw new NewError(this.isInvalid ? "Extension context invalidated." : profile.closedPort);
            }
            if (this.state === ENDING) {
                codec.encode(message);
                return;
            }
            const refusal = codec.post(this.number, message);
            if (refusal !== undefined) {
                throw refused(profile, refusal);
            }
        }

        /** `disconnect`, called by a script of this side. */
        disconnectHere() {
            if (this.state < TELLING) {
                channels.delete(this.number);
                native.disconnect(this.number);
                this.close();
            } else if (this.isInvalid) {
                throw new NewError("Extension context invalidated.");
            }
        }

        close() {
            this.state = CLOSED;
            this.port = undefined;
            if (profile.forgetsListeners) {
                this.messageListeners?.clear();
                this.endListeners?.clear();
            }
        }

        /** A message came. */
        message(message) {
            if (this.state < TELLING) {
                this.messageListeners?.dispatchTwo(codec.decode(message), this.port);
            }
        }

        /** The channel ended from elsewhere. */
        disconnect(reason) {
            channels.delete(this.number);
            if (reason === "ExtensionUnloaded") {
                this.isInvalid = true;
            }
            if (profile.reachedNobody(reason)) {
                // In browsers the answer comes from another process.
                this.state = ENDING;
                later(profile.roundTrip, () => this.state === ENDING && this.end(reason));
            } else {
                this.end(reason);
            }
        }

        end(reason) {
            const { port } = this;
            const text = profile.disconnectErrors[reason];
            // Closed before its listeners hear of it: what they post is refused.
            this.state = TELLING;
            if (profile.portsHaveError) {
                port.error = text === undefined ? null : new NewError(text);
                this.endListeners?.dispatchOne(port);
            } else if (this.endListeners !== undefined || text !== undefined) {
                lastError.during(text, () => this.endListeners?.dispatchOne(port));
            }
            this.close();
        }

        /** `onMessage`, made when it is first asked for: none is made after the port's end. */
        get onMessage() {
            if (this.messageEvent === undefined) {
                this.refuseToBegin("onMessage");
                this.messageListeners = none.another();
                this.messageEvent = createEvent(this.messageListeners, profile);
            }
            return this.messageEvent;
        }

        /** `onDisconnect`, made likewise. */
        get onDisconnect() {
            if (this.endEvent === undefined) {
                this.refuseToBegin("onDisconnect");
                this.endListeners = none.another();
                this.endEvent = createEvent(this.endListeners, profile);
            }
            return this.endEvent;
        }

        /** Throws once the port has ended. */
        refuseToBegin(name) {
            if (this.state === CLOSED) {
                throw new NewError(`Failed to read the '${name}' property from 'Object': Extension context invalidated.`);
            }
        }
    }

    // Inherited until it changes: a property of its own costs an object as much as a call.
    const { prototype } = Channel;
    prototype.state = OPEN;
    // JSON, at the side that did not open the channel.
    prototype.senderJson = undefined;
    // Whether it ended with the extension.
    prototype.isInvalid = false;
    prototype.isOneOff = false;
    prototype.sender = undefined;
    // Until it is closed: what is closed is in no circle, and gone with its last user.
    prototype.port = undefined;
    prototype.messageListeners = undefined;
    prototype.messageEvent = undefined;
    prototype.endListeners = undefined;
    prototype.endEvent = undefined;
    ownClass(Channel);
    return Channel;
}

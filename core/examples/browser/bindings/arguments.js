// Checking arguments as browsers do: at once, by throwing, with their texts. Whether
// a tab or frame exists is never checked here.
//
// A parameter is `{name, type, optional?, minimum?, properties?}`; `properties` are
// parameters again. `undefined` and `null` stand for an optional argument left out, and
// are values where the type is "any".

/**
 * Makes the checker of a method's arguments.
 *
 * @param {object} profile the browser to follow
 * @param {string} name such as "tabs.connect"
 * @param {object[]} parameters
 * @returns {(given: any[]) => any[]} gives one value for each parameter,
 *   `undefined` for those left out; throws when the arguments do not fit. Its
 *   property `method` is what errors about the method are made from
 */
export function createChecker(profile, name, parameters) {
    const method = { name, signature: parameters.map(describe).join(", ") };

    const check = (given) => {
        const values = assign(profile, parameters, given);
        if (values === undefined) {
            throw profile.noSignature(method);
        }
        for (let index = 0; index < parameters.length; index += 1) {
            if (values[index] !== undefined) {
                values[index] = checkWithin(profile, method, parameters[index], values[index]);
            }
        }
        return values;
    };
    check.method = method;
    return check;
}

function describe({ name, type, optional }) {
    return `${optional ? "optional " : ""}${type} ${name}`;
}

/** Gives each argument to the next parameter that takes its type, skipping optional ones. */
function assign(profile, parameters, given) {
    const values = [];
    let next = 0;
    // Loops by numbers here: they are a tenth of what iterators take.
    for (let index = 0; index < parameters.length; index += 1) {
        const parameter = parameters[index];
        const value = given[next];
        const isLeftOut = value === undefined || value === null;
        if (parameter.type === "any" && next < given.length) {
            values.push(value);
            next += 1;
        } else if (isLeftOut && parameter.optional) {
            values.push(undefined);
            next += 1;
        } else if (!isLeftOut && hasType(profile, parameter.type, value)) {
            values.push(value);
            next += 1;
        } else if (parameter.optional) {
            values.push(undefined);
        } else {
            return undefined;
        }
    }
    return next < given.length ? undefined : values;
}

function hasType(profile, type, value) {
    switch (type) {
        case "integer":
            return Number.isInteger(value) && Math.abs(value) <= profile.greatestInteger;
        case "integer|array":
            return hasType(profile, "integer", value) || (Array.isArray(value) && value.every(Number.isInteger));
        case "string|array":
            return typeof value === "string" || (Array.isArray(value) && value.every((item) => typeof item === "string"));
        case "array":
            return Array.isArray(value);
        case "object":
            return typeof value === "object" && !Array.isArray(value);
        default:
            return typeof value === type;
    }
}

/**
 * Checks what only counts once the overload is known: ranges and properties. Gives the
 * value; of an object a copy, with the properties that are its own.
 */
function checkWithin(profile, method, parameter, value) {
    if (parameter.minimum !== undefined && value < parameter.minimum) {
        throw profile.badArgument(method, parameter.name, { problem: { minimum: parameter.minimum, value } });
    }
    if (parameter.properties === undefined) {
        return value;
    }
    const refusal = profile.notPlain(toTag.call(value).slice(8, -1));
    if (refusal !== undefined) {
        throw profile.badArgument(method, parameter.name, { problem: { text: refusal } });
    }
    const { properties } = parameter;
    const keys = Object.keys(value);
    for (let index = 0; index < keys.length; index += 1) {
        if (!isKnown(properties, keys[index])) {
            throw profile.unexpectedProperty(method, parameter.name, keys[index]);
        }
    }
    const copy = {};
    for (let index = 0; index < properties.length; index += 1) {
        const property = properties[index];
        const inner = ownProperty(profile, method, parameter, value, property.name);
        if (inner === undefined || inner === null) {
            continue;
        }
        copy[property.name] = inner;
        if (!hasType(profile, property.type, inner)) {
            const problem = { expected: property.type, value: inner };
            throw profile.badArgument(method, parameter.name, { property: property.name, problem });
        }
        if (property.minimum !== undefined && inner < property.minimum) {
            const problem = { minimum: property.minimum, value: inner };
            throw profile.badArgument(method, parameter.name, { property: property.name, problem });
        }
    }
    return copy;
}

const toTag = Object.prototype.toString;
const { getOwnPropertyDescriptor } = Object;

/** What inherits nothing, and what a getter throws, which in Firefox is not asked. */
function ownProperty(profile, method, parameter, object, name) {
    const own = getOwnPropertyDescriptor(object, name);
    if (own?.get === undefined || !profile.asksGetters) {
        return own?.value;
    }
    try {
        return object[name];
    } catch {
        throw profile.badArgument(method, parameter.name, { problem: { text: "Script threw an error." } });
    }
}

function isKnown(properties, name) {
    for (let index = 0; index < properties.length; index += 1) {
        if (properties[index].name === name) {
            return true;
        }
    }
    return false;
}

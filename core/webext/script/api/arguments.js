// Checking arguments as browsers do: at once, by throwing, with their texts. Whether
// a tab or frame exists is never checked here.
//
// A parameter is `{name, type, optional?, minimum?, properties?}`; `properties` are
// parameters again. `undefined` and `null` stand for an optional argument left out, and
// are values where the type is "any".

import {
    createSet,
    getOwnPropertyDescriptor,
    hasOwn,
    isArray,
    isInteger,
    keys,
    list,
    slice,
    toTag,
} from "./intrinsics.js";

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
    const method = { __proto__: null, name, signature: parameters.map(describe).join(", ") };
    const prepared = prepareAll(profile, parameters);

    const check = (given) => {
        const values = assign(prepared, given);
        if (values === undefined) {
            throw profile.noSignature(method);
        }
        for (let index = 0; index < prepared.length; index += 1) {
            if (values[index] !== undefined) {
                values[index] = checkWithin(profile, method, prepared[index], values[index]);
            }
        }
        return values;
    };
    check.method = method;
    return check;
}

// Called before any script runs, as all of this that makes checkers.
const prepareAll = (profile, parameters) => list(...parameters.map((parameter) => prepare(profile, parameter)));

/** A parameter with the test of its type, and its properties by their names. */
function prepare(profile, { name, type, optional, minimum, properties }) {
    const names = createSet();
    properties?.forEach((property) => names.add(property.name));
    return {
        __proto__: null,
        name,
        type,
        minimum,
        isAny: type === "any",
        isOptional: optional === true,
        fits: testOf(profile, type),
        properties: properties && prepareAll(profile, properties),
        names,
    };
}

function describe({ name, type, optional }) {
    return `${optional ? "optional " : ""}${type} ${name}`;
}

/** Gives each argument to the next parameter that takes its type, skipping optional ones. */
function assign(parameters, given) {
    const values = list();
    let next = 0;
    // Loops by numbers here: they are a tenth of what iterators take.
    for (let index = 0; index < parameters.length; index += 1) {
        const parameter = parameters[index];
        const value = next < given.length ? given[next] : undefined;
        const isLeftOut = value === undefined || value === null;
        if (parameter.isAny && next < given.length) {
            values[index] = value;
            next += 1;
        } else if (isLeftOut && parameter.isOptional) {
            values[index] = undefined;
            next += 1;
        } else if (!isLeftOut && parameter.fits(value)) {
            values[index] = value;
            next += 1;
        } else if (parameter.isOptional) {
            values[index] = undefined;
        } else {
            return undefined;
        }
    }
    return next < given.length ? undefined : values;
}

/** Whether each item of an array is of a kind. */
function every(array, fits) {
    for (let index = 0; index < array.length; index += 1) {
        if (!fits(array[index])) {
            return false;
        }
    }
    return true;
}

const isText = (value) => typeof value === "string";

/** The test of a type. */
function testOf(profile, type) {
    const { greatestInteger } = profile;
    const isSmallInteger = (value) => isInteger(value) && value <= greatestInteger && value >= -greatestInteger;
    switch (type) {
        case "integer":
            return isSmallInteger;
        case "integer|array":
            return (value) => isSmallInteger(value) || (isArray(value) && every(value, isInteger));
        case "integer|object":
            return (value) => isSmallInteger(value) || (typeof value === "object" && !isArray(value));
        case "string|array|object":
            return (value) => isText(value) || typeof value === "object";
        case "string|array":
            return (value) => isText(value) || (isArray(value) && every(value, isText));
        case "array":
            return isArray;
        case "object":
            return (value) => typeof value === "object" && !isArray(value);
        default:
            return (value) => typeof value === type;
    }
}

/**
 * Checks what only counts once the overload is known: ranges and properties. Gives the
 * value; of an object a copy, with the properties that are its own.
 */
function checkWithin(profile, method, parameter, value) {
    const { minimum, properties, names } = parameter;
    if (minimum !== undefined && value < minimum) {
        throw profile.badArgument(method, parameter.name, { __proto__: null, minimum, value });
    }
    if (properties === undefined) {
        return value;
    }
    const refusal = profile.notPlain?.(slice(toTag(value), 8, -1));
    if (refusal !== undefined) {
        throw profile.badArgument(method, parameter.name, { __proto__: null, text: refusal });
    }
    const given = keys(value);
    for (let index = 0; index < given.length; index += 1) {
        if (!names.has(given[index])) {
            throw profile.unexpectedProperty(method, parameter.name, given[index]);
        }
    }
    const copy = { __proto__: null };
    for (let index = 0; index < properties.length; index += 1) {
        const property = properties[index];
        // What is inherited does not count.
        const inner = hasOwn(value, property.name) ? read(profile, method, parameter, value, property.name) : undefined;
        if (inner === undefined || inner === null) {
            continue;
        }
        copy[property.name] = inner;
        if (!property.fits(inner)) {
            const problem = { __proto__: null, expected: property.type, value: inner };
            throw profile.badArgument(method, parameter.name, problem, property.name);
        }
        if (property.minimum !== undefined && inner < property.minimum) {
            const problem = { __proto__: null, minimum: property.minimum, value: inner };
            throw profile.badArgument(method, parameter.name, problem, property.name);
        }
    }
    return copy;
}

/** The value of a property; a getter is not asked in Firefox. */
function read(profile, method, parameter, object, name) {
    if (!profile.asksGetters) {
        const descriptor = getOwnPropertyDescriptor(object, name);
        return descriptor !== undefined && hasOwn(descriptor, "value") ? descriptor.value : undefined;
    }
    try {
        return object[name];
    } catch {
        throw profile.badArgument(method, parameter.name, { __proto__: null, text: "Script threw an error." });
    }
}

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
    const prepared = parameters.map((parameter) => prepare(profile, parameter));

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

/** A parameter with the test of its type, and its properties by their names. */
function prepare(profile, parameter) {
    const properties = parameter.properties?.map((property) => prepare(profile, property));
    return {
        ...parameter,
        isAny: parameter.type === "any",
        isOptional: parameter.optional === true,
        fits: testOf(profile, parameter.type),
        properties,
        names: properties && new Set(properties.map((property) => property.name)),
    };
}

function describe({ name, type, optional }) {
    return `${optional ? "optional " : ""}${type} ${name}`;
}

/** Gives each argument to the next parameter that takes its type, skipping optional ones. */
function assign(parameters, given) {
    const values = [];
    let next = 0;
    // Loops by numbers here: they are a tenth of what iterators take.
    for (let index = 0; index < parameters.length; index += 1) {
        const parameter = parameters[index];
        const value = given[next];
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

/** The test of a type. */
function testOf(profile, type) {
    const { isInteger } = Number;
    const { isArray } = Array;
    const { greatestInteger } = profile;
    const isSmallInteger = (value) => isInteger(value) && value <= greatestInteger && value >= -greatestInteger;
    switch (type) {
        case "integer":
            return isSmallInteger;
        case "integer|array":
            return (value) => isSmallInteger(value) || (isArray(value) && value.every(isInteger));
        case "string|array":
            return (value) => typeof value === "string" || (isArray(value) && value.every((item) => typeof item === "string"));
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
        throw profile.badArgument(method, parameter.name, { problem: { minimum, value } });
    }
    if (properties === undefined) {
        return value;
    }
    const refusal = profile.notPlain?.(toTag.call(value).slice(8, -1));
    if (refusal !== undefined) {
        throw profile.badArgument(method, parameter.name, { problem: { text: refusal } });
    }
    const keys = Object.keys(value);
    for (let index = 0; index < keys.length; index += 1) {
        if (!names.has(keys[index])) {
            throw profile.unexpectedProperty(method, parameter.name, keys[index]);
        }
    }
    const copy = {};
    for (let index = 0; index < properties.length; index += 1) {
        const property = properties[index];
        // What is inherited does not count.
        const inner = hasOwn(value, property.name) ? read(profile, method, parameter, value, property.name) : undefined;
        if (inner === undefined || inner === null) {
            continue;
        }
        copy[property.name] = inner;
        if (!property.fits(inner)) {
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
const { getOwnPropertyDescriptor, hasOwn } = Object;

/** The value of a property; a getter is not asked in Firefox. */
function read(profile, method, parameter, object, name) {
    if (!profile.asksGetters) {
        return getOwnPropertyDescriptor(object, name)?.value;
    }
    try {
        return object[name];
    } catch {
        throw profile.badArgument(method, parameter.name, { problem: { text: "Script threw an error." } });
    }
}

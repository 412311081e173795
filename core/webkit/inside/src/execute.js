// Runs what `scripting.executeScript` is given, and answers.
//
// Evaluated as a function of the native function to answer with, and either a value or a function with its arguments.
((native, run, argumentsText) => {
    "use strict";
    const fail = (thrown) => void native(false, String(thrown));
    const succeed = (value) => {
        try {
            native(true, value === undefined ? undefined : JSON.stringify(value));
        } catch (error) {
            fail(error);
        }
    };
    try {
        const result = argumentsText === undefined ? run : run(...JSON.parse(argumentsText));
        Promise.resolve(result).then(succeed, fail);
    } catch (error) {
        fail(error);
    }
});

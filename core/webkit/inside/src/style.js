// Styles the document, or takes a style away: what `insertCSS` and `removeCSS` do. In the world of `document.js`.
//
// Evaluated as a function of the CSS and whether it is inserted. No policy of the page keeps the sheets out, and the
// page finds them among its adopted ones.
((css, isInserted) => {
    "use strict";
    const inserted = (globalThis.portCoreStyles ??= []);
    if (isInserted) {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(css);
        inserted.push({ css, sheet });
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
        return;
    }
    const at = inserted.findLastIndex((known) => known.css === css);
    if (at >= 0) {
        const [{ sheet }] = inserted.splice(at, 1);
        document.adoptedStyleSheets = [...document.adoptedStyleSheets].filter((known) => known !== sheet);
    }
});

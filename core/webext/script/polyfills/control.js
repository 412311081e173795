// What elements do as parts of forms, and for a person: values, what follows a click, the focus.

import { queries } from "./selector.js";
import { Node } from "./tree.js";

/** What a user or a script made of a form's controls. */
const stateOf = new WeakMap();

/** The element that has the focus. */
let focused;

export const focusedElement = () => (focused?.isConnected ? focused : undefined);

/** An element, as a person uses it. */
export class Control extends Node {
    get value() {
        if (this.tagName === "SELECT") {
            return this.selectedOptions[0]?.value ?? "";
        }
        const fallback = this.tagName === "TEXTAREA" ? this.textContent : this.getAttribute("value");
        return stateOf.get(this)?.value ?? fallback ?? (this.tagName === "OPTION" ? this.textContent.trim() : "");
    }

    set value(value) {
        if (this.tagName === "SELECT") {
            this.options.forEach((option) => {
                option.selected = option.value === String(value);
            });
        } else if (this.tagName === "OPTION") {
            this.setAttribute("value", value);
        } else {
            this.change({ value: value === null ? "" : String(value) });
        }
    }

    get valueAsNumber() {
        return Number(this.value);
    }

    get checked() {
        return stateOf.get(this)?.checked ?? this.hasAttribute("checked");
    }

    set checked(value) {
        this.change({ checked: Boolean(value) });
    }

    get selected() {
        return stateOf.get(this)?.selected ?? this.hasAttribute("selected");
    }

    set selected(value) {
        this.change({ selected: Boolean(value) });
    }

    change(state) {
        stateOf.set(this, { ...stateOf.get(this), ...state });
    }

    get options() {
        return queries(this).all("option");
    }

    get selectedOptions() {
        const { options } = this;
        const chosen = options.filter((option) => option.selected);
        return chosen.length > 0 ? chosen : options.slice(0, 1);
    }

    get selectedIndex() {
        return this.options.indexOf(this.selectedOptions[0]);
    }

    set selectedIndex(index) {
        this.options.forEach((option, at) => {
            option.selected = at === index;
        });
    }

    get form() {
        return this.closest("form");
    }

    get elements() {
        return queries(this).all("input, select, textarea, button");
    }

    /** As a user's click: what follows by default follows, unless a listener prevents it. */
    click() {
        const isBox = this.tagName === "INPUT" && ["checkbox", "radio"].includes(this.type);
        const before = this.checked;
        if (isBox) {
            this.checked = this.type === "radio" || !before;
        }
        const follows = this.happen("click");
        if (isBox && !follows) {
            this.checked = before;
        } else if (isBox) {
            this.happen("input");
            this.happen("change");
        } else if (follows) {
            this.followClick();
        }
    }

    followClick() {
        const { form } = this;
        const isSubmit = this.tagName === "BUTTON" ? this.type === "" || this.type === "submit" : this.tagName === "INPUT" && this.type === "submit";
        if (isSubmit && form !== null) {
            form.happen("submit", { bubbles: true, cancelable: true, submitter: this });
        } else if (this.tagName === "LABEL" && this.htmlFor !== "") {
            globalThis.document.getElementById(this.htmlFor)?.click();
        }
    }

    submit() {}

    requestSubmit() {
        this.happen("submit");
    }

    reset() {
        this.elements.forEach((element) => stateOf.delete(element));
    }

    focus() {
        if (this.isConnected && focused !== this) {
            focused?.blur();
            focused = this;
            this.happen("focus", {});
        }
    }

    blur() {
        if (focused === this) {
            focused = undefined;
            this.happen("blur", {});
        }
    }

    select() {}

    /** Of a `dialog`. */
    show() {
        this.open = true;
    }

    showModal() {
        this.open = true;
    }

    close() {
        this.open = false;
        this.happen("close", {});
    }
}

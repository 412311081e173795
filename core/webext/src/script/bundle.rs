//! Modules into one classic script.

use std::fmt::Write as _;

/// An ECMAScript module of this package.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// The file's name without its ending.
    pub name: &'static str,
    /// Its source.
    pub source: &'static str,
}

/// Returns one classic script that does what the modules do; its value is what the last exports.
///
/// Each module becomes a function of its own in strict mode, so nothing of it is global. The modules
/// are ours: they import by name from files beside them, and export declarations.
///
/// # Panics
/// When a module imports one that does not come before it.
pub fn bundle(modules: &[Module]) -> String {
    // No parentheses around functions: a parser that meets one reads on to its end to see whether an
    // arrow follows, and then once more, which was half of the time that a world took.
    let mut script = String::from("0, function () {\n\"use strict\";\n");
    for (index, module) in modules.iter().enumerate() {
        let (body, exports) = rewrite(module, &modules[..index]);
        let _ = writeln!(
            script,
            "function load_{0}() {{\n{body}return {{ __proto__: null, {1} }};\n}}\nconst ${0} = load_{0}();",
            module.name,
            exports.join(", ")
        );
    }
    let last = modules.last().map_or("undefined".to_owned(), |module| format!("${}", module.name));
    let _ = writeln!(script, "return {last};\n}}()");
    script
}

/// The statements of a module without its imports and exports, and the names that it exports.
fn rewrite(module: &Module, before: &[Module]) -> (String, Vec<&'static str>) {
    let mut body = String::with_capacity(module.source.len());
    let mut exports = Vec::new();
    let mut rest = module.source;
    while !rest.is_empty() {
        if let Some(import) = rest.strip_prefix("import {") {
            let (names, after) = import.split_once("} from \"").expect("names and a file");
            let (file, after) = after.split_once("\";").expect("a file in quotes");
            let name = file.rsplit('/').next().and_then(|file| file.strip_suffix(".js")).expect("a module");
            assert!(
                before.iter().any(|known| known.name == name),
                "{} imports {name}, which is to come before it",
                module.name
            );
            let _ = write!(body, "const {{{}}} = ${name};", names.replace(" as ", ": "));
            rest = after;
            continue;
        }
        let (line, after) = rest.split_at(rest.find('\n').map_or(rest.len(), |end| end + 1));
        let declared = line.strip_prefix("export ");
        exports.extend(declared.map(exported));
        body.push_str(declared.unwrap_or(line));
        rest = after;
    }
    (body, exports)
}

/// The name that a declaration declares.
fn exported(declaration: &'static str) -> &'static str {
    let after = ["function ", "class ", "const "].iter().find_map(|word| declaration.strip_prefix(word));
    let after = after.expect("a declaration of a function, a class or a constant");
    after.split(|character: char| !character.is_alphanumeric() && character != '_').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::{API, POLYFILLS, api, with_polyfills};
    use super::{Module, bundle};

    #[test]
    fn imports_and_exports_become_constants() {
        let first = Module { name: "first", source: "export const one = 1;\nexport function two() {}\n" };
        let second = Module {
            name: "second",
            source: "// A comment.\nimport {\n    one,\n    two as deux,\n} from \"../x/first.js\";\n\nexport class Three {\n}\n",
        };
        assert_eq!(
            bundle(&[first, second]),
            "0, function () {\n\"use strict\";\n\
             function load_first() {\nconst one = 1;\nfunction two() {}\n\
             return { __proto__: null, one, two };\n}\nconst $first = load_first();\n\
             function load_second() {\n// A comment.\nconst {\n    one,\n    two: deux,\n} = $first;\n\nclass Three {\n}\n\
             return { __proto__: null, Three };\n}\nconst $second = load_second();\n\
             return $second;\n}()\n"
        );
    }

    #[test]
    #[should_panic(expected = "second imports first")]
    fn a_module_comes_after_those_that_it_imports() {
        bundle(&[Module { name: "second", source: "import { one } from \"./first.js\";\n" }]);
    }

    /// A script of a page may replace every global: the API never looks at them but at its start, and
    /// sets none.
    #[test]
    fn the_api_names_no_global_object() {
        for module in API.iter().filter(|module| module.name != "intrinsics") {
            for (number, line) in module.source.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default().trim_start();
                let names = !code.starts_with('*') && code.contains("globalThis");
                assert!(!names, "{}.js:{}: {line}", module.name, number + 1);
            }
        }
    }

    #[test]
    fn every_file_is_in_the_bundle() {
        for (script, modules) in [(api(), API), (with_polyfills(), POLYFILLS)] {
            for module in modules {
                assert!(script.contains(&format!("const ${} = ", module.name)), "{}", module.name);
            }
        }
    }
}

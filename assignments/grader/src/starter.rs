//! Turns a reference solution into the starter that students receive: leaves out the lines between two markers.
//!
//! ```text
//! // SOLUTION what is to be done      becomes  todo!("what is to be done")
//! …                                            (left out)
//! // STARTER                                   (optional: the lines below then replace the todo)
//! //| code
//! // END
//! ```

use anyhow::{Context, Result, bail, ensure};

/// Gives the starter of a reference file.
pub fn starter(reference: &str) -> Result<String> {
    let mut out = String::new();
    let mut lines = reference.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let (indent, text) = line.split_at(line.len() - line.trim_start().len());
        ensure!(!["// END", "// STARTER"].contains(&text), "line {}: {text} has no // SOLUTION above it", number + 1);
        let Some(task) = text.strip_prefix("// SOLUTION") else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let block = lines.by_ref().map(|(_, line)| line.trim_start());
        let block: Vec<&str> = until_end(block).with_context(|| format!("line {}: // SOLUTION", number + 1))?;
        let given = block.iter().position(|line| *line == "// STARTER");
        let Some(given) = given else {
            // The text is a format string of `todo!`, in which braces are special.
            let task = task.trim().replace('{', "{{").replace('}', "}}");
            out.push_str(&format!("{indent}todo!({task:?})\n"));
            continue;
        };
        for line in &block[given + 1..] {
            let code = line
                .strip_prefix("//|")
                .with_context(|| format!("a line below // STARTER does not begin with //|: {line}"))?;
            let code = code.strip_prefix(' ').unwrap_or(code);
            out.push_str(format!("{indent}{code}").trim_end());
            out.push('\n');
        }
    }
    Ok(out)
}

fn until_end<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<&'a str>> {
    let mut block = Vec::new();
    for line in lines {
        match line {
            "// END" => return Ok(block),
            line if line.starts_with("// SOLUTION") => bail!("another one comes before its // END"),
            line => block.push(line),
        }
    }
    bail!("has no // END")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solution_becomes_a_todo_or_the_code_that_is_given() {
        let reference = "fn f() -> u8 {\n    // SOLUTION say {1}\n    1\n    // END\n}\n";
        assert_eq!(starter(reference).unwrap(), "fn f() -> u8 {\n    todo!(\"say {{1}}\")\n}\n");
        let reference = "    // SOLUTION\n    1\n    // STARTER\n    //| if x {\n    //|     2\n    //|\n    // END\n";
        assert_eq!(starter(reference).unwrap(), "    if x {\n        2\n\n");
    }

    #[test]
    fn markers_come_in_pairs() {
        for wrong in ["// SOLUTION\n", "// END\n", "// STARTER\n", "// SOLUTION\n// SOLUTION\n// END\n"] {
            assert!(starter(wrong).is_err(), "{wrong}");
        }
    }
}

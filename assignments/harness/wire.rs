//! Arguments and outputs of a student's functions as text: one line for a value, `2x3: v v v v v v`; a single number is
//! `: v`. The grader and the program that calls a submission share this file.

use std::fmt;
use std::str::FromStr;

/// Numbers with their shape: `[]` for one number, `[n]` for a vector, `[r, c]` for a matrix, `[n, c, h, w]` for images.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

impl Value {
    pub fn scalar(value: f64) -> Self {
        Self { shape: Vec::new(), values: vec![value] }
    }

    pub fn vector(values: Vec<f64>) -> Self {
        Self { shape: vec![values.len()], values }
    }

    /// Gives an output the shape of this input. If the number of values differs, it is a vector, and the comparison
    /// reports it.
    pub fn like(&self, values: Vec<f64>) -> Self {
        if values.len() == self.values.len() {
            Self { shape: self.shape.clone(), values }
        } else {
            Self::vector(values)
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let shape: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        write!(formatter, "{}:", shape.join("x"))?;
        self.values.iter().try_for_each(|value| write!(formatter, " {value:?}"))
    }
}

impl FromStr for Value {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let wrong = || format!("not a value: {:.60}", line);
        let (shape, values) = line.split_once(':').ok_or_else(wrong)?;
        let sizes = shape.split('x').filter(|size| !size.is_empty());
        let shape: Vec<usize> = sizes.map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let values: Vec<f64> =
            values.split_whitespace().map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let count = shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
        if count == Some(values.len()) { Ok(Self { shape, values }) } else { Err(wrong()) }
    }
}

/// The outputs of a call, or why there are none.
pub type Answer = Result<Vec<Value>, String>;

/// Writes a call for the program.
pub fn write_call(function: &str, arguments: &[Value]) -> String {
    lines(format!("call {function}"), arguments)
}

/// Writes an answer for the grader.
pub fn write_answer(answer: &Answer) -> String {
    match answer {
        Ok(values) => lines("ok".into(), values),
        Err(why) => lines(format!("error {}", why.replace('\n', " ")), &[]),
    }
}

fn lines(head: String, values: &[Value]) -> String {
    let body: String = values.iter().map(|value| format!("{value}\n")).collect();
    format!("{head}\n{body}end\n")
}

/// Splits a text into blocks, each with its first line. A block without its `end` is left out.
pub fn blocks(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, Vec<&str>)> = None;
    for line in text.lines() {
        match (&mut open, line) {
            (None, head) => open = Some((head, Vec::new())),
            (Some(_), "end") => blocks.extend(open.take()),
            (Some((_, body)), line) => body.push(line),
        }
    }
    blocks
}

/// Reads the complete answers in a text.
pub fn read_answers(text: &str) -> Vec<Answer> {
    let answer = |(head, body): (&str, Vec<&str>)| match head.strip_prefix("error ") {
        Some(why) => Err(why.to_owned()),
        None if head == "ok" => body.into_iter().map(str::parse).collect(),
        None => Err("the answer cannot be read".to_owned()),
    };
    blocks(text).into_iter().map(answer).collect()
}

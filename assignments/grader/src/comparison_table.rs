//! Part of chapter 16's table: the row of a submission, and rows of the book's normalization layers for comparison.

use crate::call::ExpectedCall;
use crate::compare::{describe, number};
use crate::value::Value;

/// The columns of a row: four accuracies from 0 to 1, and two other measures.
const COLUMNS: [&str; 6] = ["MLP, 32", "MLP, 2", "all rates", "CNN, 32", "effective β", "evaluation gap"];
const ACCURACIES: usize = 4;
/// The accuracy that the MLP must reach with batches of 32; guessing reaches 0.1.
const LEARNED: f64 = 0.3;

pub struct ComparisonTable {
    rows: Vec<Row>,
}

struct Row {
    name: String,
    values: [f64; COLUMNS.len()],
}

impl ComparisonTable {
    /// Reads a row from the answer to each call; the called function names the row. The error tells the student why an
    /// answer is no row.
    pub fn read(calls: &[ExpectedCall], answers: &[&[Value]]) -> Result<Self, String> {
        let row = |(call, answer): (&ExpectedCall, &&[Value])| {
            let [value] = answer else { return Err(format!("{}: expected one vector", call.function)) };
            let values = value.values.as_slice().try_into();
            let values: [f64; COLUMNS.len()] = values.map_err(|_| {
                format!("{}: expected a vector of {}, got {}", call.function, COLUMNS.len(), describe(value))
            })?;
            for (column, (value, name)) in values.iter().zip(COLUMNS).enumerate() {
                let fits = value.is_finite() && (column >= ACCURACIES || (0.0..=1.0).contains(value));
                if !fits {
                    return Err(format!("{}: {name} is {value}", call.function));
                }
            }
            Ok(Row { name: call.function.clone(), values })
        };
        let rows: Vec<Row> = calls.iter().zip(answers).map(row).collect::<Result<_, _>>()?;
        if rows.is_empty() { Err("expected rows, got none".to_owned()) } else { Ok(Self { rows }) }
    }

    /// Says that the MLP of the first row has not learned; `None` if it has.
    pub fn learning_failure(&self) -> Option<String> {
        let best = self.rows[0].values[0];
        (best < LEARNED).then(|| {
            let (best, learned) = (number(best), number(LEARNED));
            format!(
                "with this layer and batches of 32 the MLP has a test accuracy of {best}; \
                 it needs {learned}, and guessing reaches 0.1"
            )
        })
    }

    /// The score on a leaderboard: the mean of the first row's accuracies, in percent.
    pub fn score(&self) -> f64 {
        100.0 * self.rows[0].values[..ACCURACIES].iter().sum::<f64>() / ACCURACIES as f64
    }

    pub fn text(&self) -> String {
        let names = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let cell =
            |column: usize, text: &str| format!("  {text:>width$}", width = COLUMNS[column].chars().count().max(7));
        let line = |name: &str, cells: [String; COLUMNS.len()]| {
            let cells: String = cells.iter().enumerate().map(|(column, text)| cell(column, text)).collect();
            format!("{name:names$}{cells}\n")
        };
        let values = |row: &Row| {
            let of = |column| {
                if column < ACCURACIES {
                    format!("{:.1} %", 100.0 * row.values[column])
                } else {
                    number(row.values[column])
                }
            };
            line(&row.name, std::array::from_fn(of))
        };
        let rows: String = self.rows.iter().map(values).collect();
        let score = self.score();
        format!(
            "{}{rows}Leaderboard: {score:.2}, the mean of the four accuracies in percent\n",
            line("", COLUMNS.map(str::to_owned))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(row: &[f64]) -> Result<ComparisonTable, String> {
        let call = |function: &str| ExpectedCall {
            function: function.into(),
            arguments: Vec::new(),
            expected: Vec::new(),
            mistakes: Vec::new(),
        };
        let (yours, none) = ([Value::vector(row.to_vec())], [Value::vector(vec![0.5, 0.5, 0.5, 0.5, 12.0, 0.0])]);
        ComparisonTable::read(&[call("yours"), call("none")], &[&yours, &none])
    }

    #[test]
    fn the_score_is_the_mean_accuracy_in_percent() {
        let table = table(&[0.8, 0.6, 0.4, 0.2, 3.25, 0.0]).unwrap();
        assert!((table.score() - 50.0).abs() < 1e-12 && table.learning_failure().is_none());
        let text = table.text();
        assert!(text.contains("yours   80.0 %   60.0 %     40.0 %   20.0 %         3.25               0\n"), "{text}");
        assert!(text.contains("Leaderboard: 50.00"), "{text}");
    }

    #[test]
    fn a_row_is_six_numbers_in_their_ranges() {
        let refusal = |row: &[f64]| table(row).err().unwrap();
        assert_eq!(refusal(&[0.5]), "yours: expected a vector of 6, got a vector of 1");
        assert_eq!(refusal(&[0.5, 1.5, 0.5, 0.5, 1.0, 0.0]), "yours: MLP, 2 is 1.5");
        assert_eq!(refusal(&[0.5, 0.5, 0.5, 0.5, f64::NAN, 0.0]), "yours: effective β is NaN");
        let guess = table(&[0.1, 0.5, 0.5, 0.5, 1.0, 0.0]).unwrap();
        assert!(guess.learning_failure().unwrap().contains("a test accuracy of 0.1;"));
    }
}

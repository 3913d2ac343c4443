//! A table: figures in named columns, as CSV and as Markdown.

use super::row;
use std::{env, error::Error, fmt::Write as _, fs, path::Path, thread};

/// Figures in named columns.
pub struct Table {
    /// Of the files.
    pub name: &'static str,
    /// What it shows, in one sentence.
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// The commit when the table was begun: writing it is a change, too.
    commit: String,
}

impl Table {
    /// An empty table from a line of names.
    pub fn new(name: &'static str, title: String, columns: &str) -> Self {
        Self {
            name,
            title,
            columns: columns.split(',').map(Into::into).collect(),
            rows: Vec::new(),
            commit: row::commit(),
        }
    }

    /// Adds a line of figures, and shows it.
    pub fn push(&mut self, line: &str) {
        if self.rows.is_empty() {
            println!("{}", self.columns.join(","));
        }
        println!("{line}");
        let row: Vec<String> = line.split(',').map(Into::into).collect();
        assert_eq!(row.len(), self.columns.len(), "a figure for each column");
        self.rows.push(row);
    }

    /// The figures of a column. Panics if there is no such column, or if it holds something else.
    pub fn figures(&self, column: &str) -> Vec<f64> {
        let index = self.index(column);
        let figures = self.rows.iter().map(|row| row[index].parse());
        figures
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("column {column:?}: {error}"))
    }

    /// Writes `NAME.csv` with all columns, and `NAME.md` with `shown` (column, heading) and the plot `NAME.svg`.
    pub fn write(&self, out: &Path, shown: &[(&str, &str)]) -> Result<(), Box<dyn Error>> {
        fs::create_dir_all(out)?;
        let lines = self.rows.iter().map(|row| row.join(","));
        let lines: Vec<_> = [self.columns.join(",")].into_iter().chain(lines).collect();
        fs::write(
            out.join(self.name).with_extension("csv"),
            lines.join("\n") + "\n",
        )?;
        fs::write(
            out.join(self.name).with_extension("md"),
            self.markdown(shown)?,
        )?;
        Ok(())
    }

    fn markdown(&self, shown: &[(&str, &str)]) -> Result<String, Box<dyn Error>> {
        let mut text = String::new();
        let command: Vec<_> = env::args().skip(1).collect();
        writeln!(text, "{}\n", self.title)?;
        writeln!(
            text,
            "Commit {}, {}, by `cargo run --release -p drystone-simulator --no-default-features --example scaling -- {}`.\n",
            self.commit,
            machine(),
            command.join(" ")
        )?;
        let headings: Vec<_> = shown.iter().map(|(_, heading)| *heading).collect();
        writeln!(text, "| {} |", headings.join(" | "))?;
        writeln!(text, "|{}", "---|".repeat(shown.len()))?;
        for row in &self.rows {
            let cells: Vec<_> = shown
                .iter()
                .map(|(column, _)| row[self.index(column)].as_str())
                .collect();
            writeln!(text, "| {} |", cells.join(" | "))?;
        }
        writeln!(text, "\n![{}]({}.svg)", self.name, self.name)?;
        Ok(text)
    }

    fn index(&self, column: &str) -> usize {
        let index = self.columns.iter().position(|it| it == column);
        index.unwrap_or_else(|| panic!("{column:?} is not a column of {:?}", self.columns))
    }
}

/// The processor, and how many of it.
fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim())
    };
    let model = field("model name").unwrap_or("an unnamed processor");
    let mhz = field("cpu MHz").unwrap_or("unknown");
    format!("{cores} cores of {model} at {mhz} MHz")
}

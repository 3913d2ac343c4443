//! A table: figures in named columns, shown and written as CSV.

use comfy_table::{Table as Shown, presets::ASCII_MARKDOWN};
use std::{error::Error, fs, path::Path};

/// Figures in named columns.
pub struct Table<const N: usize> {
    columns: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub const fn new(columns: [&'static str; N]) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    pub fn push(&mut self, row: [String; N]) {
        self.rows.push(row);
    }

    /// Shows it, and writes it into a file.
    pub fn write(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let mut shown = Shown::new();
        shown.load_preset(ASCII_MARKDOWN).set_header(self.columns);
        shown.add_rows(self.rows.iter().cloned());
        println!("{shown}");
        let lines = self.rows.iter().map(|row| row.join(","));
        let lines: Vec<_> = [self.columns.join(",")].into_iter().chain(lines).collect();
        fs::create_dir_all(path.parent().expect("a file in a directory"))?;
        fs::write(path, lines.join("\n") + "\n")?;
        Ok(())
    }
}

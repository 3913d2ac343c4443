//! Runs one input of one target, lists the targets, or writes the seed corpus.

use drystone_fuzz::{planted, search::corpus_of, seeds, target, targets};
use std::{env, error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let targets = targets().into_iter().chain(planted());
            targets.for_each(|(name, _)| println!("{name}"));
        }
        ["--write-corpus"] => {
            for (name, files) in seeds() {
                let directory = corpus_of(&name);
                fs::create_dir_all(&directory)?;
                for (number, file) in files.iter().enumerate() {
                    fs::write(directory.join(format!("valid-{number}")), file)?;
                }
            }
        }
        [name, file] => {
            let target = target(name).ok_or_else(|| format!("no target is called {name:?}"))?;
            target(&fs::read(file)?);
            println!("{name} bears {file}");
        }
        _ => return Err("usage: drystone-fuzz [TARGET FILE | --write-corpus]".into()),
    }
    Ok(())
}

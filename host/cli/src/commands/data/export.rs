use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tiltyard_market::{write_csv, write_table};
use tiltyard_model::Interval;

use super::{Named, described, interval};
use crate::print;
use crate::whole::{self, Existing};
use crate::workspace::Workspace;

/// Write a series to a file that other programs read, and that imports to the last bit.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tiltyard data export BTCUSDT --interval 1h --out btc.csv.gz\n  \
                  tiltyard data export SYN1-USD --venue synthetic --interval 1h --out syn1.parquet")]
pub(super) struct Args {
    #[command(flatten)]
    series: Named,
    /// How long its bars are, such as 1h.
    #[arg(long, value_parser = interval)]
    interval: Interval,
    /// The file; what it becomes follows from its end: .csv, .csv.gz or .parquet. One that is there is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Clone, Copy)]
enum Form {
    Csv,
    Gzip,
    Parquet,
}

pub(super) fn run(args: &Args, workspace: &Workspace, json: bool) -> Result<ExitCode> {
    let form = form(&args.out)?;
    let stored = workspace.catalog()?.series(&args.series.key(workspace, args.interval)?)?;
    whole::write(&args.out, Existing::Replaced, |file| match form {
        Form::Csv => write_csv(file, &stored.bars).map(drop).map_err(io::Error::from),
        Form::Gzip => write_csv(GzEncoder::new(file, Compression::default()), &stored.bars)?.finish().map(drop),
        Form::Parquet => write_table(file, &stored.bars, &stored.about).map(drop),
    })?;
    if json {
        let document = json!({"file": args.out, "series": *stored.about});
        print::out(&serde_json::to_string_pretty(&document)?);
    } else {
        let mut lines = vec![described(&stored.about)];
        if stored.about.synthetic.is_some() && !matches!(form, Form::Parquet) {
            lines.push(
                "  note: nothing in this file says that its bars are made up; Parquet keeps the label".to_owned(),
            );
        }
        lines.push(format!("Written to {}.", args.out.display()));
        print::out(&lines.join("\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn form(path: &Path) -> Result<Form> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    Ok(match name.as_str() {
        name if name.ends_with(".csv") => Form::Csv,
        name if name.ends_with(".csv.gz") => Form::Gzip,
        name if name.ends_with(".parquet") => Form::Parquet,
        _ => bail!("{} says not what it is to become; end it with .csv, .csv.gz or .parquet", path.display()),
    })
}

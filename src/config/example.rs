//! Prints the table of options: as `config.example.toml`, and as `docs/configuration.md`.

use std::fmt::Write as _;

use super::{
    Config,
    setting::{Described, Form, Required, Sample, describe},
    sources::variable,
};

const HEAD: &str = "\
# quarterdeck: every option, with its default.
#
# Put this at the path that `quarterdeck config path` prints, and keep only what you change.
# Lines that begin with `#` and no space show an example for what has no default.
# Environment variables come after this file (QUARTERDECK_CONSOLE_THEME=light), flags after those.
# Secrets do not belong here: where one is needed, an option names the variable or the file that holds it.
# `quarterdeck config check` tells what is wrong, and where.
";

/// Wide enough to read, narrow enough for two windows side by side.
const WIDTH: usize = 100;

/// The example file: every option, its default and what it is for.
pub fn example() -> String {
    let mut out = HEAD.to_owned();
    for part in described() {
        out.push('\n');
        comment(&mut out, part.about);
        match &part.form {
            Form::Section(options) => {
                let _ = writeln!(out, "[{}]", part.key);
                for option in options {
                    value(&mut out, option, Default::Shown);
                }
            }
            Form::Items(options, there) => {
                for entry in there {
                    let _ = writeln!(out, "[[{}]]", part.key);
                    for option in entry {
                        if let Form::Value(Some(default)) = &option.form {
                            let _ = writeln!(out, "{} = {default}", option.key);
                        }
                    }
                }
                if there.is_empty() {
                    // One entry can be too few to show what a list is for.
                    if let Some(Sample::Beside(before)) = part.sample {
                        before.lines().for_each(|line| {
                            let _ = writeln!(out, "#{line}");
                        });
                    }
                    let _ = writeln!(out, "#[[{}]]", part.key);
                    for option in options {
                        value(&mut out, option, Default::Commented);
                    }
                }
            }
            Form::Free => {
                let _ = writeln!(out, "[{}]", part.key);
                if let Some(Sample::Beside(sample) | Sample::Instead(sample)) = part.sample {
                    let _ = writeln!(out, "#{sample}");
                }
            }
            Form::Value(_) => value(&mut out, &part, Default::Shown),
        }
    }
    out
}

/// Whether a default stands in force or as part of an example.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Default {
    Shown,
    Commented,
}

fn value(out: &mut String, option: &Described, shown: Default) {
    comment(out, option.about);
    let line = match (&option.form, option.sample) {
        (_, Some(Sample::Instead(sample))) => format!("# {} = {sample}\n", option.key),
        (_, Some(Sample::Beside(sample))) => format!("#{} = {sample}\n", option.key),
        (Form::Value(Some(default)), None) if shown == Default::Shown => format!("{} = {default}\n", option.key),
        (Form::Value(Some(default)), None) => format!("#{} = {default}\n", option.key),
        (Form::Value(None) | Form::Section(_) | Form::Items(..) | Form::Free, None) => String::new(),
    };
    out.push_str(&line);
}

fn comment(out: &mut String, about: &str) {
    let mut line = "#".to_owned();
    for word in about.split_whitespace() {
        if line.chars().count() + word.chars().count() >= WIDTH {
            out.push_str(&line);
            out.push('\n');
            "#".clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}

const DOCUMENT_HEAD: &str = "\
# Configuration

Four layers, each over the one before: defaults, the file, environment variables, flags.
`quarterdeck config path` prints where the file is looked for, `quarterdeck config check` says what is wrong with it,
`quarterdeck config example` prints it with every option and its default.

A mistake never hides another: all are reported at once, with line and column, and everything that is right around them
is in force. Where the default would be less careful than what may have been meant, the careful choice is made: an
environment with a mistake in it is protected, a connection or probe with one is left out, and with one in `[safety]`
nothing can be changed until it is corrected.

Secrets are never read from the file. Where one is needed, an option names the environment variable or the file that
holds it. Relative paths start at the directory of the file, `~/` at home.

Durations are written \"250ms\", \"10s\", \"1m30s\", \"2h\", \"1d\"; sizes \"64KiB\", \"256MiB\", \"1GiB\".
";

/// The documentation of every option, as Markdown.
pub fn documentation() -> String {
    let mut out = DOCUMENT_HEAD.to_owned();
    for part in described() {
        let (title, options, section) = match &part.form {
            Form::Section(options) => (format!("[{}]", part.key), options.as_slice(), Some(part.key)),
            Form::Items(options, _) => (format!("[[{}]]", part.key), options.as_slice(), None),
            Form::Free | Form::Value(_) => (format!("[{}]", part.key), [].as_slice(), None),
        };
        let _ = writeln!(out, "\n## `{title}`\n\n{}", part.about);
        if options.is_empty() {
            continue;
        }
        out.push_str("\n| option | default | what it does |\n|---|---|---|\n");
        for option in options {
            out.push_str(&row(option, section));
        }
    }
    out
}

fn row(option: &Described, section: Option<&str>) -> String {
    let default = match (&option.form, option.required) {
        (_, Required::Yes) => "must be given".to_owned(),
        (Form::Value(Some(default)), Required::No) => format!("`{default}`"),
        (Form::Value(None) | Form::Section(_) | Form::Items(..) | Form::Free, Required::No) => "–".to_owned(),
    };
    let named = match (section, &option.form) {
        (Some(section), Form::Value(_)) => format!("<br>`{}`", variable(section, option.key)),
        _ => String::new(),
    };
    let text = format!("{} Wants {}.{named}", option.about, option.wants);
    // A bar would end the cell.
    format!("| `{}` | {} | {} |\n", option.key, default.replace('|', "\\|"), text.replace('|', "\\|"))
}

fn described() -> Vec<Described> {
    describe(&Config::settings(), &Config::default())
}

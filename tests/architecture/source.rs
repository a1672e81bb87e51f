//! Reads one source file as tokens: every path it mentions (in `use` trees, expressions, types and inside macros),
//! every method it calls, and what of it is test code. Knows nothing of the rules.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// Whether code is only compiled for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Code,
    Test,
}

/// A path as written: `crate::fleet::Store`, `mpsc::channel`, or a single name.
#[derive(Debug, Clone)]
pub(crate) struct Mention {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    pub(crate) standing: Standing,
    /// The module the mention stands in, inline modules included.
    pub(crate) module: Vec<String>,
    pub(crate) then: Then,
}

/// What follows a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Then {
    /// A call with this many arguments.
    Call(usize),
    /// `as`: a new name for it.
    Renamed,
    Other,
}

/// A method call.
#[derive(Debug, Clone)]
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) arguments: usize,
    pub(crate) line: usize,
    pub(crate) standing: Standing,
}

/// A function that others can call, and its parameters as written.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) parameters: String,
    pub(crate) line: usize,
    pub(crate) standing: Standing,
}

/// A string, without its quotes.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// The field it is given to, where it is: `method` in `method: "POST"`.
    pub(crate) field: String,
    pub(crate) line: usize,
    pub(crate) standing: Standing,
}

/// What a file contains, as far as the rules ask.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) mentions: Vec<Mention>,
    pub(crate) methods: Vec<Method>,
    pub(crate) functions: Vec<Function>,
    pub(crate) strings: Vec<Said>,
    /// Modules declared here that live in other files and are compiled only for tests.
    pub(crate) test_modules: Vec<Vec<String>>,
    /// Lines with `#[path]` or `include!`, which put code where its file name does not say, and the path where it is said.
    pub(crate) misplaced: Vec<(usize, String)>,
    /// How many lines are test code.
    pub(crate) test_lines: usize,
}

/// The module of a file: `src/fleet/store.rs` is `fleet::store`.
pub(crate) fn module_of(file: &str) -> Vec<String> {
    let path = file.strip_prefix("src/").unwrap_or(file);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    match path {
        "lib" | "main" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

/// Reads `text`, the content of `file`.
pub(crate) fn read(file: &str, text: &str, standing: Standing) -> Result<Source, String> {
    let tokens = TokenStream::from_str(text).map_err(|error| format!("{file}: not Rust: {error}"))?;
    let mut reader = Reader { source: Source::default(), module: module_of(file) };
    reader.tokens(&tokens.into_iter().collect::<Vec<_>>(), standing);
    Ok(reader.source)
}

struct Reader {
    source: Source,
    module: Vec<String>,
}

impl Reader {
    fn tokens(&mut self, tokens: &[TokenTree], standing: Standing) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at = match token {
                TokenTree::Punct(mark) if mark.as_char() == '#' => self.attribute(tokens, at, standing),
                TokenTree::Ident(_) if joined(tokens, at.wrapping_sub(2)) => at + 1,
                TokenTree::Ident(_) if standing_after_dot(tokens, at) => self.method(tokens, at, standing),
                TokenTree::Ident(word) if word == "mod" => self.module(tokens, at, standing),
                TokenTree::Ident(word) if word == "pub" => {
                    self.function(tokens, at, standing);
                    at + 1
                }
                TokenTree::Ident(_) => self.path(tokens, at, standing),
                TokenTree::Group(group) => {
                    self.group(group, standing);
                    at + 1
                }
                TokenTree::Literal(literal) => {
                    self.string(&literal.to_string(), tokens, at, standing);
                    at + 1
                }
                TokenTree::Punct(_) => at + 1,
            };
        }
    }

    fn string(&mut self, written: &str, tokens: &[TokenTree], at: usize, standing: Standing) {
        let Some(text) = written.trim_start_matches(['b', 'r', '#']).strip_prefix('"') else { return };
        let text = text.trim_end_matches('#').trim_end_matches('"').to_owned();
        let field = match (tokens.get(at.wrapping_sub(2)), is_mark(tokens, at.wrapping_sub(1), ':')) {
            (Some(TokenTree::Ident(field)), true) => field.to_string(),
            _ => String::new(),
        };
        let line = tokens.get(at).map_or(0, |token| token.span().start().line);
        self.source.strings.push(Said { text, field, line, standing });
    }

    fn group(&mut self, group: &Group, standing: Standing) {
        self.tokens(&group.stream().into_iter().collect::<Vec<_>>(), standing);
    }

    /// An attribute; one that makes its item test code takes the whole item with it.
    fn attribute(&mut self, tokens: &[TokenTree], at: usize, standing: Standing) -> usize {
        let inner = matches!(tokens.get(at + 1), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
        let content = if inner { at + 2 } else { at + 1 };
        let Some(TokenTree::Group(group)) = tokens.get(content) else { return at + 1 };
        let said: String = group.stream().to_string().split_whitespace().collect();
        if let Some(path) = said.strip_prefix("path=") {
            self.source.misplaced.push((group.span_open().start().line, path.trim_matches('"').to_owned()));
        }
        let only_tests = said.starts_with("cfg(test)") || said.starts_with("cfg(all(test");
        let is_test = said == "test" || said.starts_with("tokio::test");
        if !(only_tests || is_test) || standing == Standing::Test {
            self.group(group, standing);
            return content + 1;
        }
        let end = if inner { tokens.len() } else { end_of_item(tokens, content + 1) };
        let item = tokens.get(content + 1..end).unwrap_or_default();
        if let (Some(first), Some(last)) = (tokens.get(at), item.last()) {
            self.source.test_lines += last.span().end().line - first.span().start().line + 1;
        }
        self.tokens(item, Standing::Test);
        end
    }

    fn module(&mut self, tokens: &[TokenTree], at: usize, standing: Standing) -> usize {
        let (Some(TokenTree::Ident(name)), Some(body)) = (tokens.get(at + 1), tokens.get(at + 2)) else {
            return at + 1;
        };
        self.module.push(name.to_string());
        if let TokenTree::Group(body) = body {
            self.group(body, standing);
        } else if standing == Standing::Test {
            self.source.test_modules.push(self.module.clone());
        }
        self.module.pop();
        at + 3
    }

    /// Notes a function behind `pub`; its body is read by the caller.
    fn function(&mut self, tokens: &[TokenTree], at: usize, standing: Standing) {
        let rest = tokens.get(at + 1..).unwrap_or_default();
        let head = rest.iter().take(6).position(|token| matches!(token, TokenTree::Ident(word) if word == "fn"));
        let Some(head) = head else { return };
        let plain = rest.iter().take(head).all(|token| match token {
            TokenTree::Ident(word) => word == "const" || word == "async",
            TokenTree::Group(group) => group.delimiter() == Delimiter::Parenthesis,
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        });
        let Some(TokenTree::Ident(name)) = rest.get(head + 1).filter(|_| plain) else { return };
        let parameters = rest.iter().skip(head + 2).find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(group.stream().to_string()),
            TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
        });
        let line = name.span().start().line;
        let parameters = parameters.unwrap_or_default();
        self.source.functions.push(Function { name: name.to_string(), parameters, line, standing });
    }

    fn method(&mut self, tokens: &[TokenTree], at: usize, standing: Standing) -> usize {
        let Some(TokenTree::Ident(name)) = tokens.get(at) else { return at + 1 };
        if let Some(given) = arguments_of(tokens, at + 1) {
            let (arguments, line) = (count(&given), name.span().start().line);
            self.source.methods.push(Method { name: name.to_string(), arguments, line, standing });
        }
        at + 1
    }

    /// A path, with everything a `use` tree hangs under it.
    fn path(&mut self, tokens: &[TokenTree], at: usize, standing: Standing) -> usize {
        let (segments, mut next) = segments(tokens, at);
        let Some(line) = tokens.get(at).map(|token| token.span().start().line) else { return at + 1 };
        if segments.as_slice() == ["include"] && is_mark(tokens, next, '!') {
            self.source.misplaced.push((line, String::new()));
        }
        if joined(tokens, next) {
            match tokens.get(next + 2) {
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.tree(&segments, group, standing);
                    return next + 3;
                }
                Some(TokenTree::Punct(mark)) if mark.as_char() == '*' => {
                    let mut all = segments;
                    all.push("*".to_owned());
                    next += 3;
                    self.mention(all, line, standing, Then::Other);
                    return next;
                }
                _ => {}
            }
        }
        let then = follows(tokens, next);
        self.mention(segments, line, standing, then);
        next
    }

    fn tree(&mut self, prefix: &[String], group: &Group, standing: Standing) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        for branch in tokens.split(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',')) {
            let Some(line) = branch.first().map(|token| token.span().start().line) else { continue };
            let (own, next) = segments(branch, 0);
            let mut all = prefix.to_vec();
            all.extend(own.into_iter().filter(|segment| segment != "self"));
            match branch.get(if joined(branch, next) { next + 2 } else { next }) {
                Some(TokenTree::Group(group)) => self.tree(&all, group, standing),
                Some(TokenTree::Punct(_)) => {
                    all.push("*".to_owned());
                    self.mention(all, line, standing, Then::Other);
                }
                _ => {
                    let then = follows(branch, next);
                    self.mention(all, line, standing, then);
                }
            }
        }
    }

    fn mention(&mut self, segments: Vec<String>, line: usize, standing: Standing, then: Then) {
        self.source.mentions.push(Mention { segments, line, standing, module: self.module.clone(), then });
    }
}

/// Where the item that begins at `at` ends: behind its body or its semicolon.
fn end_of_item(tokens: &[TokenTree], mut at: usize) -> usize {
    let mut by_semicolon = false;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Ident(word) if ["use", "const", "static", "type"].iter().any(|it| word == it) => {
                // `const fn` has a body like any function.
                by_semicolon = !matches!(tokens.get(at), Some(TokenTree::Ident(next)) if next == "fn");
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && !by_semicolon => return at,
            TokenTree::Punct(mark) if mark.as_char() == ';' => return at,
            TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    at
}

fn is_mark(tokens: &[TokenTree], at: usize, mark: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(it)) if it.as_char() == mark)
}

/// Whether `::` stands at `at`.
fn joined(tokens: &[TokenTree], at: usize) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(it)) if it.as_char() == ':' && it.spacing() == Spacing::Joint)
        && is_mark(tokens, at.wrapping_add(1), ':')
        // A leading `::` names an outside crate; that is not a path going on.
        && (at == 0 || !leads(tokens, at))
}

/// Whether the `::` at `at` has nothing before it that it could belong to.
fn leads(tokens: &[TokenTree], at: usize) -> bool {
    match tokens.get(at - 1) {
        Some(TokenTree::Ident(word)) => ["use", "as", "in", "return", "dyn", "mut", "impl"].iter().any(|it| word == it),
        Some(TokenTree::Punct(mark)) => mark.as_char() != '>',
        Some(TokenTree::Group(_) | TokenTree::Literal(_)) | None => true,
    }
}

/// Whether the word at `at` follows a dot that is not part of a range.
fn standing_after_dot(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.wrapping_sub(1);
    is_mark(tokens, before, '.') && !is_mark(tokens, at.wrapping_sub(2), '.')
}

/// The words joined by `::` from `at` on, and where they end.
fn segments(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut words = Vec::new();
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        words.push(word.to_string());
        at += 1;
        match tokens.get(at + 2) {
            Some(TokenTree::Ident(_)) if joined(tokens, at) => at += 2,
            _ => break,
        }
    }
    (words, at)
}

/// What stands at `at`, behind a path or a method's name.
fn follows(tokens: &[TokenTree], at: usize) -> Then {
    match tokens.get(at) {
        Some(TokenTree::Ident(word)) if word == "as" => Then::Renamed,
        _ => match arguments_of(tokens, at) {
            Some(group) => Then::Call(count(&group)),
            None => Then::Other,
        },
    }
}

/// The arguments of a call at `at`, a turbofish before them left out.
fn arguments_of(tokens: &[TokenTree], mut at: usize) -> Option<Group> {
    if is_mark(tokens, at, ':') && is_mark(tokens, at + 1, ':') && is_mark(tokens, at + 2, '<') {
        let mut depth = 0_usize;
        at += 2;
        loop {
            depth = match tokens.get(at)? {
                TokenTree::Punct(mark) if mark.as_char() == '<' => depth + 1,
                TokenTree::Punct(mark) if mark.as_char() == '>' => depth - 1,
                TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => depth,
            };
            at += 1;
            if depth == 0 {
                break;
            }
        }
    }
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => Some(group.clone()),
        _ => None,
    }
}

/// How many arguments `group` holds: commas between, a trailing one not counted.
fn count(group: &Group) -> usize {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let parts = tokens.split(|token| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ','));
    parts.filter(|part| !part.is_empty()).count()
}

//! What a configuration means, from the text of its layers.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _, path::Path};

use super::*;

fn from(text: &str) -> (Config, Vec<Problem>) {
    let file = File { path: "/etc/quarterdeck/config.toml".into(), content: Content::Text(text.to_owned()) };
    Config::load(&Sources { file: Some(file), home: Some("/home/me".into()), ..Sources::default() })
}

/// The problems as `severity line:column message`.
fn said(problems: &[Problem]) -> Vec<String> {
    let place = |origin: &Origin| match origin {
        Origin::File { line, column, .. } => format!("{line}:{column}"),
        Origin::Unreadable(path) => path.display().to_string(),
        Origin::Variable(name) | Origin::Flag(name) => name.clone(),
    };
    problems.iter().map(|it| format!("{} {} {}", it.severity, place(&it.origin), it.message)).collect()
}

fn hints(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|it| it.hint.as_ref().map(fleet::Text::as_str).unwrap_or_default()).collect()
}

fn clean(text: &str) -> Config {
    let (config, problems) = from(text);
    assert_eq!(said(&problems), Vec::<String>::new(), "{text}");
    config
}

const MANAGER: &str = "[[connections]]\nname = \"newswatch\"\nplatform = \"swarm\"\n";

#[test]
fn nothing_written_means_the_defaults() {
    assert_eq!(clean(""), Config::default());
    assert_eq!(clean("\u{feff}# nothing\n"), Config::default());
    assert_eq!(Config::load(&Sources::default()), (Config::default(), Vec::new()));
}

#[test]
fn the_example_says_the_defaults() {
    assert_eq!(clean(&example()), Config::default());
}

#[test]
fn the_example_is_right_in_its_comments_too() {
    let uncommented: String = example()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with(|it: char| it.is_ascii_lowercase() || it == '[') => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let (config, problems) = from(&uncommented);
    assert_eq!(said(&problems), Vec::<String>::new());
    assert_eq!(config.environments.len(), 2);
    assert_eq!(config.connections.len(), 1);
    assert_eq!(config.connections[0].environment_rules.len(), 1);
    assert_eq!(config.probes.len(), 1);
    assert_eq!(config.safety.freeze.len(), 3);
    assert_eq!(config.keys.len(), 1);
}

#[test]
fn every_mistake_is_reported_and_the_rest_is_in_force() {
    let (config, problems) = from(
        "[console]\nthemme = \"light\"\nmouse = \"no\"\nlog_tail = 999999999\nstart_pane = \"node\"\ncolors = 16\nlog_bytes = \"8MiB\"\n\
         [demo]\nseed = \"x\"\ntasks = 700\n[colours]\nx = 1\n",
    );
    assert_eq!(
        said(&problems),
        [
            "warning 2:1 `console.themme` is not an option",
            "error 3:9 `console.mouse` wants true or false, not \"no\"",
            "error 4:12 `console.log_tail` wants a whole number, from 0 to 100000, not 999999999",
            "error 5:14 `console.start_pane` wants one of \"overview\", \"nodes\", \"services\", \"tasks\", \"health\", \
             \"pipelines\", \"stacks\", \"operations\", \"objects\", not \"node\"",
            "error 6:10 `console.colors` wants one of \"auto\", \"truecolor\", \"256\", \"16\", \"none\", not 16",
            "error 9:8 `demo.seed` wants a whole number, not \"x\"",
            "warning 11:2 `colours` is not an option",
        ]
    );
    assert_eq!(hints(&problems)[..2], ["Did you mean `theme`?", "Did you mean false?"]);
    assert_eq!(hints(&problems)[3], "Did you mean \"nodes\"?");
    let mut expected = Config::default();
    expected.console.log_bytes = Bytes(8 << 20);
    expected.demo.tasks = Some(700);
    assert_eq!(config, expected);
}

#[test]
fn text_that_is_not_toml_takes_only_its_line_with_it() {
    let (config, problems) = from("[console]\ntheme = light\nmouse = false\n\n[demo]\nseed = 9\n");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(said(&problems)[0].starts_with("error 2:9 not TOML; this line is left out: "), "{problems:?}");
    assert_eq!((config.console.mouse, config.demo.seed), (false, 9));
}

#[test]
fn a_connection_is_read_whole() {
    let config = clean(
        "[[environments]]\nname = \"test\"\n[[environments]]\nname = \"live\"\nprotected = true\n\
         [[connections]]\nname = \"newswatch\"\nplatform = \"swarm\"\nhost = \"tcp://m1:2376\"\nenvironment = \"live\"\n\
         environment_rules = [{ match = \"*-test-*\", environment = \"test\" }]\nread_only = true\ntest_stacks = \"*-test-*\"\n\
         [connections.tls]\nca = \"ca.pem\"\ncertificate = \"~/c.pem\"\nkey = \"/k.pem\"\n",
    );
    let rule = EnvironmentRule { pattern: "*-test-*".to_owned(), environment: "test".to_owned() };
    let expected = Connection {
        name: "newswatch".to_owned(),
        host: Some("tcp://m1:2376".to_owned()),
        tls: Some(Tls {
            ca: Some("/etc/quarterdeck/ca.pem".into()),
            certificate: Some("/home/me/c.pem".into()),
            key: Some("/k.pem".into()),
        }),
        environment: Some("live".to_owned()),
        environment_rules: vec![rule],
        read_only: true,
        test_stacks: Some("*-test-*".to_owned()),
        ..Connection::default()
    };
    assert_eq!(config.connections, [expected]);
    assert_eq!(config.connections[0].rules().of("news-test-3"), Some("test".into()));
    assert_eq!(config.connections[0].rules().of("news"), Some("live".into()));
    assert!(config.environments().protected(&"live".into()) && !config.environments().protected(&"test".into()));
}

#[test]
fn a_connection_that_may_lead_elsewhere_is_left_out() {
    let wrong = [
        ("hots = \"tcp://m1:2376\"", "`connections[1].hots` is not an option"),
        ("host = 7", "`connections[1].host` wants text in quotes, not 7"),
        ("host = \"m1\"", "`host` begins with one of unix:// tcp:// http:// https://"),
        ("context = \"x\"", "`context` means nothing to swarm; it is for kubernetes"),
        ("environment = \"prd\"", "there is no environment `prd`"),
        ("environment_rules = [{ match = \"*\", environment = \"tset\" }]", "there is no environment `tset`"),
        ("tls = { key = \"x\" }", "`certificate` and `key` go together"),
        ("host = \"ssh://m1\"", "`host` cannot be reached over ssh"),
    ];
    for (line, expected) in wrong {
        let (config, problems) =
            from(&format!("{MANAGER}{line}\n[[connections]]\nname = \"b\"\nplatform = \"kubernetes\"\n"));
        assert_eq!(config.connections.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["b"], "{line}");
        assert!(problems.iter().any(|it| it.severity == Severity::Error && *it.message == *expected), "{problems:?}");
        assert_eq!((config.left_out, config.console.discover), (vec!["newswatch".to_owned()], false), "{line}");
        let left_out = "connection `newswatch` is left out until its mistakes are corrected";
        assert!(problems.iter().any(|it| *it.message == *left_out), "{problems:?}");
    }
}

#[test]
fn two_connections_of_one_name_are_one() {
    let (config, problems) = from(&format!("{MANAGER}{MANAGER}read_only = true\n"));
    assert_eq!(said(&problems), ["error 5:8 there is a connection called `newswatch` already"]);
    assert_eq!(config.connections.len(), 1);
    assert!(!config.connections[0].read_only);
}

#[test]
fn what_protects_is_taken_at_its_strictest_when_it_is_wrong() {
    let (config, _) = from(&format!("{MANAGER}read_only = \"maybe\"\n"));
    assert!(config.connections[0].read_only);
    let (config, problems) =
        from("[[environments]]\nname = \"live\"\nprotected = 1\n[[environments]]\nname = \"x\"\nprotcted = true\n");
    assert!(config.environments().protected(&"live".into()) && config.environments().protected(&"x".into()));
    assert!(
        said(&problems).contains(&"note 5:1 environment `x` is protected until its mistakes are corrected".to_owned())
    );
    for safety in ["bulk_limit = 0", "freeze = [{ from = \"soon\", reason = \"x\" }]", "freeze = [", "stale_after = 60"]
    {
        let (config, problems) = from(&format!("[safety]\n{safety}\n"));
        assert!(config.console.read_only, "{safety}: {problems:?}");
        assert!(problems.iter().any(|it| it.message.contains("nothing can be changed")), "{problems:?}");
    }
    assert!(!clean("[safety]\nbulk_limit = 9\n").console.read_only);
}

#[test]
fn a_file_that_was_named_and_cannot_be_read_leaves_nothing_changeable() {
    let file = File::read(Path::new("/nonexistent/config.toml"), Named::Yes);
    let (config, problems) = Config::load(&Sources { file, ..Sources::default() });
    assert!(config.console.read_only);
    assert_eq!(problems.len(), 1);
    assert_eq!(File::read(Path::new("/nonexistent/config.toml"), Named::No), None);
}

#[test]
fn secrets_are_refused_and_never_repeated() {
    let (config, problems) = from(
        "[[probes]]\nname = \"a\"\nurl = \"https://me:hunter2@host/\"\n\
         [[probes]]\nname = \"b\"\nurl = \"https://host/\"\npassword = \"hunter2\"\n\
         [console]\napi_token = hunter2\n",
    );
    assert_eq!(config.probes, []);
    assert_eq!(problems.iter().filter(|it| it.severity == Severity::Error).count(), 3, "{problems:?}");
    let all: String = problems.iter().map(|it| format!("{it}\n{it:?}\n")).collect();
    assert!(!all.contains("hunter2"), "{all}");
    assert!(all.contains("basic_auth_env"), "{all}");
}

#[test]
fn a_probe_is_checked_before_it_is_asked() {
    let probe = "[[probes]]\nname = \"a\"\nurl = \"http://a/health\"\n";
    assert_eq!(clean(&format!("{probe}status = 204\nbody = \"^ok\"\n")).probes[0].status, Statuses(204..=204));
    for (line, expected) in [
        ("body = \"(\"", "`body` is no regular expression: unclosed group"),
        ("interval = \"2s\"", "`timeout` is longer than `interval`"),
        (
            "interval = \"2\"",
            "`probes[1].interval` wants a duration such as \"10s\", \"1m30s\" or \"250ms\", from \"1s\" to \"1h\", not \"2\"",
        ),
        ("basic_auth_env = \"me:hunter2\"", "`basic_auth_env` is not the name of a variable"),
    ] {
        let (config, problems) = from(&format!("{probe}{line}\n"));
        assert_eq!(config.probes, [], "{line}");
        assert!(problems.iter().any(|it| *it.message == *expected), "{problems:?}");
    }
}

#[test]
fn one_mistake_in_an_entry_hides_no_other_and_makes_none() {
    let probe = "[[probes]]\nname = \"a\"\nurl = \"http://a/\"\n";
    let told = |lines: &str| {
        let problems = from(&format!("{probe}{lines}")).1;
        problems.iter().filter(|it| it.severity == Severity::Error).count()
    };
    assert_eq!(told("interval = \"soon\"\nbody = \"(\"\nenvironment = \"x\"\nstatus = \"ok\"\n"), 4);
    // Whether this is longer than the interval depends on what is not known.
    assert_eq!(told("interval = \"soon\"\ntimeout = \"20s\"\n"), 1);
    assert_eq!(told("intervall = \"1m\"\ntimeout = \"20s\"\n"), 1);
    let (_, problems) = from("[[connections]]\nname = \"a/b\"\nplatform = \"swamr\"\nhost = \"m1\"\ncontext = \"x\"\n");
    assert_eq!(problems.iter().filter(|it| it.severity == Severity::Error).count(), 3, "{problems:?}");
    let (_, problems) = from("[[environments]]\nname = \"x\"\n[[environments]]\nname = \"x\"\n");
    assert_eq!(said(&problems), ["error 4:8 there is an environment called `x` already"]);
}

#[test]
fn what_makes_the_console_read_only_is_told_where_nobody_asked_for_it() {
    let hint = |text: &str| from(text).0.read_only_hint().unwrap_or_default();
    assert!(hint("[safety]\nbulk_limit = 0\n").contains("[safety] has a mistake"));
    assert!(hint("[console]\nread_only = 1\n").contains("console.read_only has a mistake"));
    assert_eq!(hint("[console]\nread_only = true\n"), "");
}

#[test]
fn layers_stand_one_over_the_other() {
    let file = File {
        path: "c.toml".into(),
        content: Content::Text("[console]\ntheme = \"a\"\nmouse = false\nlog_tail = 5".into()),
    };
    let variable = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let sources = Sources {
        file: Some(file),
        variables: vec![
            variable("QUARTERDECK_CONSOLE_THEME", "b"),
            variable("QUARTERDECK_CONSOLE_MOUSE", "true"),
            variable("QUARTERDECK_CONSOLE_COLORS", "256"),
            variable("QUARTERDECK_CONSOLE_LOG_BYTES", "1048576"),
            variable("QUARTERDECK_CONSOLE_TEME", "c"),
            variable("QUARTERDECK_DEMO_SEED", "many"),
            variable("QUARTERDECK_CONFIG", "c.toml"),
        ],
        flags: vec![FlagValue { flag: "--theme", option: "console.theme", value: "c".to_owned() }],
        ..Sources::default()
    };
    let (config, problems) = Config::load(&sources);
    assert_eq!(
        said(&problems),
        [
            "warning QUARTERDECK_CONSOLE_TEME QUARTERDECK_CONSOLE_TEME is not an option",
            "error QUARTERDECK_DEMO_SEED `demo.seed` wants a whole number, not many",
        ]
    );
    let expected = Console {
        theme: "c".to_owned(),
        colors: Colors::Palette,
        mouse: true,
        log_bytes: Bytes(1 << 20),
        log_tail: 5,
        ..Console::default()
    };
    assert_eq!(config.console, expected);
}

#[test]
fn only_our_own_variables_are_gathered_and_any_bytes_may_stand_in_others() {
    let odd = OsString::from_vec(vec![0xff, 0x3d]);
    let all = ["HOME", "QUARTERDECK_LAB_SWARM", "QUARTERDECK_DEMO_SEED", "QUARTERDECK_CONFIG"];
    let mut all: Vec<(OsString, OsString)> = all.map(|name| (name.into(), "/nonexistent".into())).to_vec();
    all.push((odd.clone(), odd.clone()));
    all.push(("QUARTERDECK_CONSOLE_THEME".into(), odd));
    let sources = Sources::gather(None, None, all.clone());
    let expected = [
        ("QUARTERDECK_DEMO_SEED", "/nonexistent"),
        ("QUARTERDECK_CONFIG", "/nonexistent"),
        ("QUARTERDECK_CONSOLE_THEME", "\u{fffd}="),
    ];
    assert_eq!(sources.variables, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(sources.file.map(|file| file.path), Some("/nonexistent".into()));
    let flag = Sources::gather(Some(Path::new("/nowhere")), None, all);
    assert_eq!(flag.file.map(|file| file.path), Some("/nowhere".into()));
}

#[test]
fn only_the_connections_asked_for_are_kept() {
    let text = format!("{MANAGER}[[connections]]\nname = \"shop\"\nplatform = \"kubernetes\"\n");
    let file = File { path: "c.toml".into(), content: Content::Text(text) };
    let only = vec!["shop".to_owned(), "newswacth".to_owned()];
    let (config, problems) = Config::load(&Sources { file: Some(file), only, ..Sources::default() });
    assert_eq!(config.connections.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["shop"]);
    assert_eq!(said(&problems), ["error --connection there is no connection `newswacth`"]);
    assert_eq!(hints(&problems), ["Did you mean `newswatch`?"]);
}

#[test]
fn keys_are_one_or_many() {
    let config = clean("[keys]\nquit = \"ctrl-q\"\nrefresh = [\"r\", \"f5\"]\nhelp = []\n");
    let keys: Vec<(&str, Vec<&str>)> =
        config.keys.iter().map(|(it, keys)| (it.as_str(), keys.iter().map(String::as_str).collect())).collect();
    assert_eq!(keys, [("help", vec![]), ("quit", vec!["ctrl-q"]), ("refresh", vec!["r", "f5"])]);
}

#[test]
fn hostile_text_reaches_no_terminal() {
    let (_, problems) = from("[console]\ntheme = 7 # \u{202e}\n\"a\\u001b[2J\" = 1\nstart_pane = \"\\u001b[31m\"\n");
    let all: String = problems.iter().map(ToString::to_string).collect();
    assert!(all.chars().all(|it| it == '\n' || !it.is_control()), "{all:?}");
    assert!(!all.contains('\u{202e}'), "{all:?}");
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC*", lines in proptest::collection::vec("(\\[\\[?(console|safety|connections|probes|keys)\\]?\\]?|(name|host|theme|freeze|password|tls) *=+ *(\"[a-z:/@]*\"|[0-9]+|\\[|\\{|true|[a-z]+)?|#.*|\"\"\")", 0..12)) {
        from(&text);
        let _ = from(&lines.join("\n"));
    }
}

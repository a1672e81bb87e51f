//! The tests of a stack that was deployed for one build, run through the addresses of its services.

use crate::bench::{Lab, Said, lab, program};

const WEBSERVICE: &str = "newswatch-test-1234_webservice";
const AUTH: &str = "newswatch-test-1234_auth";

/// How often the tests of a service have run so far, by its own words.
fn ran(lab: &Lab, service: &str) -> usize {
    let said = lab.docker(&["service", "logs", "--raw", service]);
    said.lines().filter(|line| line.ends_with("running the tests")).count()
}

#[tokio::test]
async fn the_answers_of_a_test_stack_are_one_answer() {
    let Some(lab) = lab() else { return };
    let Some(file) = std::env::var_os("QUARTERDECK_LAB_URLS") else {
        println!("skipped: swarm: QUARTERDECK_LAB_URLS is not set");
        return;
    };
    let urls = std::fs::read_to_string(file).expect("QUARTERDECK_LAB_URLS names a file");
    let url = |name: &str| {
        let line = urls.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or_else(|| panic!("the lab has no {name}"), str::to_owned)
    };
    let probe = |name: &str, environment: &str, more: &str| {
        let url = url(name);
        format!(
            "[[probes]]\nname = \"{name}\"\nurl = \"{url}/test\"\nenvironment = \"{environment}\"\npurpose = \"test\"\n{more}\n"
        )
    };
    let config = [
        "environments = [{ name = \"build-1234\" }, { name = \"research\" }]\n".to_owned(),
        probe("test-webservice", "build-1234", ""),
        probe("test-auth", "build-1234", "basic_auth_env = \"QA_LOGIN\""),
        probe("test-ml", "research", ""),
    ]
    .concat();
    let ask = async |words: &[&str], login: &str| -> Said {
        let said = program(&[words, &["--yes", "--wait"]].concat(), &config, &[("QA_LOGIN", login)]).await;
        println!("{words:?}: {said:?}");
        said
    };
    let (webservice, auth) = (ran(&lab, WEBSERVICE), ran(&lab, AUTH));

    // Both services of the environment, with login, asked once each: counts are added, coverage is weighted by them.
    let all = ask(&["test", "build-1234"], "qa:newswatch").await;
    assert_eq!(all.code, Some(0), "{all:?}");
    assert!(all.output.contains("71 passed, 0 failed, coverage 92.7 %"), "{all:?}");
    assert_eq!((ran(&lab, WEBSERVICE), ran(&lab, AUTH)), (webservice + 1, auth + 1));

    // Who is not let in has not tested.
    let wrong = ask(&["test", "build-1234"], "qa:wrong").await;
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.output.contains("test-auth: status 401"), "{wrong:?}");
    assert_eq!(ran(&lab, AUTH), auth + 1);

    // What fails is named, and the rest is counted all the same.
    let failing = ask(&["test", "test-webservice", "test-ml"], "").await;
    assert_eq!(failing.code, Some(1), "{failing:?}");
    assert!(failing.output.contains("57 passed, 1 failed"), "{failing:?}");
    assert!(failing.output.contains("test-ml: 1 of 9 tests failed"), "{failing:?}");
}

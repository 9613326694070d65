//! The newcomer's script `x` and the llama-server that the tests of servers ask.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its machine is to panic")]

mod machine;

use std::fs;
use std::os::unix::fs::symlink;

use machine::{Machine, check, real};

#[test]
fn a_llama_server_is_installed_for_the_tests_alone() {
    let machine = Machine::complete().without_server().python();
    let wanted = ["missing: a llama-server", "pip install xllamacpp==2026.10.11549"];
    check(&machine, &["test"], 0, &wanted);
    assert!(
        machine.log().contains("-m pip install --quiet --no-deps --only-binary :all: xllamacpp==")
    );
    let machine = machine.command("cargo", "echo \"server=$KARAT_SERVER_PYTHON\"");
    let output = check(&machine, &["check"], 0, &[]);
    let python = machine.path("target/llama-server/bin/python");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.ends_with(&format!("server={}\n", python.display())), "{stdout}");
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches("missing").count(), 0, "once");
    let machine = Machine::complete().without_server().python();
    let karat = machine.path("target/debug/karat");
    fs::create_dir_all(karat.parent().unwrap()).unwrap();
    symlink(real("true"), karat).unwrap();
    check(&machine, &["demo"], 0, &[]);
    assert!(!machine.log().contains("python3"), "{}", machine.log());
}

#[test]
fn debian_gets_the_package_that_makes_virtual_environments() {
    let body = "case \"$1\" in -c) [ -e \"${0%/*}/made\" ] ;; esac";
    let machine = Machine::complete()
        .without_server()
        .command("python3", body)
        .file("var/lib/apt/lists/debian_Packages")
        .apt(&[]);
    check(&machine, &["test"], 0, &["apt-get install python3-venv", "are skipped"]);
}

#[test]
fn where_no_llama_server_can_be_installed_its_tests_are_skipped_but_not_in_ci() {
    let offline = || {
        let body = "case \"$*\" in *-m\\ pip*) echo 'no route to host'; exit 1 ;; esac";
        let machine = Machine::complete().without_server().command("python3", body);
        let venv = machine.path("target/llama-server/bin");
        fs::create_dir_all(&venv).unwrap();
        fs::copy(machine.path("bin/python3"), venv.join("python")).unwrap();
        machine.command("cargo", "echo \"server=${KARAT_SERVER_PYTHON-none}\"")
    };
    let output = check(&offline(), &["test"], 0, &["no route to host", "a real one are skipped"]);
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("server=none\n"));
    for machine in [offline(), Machine::complete().without_server()] {
        let output = machine.run_with(&["test"], &[("CI", "true")]);
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("CI is set: nothing may be left out"), "{stderr}");
    }
    let without = Machine::complete().without_server();
    check(&without, &["test"], 0, &["Python 3.10 or newer", "a real one are skipped"]);
    let output = without.run_with(&["test"], &[("KARAT_SERVER_PYTHON", "/no/such")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("which does not exist"));
}

//! The newcomer's script `x` on machines that lack what the build needs.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its machine is to panic")]

mod machine;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Output;

use machine::{Machine, check, real, repository};

#[test]
fn a_complete_machine_is_set_up_in_silence() {
    let machine = Machine::complete();
    fs::create_dir_all(machine.path("target/debug/build/llama-cpp-sys-2-1/out")).unwrap();
    let output = check(&machine, &["test"], 0, &[]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(machine.log().ends_with("cargo xtask test\n"), "{}", machine.log());
}

#[test]
fn the_demo_finds_the_lab_from_any_folder() {
    let machine = Machine::complete();
    let karat = machine.path("target/debug/karat");
    fs::create_dir_all(karat.parent().unwrap()).unwrap();
    fs::write(&karat, "#!/bin/bash\necho \"$PWD: $*\"\n").unwrap();
    fs::set_permissions(&karat, fs::Permissions::from_mode(0o755)).unwrap();
    let stdout = |args: &[&str]| {
        let output = check(&machine, args, 0, &[]);
        let stdout = String::from_utf8(output.stdout).unwrap();
        stdout.lines().last().unwrap_or_default().to_owned()
    };
    let here = fs::canonicalize(machine.folder.path()).unwrap();
    let here = here.display();
    let lab = repository().join("lab");
    let want = format!("{here}: demo --lab {} --chunks 2", lab.display());
    assert_eq!(stdout(&["demo", "--chunks", "2"]), want);
    assert_eq!(stdout(&["demo", "--lab", "my lab"]), format!("{here}: demo --lab my lab"));
}

#[test]
fn the_first_build_is_announced() {
    check(&Machine::complete(), &["test"], 0, &["compiling llama.cpp", "once"]);
}

#[test]
fn a_bare_debian_gets_its_packages_once_and_hears_about_rust() {
    let machine = Machine::bare()
        .apt(&["cc", "c++", "make", "cmake"])
        .file("var/lib/apt/lists/debian_Packages");
    let wanted = "apt-get install g++ make cmake libclang-dev ca-certificates\n";
    let by_hand = "rustup could not be installed; run that line by hand";
    check(&machine, &["test"], 2, &["missing: compiler", wanted, "https://sh.rustup.rs", by_hand]);
    assert_eq!(machine.log().matches("apt-get ").count(), 2, "{}", machine.log());
    assert!(!machine.log().contains("apt-get -qq -o=Dpkg::Use-Pty=0 update"));
}

#[test]
fn debian_without_a_rustup_package_gets_rust_from_rustups_own_installer() {
    let machine = Machine::complete()
        .without(&["cargo", "rustc"])
        .apt(&[])
        .file("var/lib/apt/lists/debian_Packages");
    let bin = machine.path(".cargo/bin");
    let bin = bin.display();
    let rustc = "echo rustc 1.99.0";
    let installer = format!(
        "cat <<'END'\n/bin/mkdir -p '{bin}'\nfor tool in cargo rustc; do \
         printf '#!/bin/bash\\n%s\\n' '{rustc}' >'{bin}'/$tool; \
         /bin/chmod +x '{bin}'/$tool; done\nEND"
    );
    let machine = machine.command("curl", &installer);
    symlink(real("bash"), machine.path("bin/sh")).unwrap();
    check(&machine, &["test"], 0, &["missing: rust", "rustup installs it", "https://sh.rustup.rs"]);
}

#[test]
fn package_lists_are_fetched_when_there_are_none() {
    let machine = Machine::complete().without(&["cmake"]).apt(&["cmake"]);
    check(&machine, &["test"], 0, &["apt-get update", "apt-get install cmake\n"]);
}

#[test]
fn a_refused_installation_is_tried_again_with_fresh_lists_and_then_reported() {
    let machine = Machine::complete()
        .without(&["cmake"])
        .file("var/lib/apt/lists/debian_Packages")
        .command("apt-get", "case \" $* \" in *' update '*) exit 0 ;; esac; echo 404; exit 100");
    check(&machine, &["test"], 2, &["404", "apt-get update", "could not install: cmake"]);
    assert_eq!(
        machine.log().matches("apt-get -qq -o=Dpkg::Use-Pty=0 install").count(),
        2,
        "{}",
        machine.log()
    );
}

#[test]
fn others_than_root_use_sudo() {
    let machine = Machine::complete()
        .without(&["cmake"])
        .file("var/lib/apt/lists/debian_Packages")
        .apt(&["cmake"])
        .command("id", "echo 1000")
        .command("sudo", "[ \"$1\" = -n ] && shift; \"$@\"");
    check(&machine, &["test"], 0, &["apt-get install cmake"]);
    assert!(machine.log().contains("sudo -n env DEBIAN_FRONTEND=noninteractive apt-get"));
}

#[test]
fn without_root_and_sudo_the_command_is_named() {
    let machine = Machine::complete().without(&["cmake"]).apt(&["cmake"]).command("id", "echo 1");
    check(&machine, &["test"], 2, &["run as root: apt-get install cmake"]);
    assert!(!machine.log().contains("apt-get "), "{}", machine.log());
}

#[test]
fn other_distributions_are_told_the_package_names() {
    for (manager, line) in [
        ("dnf", "sudo dnf install gcc-c++ make cmake clang-devel ca-certificates\n"),
        ("pacman", "sudo pacman -S --needed gcc make cmake clang ca-certificates\n"),
        ("zypper", "sudo zypper install gcc-c++ make cmake clang-devel ca-certificates\n"),
    ] {
        check(&Machine::bare().command(manager, ""), &["test"], 2, &[line]);
    }
    check(&Machine::bare(), &["test"], 2, &["dnf:", "pacman:", "zypper:"]);
}

#[test]
fn an_old_rust_is_updated_through_rustup() {
    let machine =
        Machine::complete().command("rustc", "echo 'rustc 1.63.0 (abc 2022-01-01)'").command(
            "rustup",
            "new=${0%/*}/../new; case $1 in which) [ -e \"$new\" ] && echo \"$new\" ;; \
             toolchain) printf '#!/bin/bash\\necho rustc 1.99.0\\n' >\"$new\"; \
             /bin/chmod +x \"$new\" ;; esac",
        );
    check(&machine, &["test"], 0, &["missing: rust", "rustup toolchain install stable"]);
}

#[test]
fn an_old_rust_without_rustup_is_reported_with_its_version() {
    let machine = Machine::complete().command("rustc", "echo 'rustc 1.63.0 (abc 2022-01-01)'");
    check(&machine, &["test"], 2, &["found 1.63.0", "https://sh.rustup.rs"]);
}

#[test]
fn macos_uses_brew_and_asks_for_the_command_line_tools() {
    let env = [("OSTYPE", "darwin24")];
    let stderr = |output: Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let machine = Machine::complete().command("xcode-select", "exit 2");
    assert!(stderr(machine.run_with(&["test"], &env)).contains("xcode-select --install"));

    let machine = Machine::complete().without(&["cmake"]).command("xcode-select", "").command(
        "brew",
        "printf '#!/bin/bash\\n' >\"${0%/*}/cmake\"; /bin/chmod +x \"${0%/*}/cmake\"",
    );
    let output = machine.run_with(&["test"], &env);
    assert!(output.status.success());
    assert!(stderr(output).contains("brew install cmake"));
}

#[test]
fn a_browser_is_installed_for_the_tests_alone() {
    let machine = || {
        Machine::complete()
            .without(&["chromium"])
            .file("var/lib/apt/lists/debian_Packages")
            .apt(&["chromium"])
    };
    for command in ["test", "check"] {
        let wanted = ["missing: chromium", "apt-get install chromium\n"];
        check(&machine(), &[command], 0, &wanted);
    }
    let machine = machine();
    let karat = machine.path("target/debug/karat");
    fs::create_dir_all(karat.parent().unwrap()).unwrap();
    symlink(real("true"), karat).unwrap();
    check(&machine, &["demo"], 0, &[]);
    assert!(!machine.log().contains("apt-get"), "{}", machine.log());
}

#[test]
fn where_no_browser_can_be_installed_it_is_named() {
    let wanted = "please install Chromium or Chrome";
    check(&Machine::complete().without(&["chromium"]), &["test"], 2, &[wanted, "KARAT_CHROMIUM"]);
    check(
        &Machine::complete().without(&["chromium"]).command("google-chrome", ""),
        &["test"],
        0,
        &[],
    );
}

#[test]
fn a_browser_of_ones_own_is_taken_and_a_wrong_one_named() {
    let machine = Machine::complete().without(&["chromium"]).file("my/browser");
    let browser = machine.path("root/my/browser");
    let output = machine.run_with(&["test"], &[("KARAT_CHROMIUM", browser.to_str().unwrap())]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = machine.run_with(&["test"], &[("KARAT_CHROMIUM", "/no/such")]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("KARAT_CHROMIUM is set to /no/such"), "{stderr}");
}

#[test]
fn a_libclang_without_headers_borrows_those_of_gcc() {
    let machine = Machine::complete().without(&["usr/lib/llvm-19/lib/clang/19/include/stddef.h"]);
    let headers = machine.path("root/gcc");
    fs::create_dir(&headers).unwrap();
    fs::write(headers.join("stddef.h"), "").unwrap();
    let machine = machine
        .command("gcc", &format!("echo '{}'", headers.display()))
        .command("cargo", "echo \"extra=$BINDGEN_EXTRA_CLANG_ARGS\"");
    let output = check(&machine, &["test"], 0, &[]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains(&format!("extra=-I{}", headers.display())), "{stdout}");
}

#[test]
fn a_wrong_libclang_path_is_named() {
    let output = Machine::complete().run_with(&["test"], &[("LIBCLANG_PATH", "/no/such")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("LIBCLANG_PATH is set to /no/such"));
}

#[test]
fn the_environment_of_a_usual_machine_is_left_alone() {
    // A changed variable would compile the engine anew in a plain `cargo build`.
    let machine = Machine::complete()
        .command("cargo", "echo \"env=$BINDGEN_EXTRA_CLANG_ARGS$LIBCLANG_PATH$RUSTFLAGS.\"");
    let output = check(&machine, &["test"], 0, &[]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "env=.\n");
}

#[test]
fn doctor_installs_nothing_and_names_what_is_missing() {
    let machine = Machine::bare().apt(&["cmake"]);
    let output = check(&machine, &["doctor"], 2, &["missing: compiler make cmake libclang"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("cmake           MISSING"));
    assert_eq!(machine.log(), "", "nothing is called");
}

#[test]
fn a_failed_command_hands_on_its_exit_code() {
    let machine = Machine::complete().command("cargo", "exit 7");
    check(&machine, &["test"], 7, &[]);
}

#[test]
fn wrong_usage_is_refused_before_anything_happens() {
    let machine = Machine::bare();
    check(&machine, &["nonsense"], 2, &["unknown command: nonsense"]);
    check(&machine, &["test", "--release"], 2, &["test takes no arguments"]);
    assert_eq!(machine.log(), "");
}

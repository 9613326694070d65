//! The newcomer's script `x` on machines that lack something: every system command is a stub in
//! a temporary folder, and the system folders are an empty tree. Nothing real is installed.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its machine is to panic")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A made-up machine: its commands, its system folders and a log of what was called.
struct Machine {
    folder: TempDir,
}

/// What says that the tests' llama-server is installed.
const SERVER: &str =
    "target/llama-server/lib/python3.11/site-packages/xllamacpp-2026.10.11549.dist-info";

/// What the script itself needs from any machine.
const BASICS: &[&str] = &["awk", "bash", "cat", "dirname", "env", "paste", "readlink", "sed", "tr"];

impl Machine {
    /// Linux, root, nothing installed.
    fn bare() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(machine.path("bin")).unwrap();
        fs::create_dir_all(machine.path("root/etc")).unwrap();
        for name in BASICS {
            symlink(real(name), machine.path("bin").join(name)).unwrap();
        }
        machine.command("id", "echo 0")
    }

    /// Everything that the build needs.
    fn complete() -> Self {
        Self::bare()
            .command("cargo", "echo cargo 1.99.0")
            .command("rustc", "echo 'rustc 1.99.0 (abc 2030-01-01)'")
            .command("cc", "")
            .command("c++", "")
            .command("make", "")
            .command("cmake", "")
            .command("chromium", "")
            .prepared_server()
            .file("usr/lib/llvm-19/lib/libclang.so")
            .file("usr/lib/llvm-19/lib/clang/19/include/stddef.h")
            .file("etc/ssl/certs/ca-certificates.crt")
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// A command that notes its call and then runs `body`.
    fn command(self, name: &str, body: &str) -> Self {
        let file = self.path("bin").join(name);
        let log = self.path("log");
        let script = format!("#!/bin/bash\necho \"{name} $*\" >>'{}'\n{body}\n", log.display());
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// An empty file in the system's tree.
    fn file(self, inside: &str) -> Self {
        let file = self.path("root").join(inside);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
        self
    }

    /// The virtual environment of the tests' llama-server, as an earlier run left it.
    fn prepared_server(self) -> Self {
        fs::create_dir_all(self.path(SERVER)).unwrap();
        self
    }

    fn without_server(self) -> Self {
        fs::remove_dir_all(self.path("target/llama-server")).unwrap();
        self
    }

    /// A Python whose pip brings the wheel.
    fn python(self) -> Self {
        let (venv, server) = (self.path("target/llama-server/bin"), self.path(SERVER));
        let (venv, server) = (venv.display(), server.display());
        let make = format!(
            "case \"$*\" in *venv\\ --clear*) /bin/mkdir -p '{venv}'; \
             /bin/cp \"$0\" '{venv}/python' ;; *-m\\ pip*) /bin/mkdir -p '{server}' ;; esac"
        );
        self.command("python3", &make)
    }

    fn without(self, names: &[&str]) -> Self {
        for name in names {
            let file = if name.contains('/') {
                self.path("root").join(name)
            } else {
                self.path("bin").join(name)
            };
            fs::remove_file(file).unwrap();
        }
        self
    }

    /// An apt-get that brings the commands `brings` (and libclang where asked).
    fn apt(self, brings: &[&str]) -> Self {
        let bin = self.path("bin");
        let mut body = "case \" $* \" in *' install '*) ;; *) exit 0 ;; esac\n".to_owned();
        for name in brings {
            let rustc = "echo 'rustc 1.99.0 (abc 2030-01-01)'";
            let script = if *name == "rustc" { rustc } else { "" };
            let file = bin.join(name);
            let file = file.display();
            writeln!(body, "printf '#!/bin/bash\\n%s\\n' \"{script}\" >'{file}'").unwrap();
            writeln!(body, "/bin/chmod +x '{file}'").unwrap();
        }
        self.command("apt-get", &body).command("apt-cache", "echo '  Candidate: (none)'")
    }

    fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Output {
        Command::new(self.path("bin/bash"))
            .arg(repository().join("x"))
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.folder.path())
            .env("OSTYPE", "linux-gnu")
            .env("CARGO_TARGET_DIR", self.path("target"))
            .env("KARAT_X_SYSROOT", self.path("root"))
            .envs(env.iter().copied())
            .output()
            .unwrap()
    }

    fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, &[])
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn real(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not on this machine"))
}

/// Runs the script; `want_in_stderr` must all be said, and the exit code must be `code`.
#[track_caller]
fn check(machine: &Machine, args: &[&str], code: i32, want_in_stderr: &[&str]) -> Output {
    let output = machine.run(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "stderr: {stderr}");
    for want in want_in_stderr {
        assert!(stderr.contains(want), "`{want}` is not in: {stderr}");
    }
    output
}

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
fn a_llama_server_is_installed_for_the_tests_alone() {
    let machine = Machine::complete().without_server().python();
    let wanted = ["missing: a llama-server", "pip install xllamacpp==2026.10.11549"];
    check(&machine, &["test"], 0, &wanted);
    assert!(machine.log().contains("-m pip install --quiet --no-deps --only-binary :all: xllamacpp=="));
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

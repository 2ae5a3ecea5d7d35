//! A PostgreSQL server of the tests' own: a real one, on a socket in a temporary folder, that ends
//! with the process that started it, however that ends.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;

/// Makes the cluster, serves until the standard input ends, and removes the server then. PostgreSQL
/// refuses to run as root, so root gives it to the user that the package makes.
const SCRIPT: &str = r#"
set -eu
folder=$1 port=$2 bin=$3
as_owner=
if [ "$(id -u)" = 0 ]; then
    chown postgres "$folder"
    as_owner="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
cd "$folder"
$as_owner "$bin/initdb" -D data -U turnpike -A trust -E UTF8 --no-sync >log 2>&1
$as_owner "$bin/postgres" -D data -k "$folder" -p "$port" -h 127.0.0.1 \
    -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=400 \
    >>log 2>&1 &
server=$!
echo "$server"
read -r _ || true
kill -INT "$server" 2>/dev/null || true
wait "$server" 2>/dev/null || true
"#;

/// A running server.
pub struct PostgresServer {
    folder: TempDir,
    port: u16,
    databases: AtomicU32,
    pid: u32,
    child: Child,
    /// Its end is the sign to stop.
    stop: Option<ChildStdin>,
}

impl PostgresServer {
    /// Starts one and waits until it answers.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("pg").tempdir().expect("a temporary folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        open_to_all(folder.path());
        let mut child = Command::new("bash")
            .args(["-c", SCRIPT, "postgres"])
            .args([folder.path(), Path::new(&port.to_string()), &programs()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash starts");
        let stop = child.stdin.take();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let pid = said.trim().parse().unwrap_or_else(|_| panic!("{}", log(folder.path())));
        let server = Self { folder, port, databases: AtomicU32::new(0), pid, child, stop };
        server.wait_until_it_answers();
        server
    }

    /// The one that every test of this process shares. Each test takes a database of its own.
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<PostgresServer> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    /// The URL of a new, empty database.
    pub fn database(&self) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, name: &str) -> String {
        format!("postgres://turnpike@127.0.0.1:{}/{name}", self.port)
    }

    /// Runs a statement; answers what psql prints, without headings.
    pub fn psql(&self, database: &str, statement: &str) -> String {
        let answered = self.try_psql(database, statement);
        answered.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    fn try_psql(&self, database: &str, statement: &str) -> Result<String, String> {
        let output = Command::new(Path::new(&programs()).join("psql"))
            .args([
                "-X",
                "-At",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                &self.url(database),
                "-c",
                statement,
            ])
            .output()
            .expect("psql starts");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    fn wait_until_it_answers(&self) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while self.try_psql("postgres", "SELECT 1").is_err() {
            assert!(std::time::Instant::now() < deadline, "{}", log(self.folder.path()));
        }
    }

    /// Stops every process of the server where it stands, or lets them go on.
    pub fn signal(&self, name: &str) {
        let script = format!("kill -{name} {0} $(pgrep -P {0}) 2>/dev/null || true", self.pid);
        assert!(Command::new("bash").args(["-c", &script]).status().unwrap().success());
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(mut stop) = self.stop.take() {
            let _ended_before = stop.write_all(b"\n");
        }
        let _ended_before = self.child.wait();
    }
}

/// Where the package keeps the programs: the newest version.
fn programs() -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = installed.map(|entry| entry.path().join("bin")).max();
    newest
        .filter(|bin| bin.join("initdb").exists())
        .unwrap_or_else(|| PathBuf::from("/usr/local/bin"))
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_else(|error| error.to_string())
}

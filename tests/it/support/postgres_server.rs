//! A PostgreSQL server of the tests' own: a real one, on a socket in a temporary folder, that ends
//! with the process that started it, however that ends.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;

/// Makes the cluster and serves until the standard input ends, then removes the folder: the server
/// that tests share is never dropped, and would leave a gigabyte behind with every run. Stops and
/// starts the server when told to there. PostgreSQL refuses to run as root, so root gives it to the
/// user that the package makes.
const SCRIPT: &str = r#"
set -eu
# Ctrl-C reaches this, too; but the end of the input is the sign to stop and to clean up.
trap : INT TERM
folder=$1 port=$2 bin=$3
shift 3
as_owner=
if [ "$(id -u)" = 0 ]; then
    chown -R postgres "$folder"
    as_owner="setpriv --reuid=postgres --regid=postgres --clear-groups"
fi
cd "$folder"
$as_owner "$bin/initdb" -D data -U turnpike -A trust -E UTF8 --no-sync >log 2>&1
serve() {
    $as_owner "$bin/postgres" -D data -k "$folder" -p "$port" -h 127.0.0.1 \
        -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=400 \
        "$@" >>log 2>&1 &
    server=$!
    echo "$server"
}
serve "$@"
while read -r word; do
    case $word in
    stop) kill -QUIT "$server"; wait "$server" 2>/dev/null || true; echo stopped ;;
    start) serve "$@" ;;
    esac
done
kill -CONT "$server" $(pgrep -P "$server") 2>/dev/null || true
kill -INT "$server" 2>/dev/null || true
wait "$server" 2>/dev/null || true
cd /
rm -rf "$folder"
"#;

/// A running server.
pub struct PostgresServer {
    folder: TempDir,
    port: u16,
    databases: AtomicU32,
    pid: AtomicU32,
    child: Child,
    /// Its end is the sign to stop.
    talk: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl PostgresServer {
    /// Starts one and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[], &[])
    }

    /// One that keeps what it has confirmed when it is stopped at once, as servers are set up.
    pub fn start_safe() -> Self {
        Self::start_with(&[], &["synchronous_commit=on"])
    }

    /// Starts one with these files in its folder, which is its working directory, and these settings,
    /// such as `ssl=on`.
    pub fn start_with(files: &[(&str, &str)], settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("pg").tempdir().expect("a temporary folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
            set_mode(&folder.path().join(name), 0o600);
        }
        set_mode(folder.path(), 0o755);
        let mut child = Command::new("bash")
            .args(["-c", SCRIPT, "postgres"])
            .args([folder.path(), Path::new(&port.to_string()), &programs()])
            .args(settings.iter().flat_map(|setting| ["-c", *setting]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash starts");
        let talk = child.stdin.take().zip(child.stdout.take().map(BufReader::new));
        let (databases, pid) = (AtomicU32::new(0), AtomicU32::new(0));
        let server = Self { folder, port, databases, pid, child, talk: Mutex::new(talk) };
        server.has_started();
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
        format!("postgres://turnpike@{}/{name}", self.address())
    }

    /// Host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Runs a statement; answers what psql prints, without headings.
    pub fn psql(&self, database: &str, statement: &str) -> String {
        let answered = self.try_psql(database, statement);
        answered.unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    fn try_psql(&self, database: &str, statement: &str) -> Result<String, String> {
        let mut psql = Command::new(programs().join("psql"));
        psql.args(["-X", "-At", "-v", "ON_ERROR_STOP=1", "-U", "turnpike", "-c", statement]);
        self.run(psql, database)
    }

    /// Everything in a database, as text.
    pub fn dump(&self, database: &str) -> String {
        self.run(Command::new(programs().join("pg_dump")), database).expect("a dump")
    }

    fn run(&self, mut program: Command, database: &str) -> Result<String, String> {
        let output = program
            .env("PGHOST", self.folder.path())
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", "turnpike")
            .env("PGDATABASE", database)
            .output()
            .expect("PostgreSQL's programs are installed");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// Ends as the server ends whose process does, which drops nothing. Answers the folder it had.
    pub fn leave(self) -> PathBuf {
        self.talk.lock().unwrap().take();
        let folder = self.folder.path().to_owned();
        std::mem::forget(self);
        folder
    }

    /// Ends every process of the server at once, as a crash would.
    pub fn stop(&self) {
        assert_eq!(self.tell("stop"), "stopped");
    }

    /// Starts it again.
    pub fn start_again(&self) {
        self.tell_only("start");
        self.has_started();
    }

    /// Stops every process of the server where it stands, or lets them go on.
    pub fn signal(&self, name: &str) {
        let pid = self.pid.load(Ordering::Relaxed);
        let script = format!("kill -{name} {pid} $(pgrep -P {pid}) 2>/dev/null || true");
        assert!(Command::new("bash").args(["-c", &script]).status().unwrap().success());
    }

    fn has_started(&self) {
        let said = self.hear();
        let pid = said.parse().unwrap_or_else(|_| panic!("{said}\n{}", log(self.folder.path())));
        self.pid.store(pid, Ordering::Relaxed);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while self.try_psql("postgres", "SELECT 1").is_err() {
            assert!(std::time::Instant::now() < deadline, "{}", log(self.folder.path()));
        }
    }

    fn tell(&self, word: &str) -> String {
        self.tell_only(word);
        self.hear()
    }

    fn tell_only(&self, word: &str) {
        let mut talk = self.talk.lock().unwrap();
        writeln!(talk.as_mut().unwrap().0, "{word}").unwrap();
    }

    fn hear(&self) -> String {
        let mut said = String::new();
        self.talk.lock().unwrap().as_mut().unwrap().1.read_line(&mut said).unwrap();
        said.trim().to_owned()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.talk.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
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

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_else(|error| error.to_string())
}

//! The load balancer of `deploy/`, run here: its configuration with other addresses and folders.

use std::{
    fs::Permissions,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use tempfile::TempDir;

use super::tools::text;
use crate::support::{Caller, until};

/// Serves until the standard input ends, so that it ends with the tests however they end.
const SCRIPT: &str = r#"
nginx -p "$1" -c "$1/nginx.conf" -e stderr -g "daemon off;" &
server=$!
cat >/dev/null
kill -TERM "$server"
wait "$server"
"#;

/// A running nginx.
pub struct Nginx {
    address: SocketAddr,
    child: Child,
    talk: Option<ChildStdin>,
    _folder: TempDir,
}

impl Nginx {
    /// Before these two gateways.
    pub async fn before(gateways: [SocketAddr; 2]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = TempDir::new().unwrap();
        // Its workers are another user where this one is root.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let configuration = configuration(folder.path(), address, gateways);
        std::fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "nginx"])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let talk = child.stdin.take();
        let nginx = Self { address, child, talk, _folder: folder };
        until("nginx serves", async || nginx.caller("").try_connect().await).await;
        nginx
    }

    /// Someone with this key, who calls the balancer.
    pub fn caller(&self, key: &str) -> Caller {
        Caller::bearer(self.address, key)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.talk.take());
        self.child.wait().ok();
    }
}

fn configuration(folder: &Path, listen: SocketAddr, gateways: [SocketAddr; 2]) -> String {
    let mut configuration = text("nginx/nginx.conf");
    for (shipped, here) in [
        ("listen 8080;", format!("listen {listen};")),
        ("server one:8080 ", format!("server {} ", gateways[0])),
        ("server two:8080 ", format!("server {} ", gateways[1])),
        ("/tmp/", format!("{}/", folder.display())),
    ] {
        assert!(configuration.contains(shipped), "nginx.conf has no {shipped}");
        configuration = configuration.replace(shipped, &here);
    }
    configuration
}

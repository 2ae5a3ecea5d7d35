//! nginx as a plain reverse proxy: the yardstick that every reader knows.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::child::Running;
use crate::fault::Outcome;

/// Starts nginx before `upstream`, with all it writes in `dir`.
pub fn start(
    dir: &Path,
    listen: SocketAddr,
    upstream: SocketAddr,
    threads: usize,
) -> Outcome<Running> {
    fs::create_dir_all(dir)?;
    let file = dir.join("nginx.conf");
    fs::write(&file, configuration(dir, listen, upstream, threads))?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(dir).arg("-c").arg(&file);
    command.args(["-e", "stderr"]);
    Running::start(command, listen, &dir.join("output.log"))
}

/// Nothing is buffered and nothing is logged; connections live as long as the run, as they do in
/// Pingora.
fn configuration(dir: &Path, listen: SocketAddr, upstream: SocketAddr, threads: usize) -> String {
    let dir = dir.display();
    format!(
        "daemon off;
pid {dir}/nginx.pid;
worker_processes {threads};
worker_rlimit_nofile 20000;
events {{ worker_connections 16000; }}
http {{
    access_log off;
    client_max_body_size 64m;
    client_body_buffer_size 64k;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    keepalive_requests 1000000000;
    tcp_nodelay on;
    upstream vendor {{ server {upstream}; keepalive 128; keepalive_requests 1000000000; }}
    server {{
        listen {listen} reuseport;
        location / {{
            proxy_pass http://vendor;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_read_timeout 300s;
        }}
    }}
}}
"
    )
}

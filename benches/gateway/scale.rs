//! Size: a gateway with a hundred thousand keys, all of them in use, and two thousand routes, beside
//! one with a handful of either, on the same load.

use std::path::{Path, PathBuf};

use turnpike::auth::{KeySource, MintedKey, unlock};
use turnpike::domain::{KeyId, RouteId, Timestamp};
use turnpike::store::{KeyRow, ProviderRow, RouteRow, SeenUser, Store};

use crate::environment::Environment;
use crate::fault::Outcome;
use crate::http1::Connection;
use crate::measure::Meter;
use crate::mock_wire::UPSTREAM_MODEL;
use crate::report::{complain, say};
use crate::samples::median;
use crate::targets::Target;

/// What the issue promises.
const START_SECONDS: f64 = 2.0;
const MEMORY_MIB: f64 = 120.0;
/// How much slower the request path may measure: two equal gateways differ by as much.
const SLOWER: f64 = 1.05;

/// What the user may choose.
pub struct Plan {
    /// The gateway's binary.
    pub turnpike: PathBuf,
    /// Keys to make.
    pub keys: usize,
    /// Routes to make.
    pub routes: usize,
    /// Interleaved rounds of load.
    pub rounds: usize,
    /// File to keep the table in.
    pub results: Option<PathBuf>,
}

/// Runs the plan, prints and keeps the figures, and judges them.
pub async fn run(plan: Plan) -> Outcome<()> {
    let environment = Environment::now(Some(&plan.turnpike));
    let bench = std::env::current_exe()?;
    let dir = tempfile::tempdir()?;
    let direct = Target::direct(&bench, dir.path())?;
    let few = Target::turnpike(plan.turnpike.clone(), &dir.path().join("few"), direct.addr).await?;
    let many_dir = dir.path().join("many");
    let many = Target::turnpike(plan.turnpike.clone(), &many_dir, direct.addr).await?;
    complain(&format!("making {} keys and {} routes", plan.keys, plan.routes));
    let keys = fill(&many_dir.join("turnpike/data"), plan.keys, plan.routes).await?;
    let few = few.restart(&bench, &dir.path().join("few")).await?;
    let many = many.restart(&bench, &many_dir).await?;
    let start = many.start_seconds;
    let started = many.process.memory()?;
    complain("using every key once");
    use_all(&many, &keys).await?;
    let used = many.process.memory()?;

    let meter = Meter { bench: &bench, mock: direct.addr };
    let (mut cpu, mut latency, mut ratios) = ([vec![], vec![]], [vec![], vec![]], vec![]);
    for target in [&few, &many] {
        meter.load(target, 966, 32, 1.0).await?;
    }
    for number in 0..plan.rounds {
        let mut round = [0.0, 0.0];
        // Each goes first in turn.
        for place in [number % 2, 1 - number % 2] {
            let target = if place == 0 { &few } else { &many };
            let costed = meter.load(target, 966, 32, 3.0).await?;
            let single = meter.load(target, 966, 1, 1.0).await?;
            round[place] = costed.cpu_micros_per_request;
            cpu[place].push(costed.cpu_micros_per_request);
            latency[place].push(f64::from(single.load.latency.p50));
        }
        ratios.push(round[1] / round[0]);
    }
    let ratio = median(&ratios);
    let loaded = many.process.memory()?;
    let table = format!(
        "# Size\n\nMade by `make bench-scale`.\n\n{} | {} | {} | {} | load average {}\n\n\
         | | a handful | {} keys, {} routes |\n|---|---:|---:|\n\
         | start-up until ready, s (≤ {START_SECONDS}) | | {start:.2} |\n\
         | memory, started, MiB (≤ {MEMORY_MIB}) | | {:.1} |\n\
         | memory, every key used, MiB (≤ {MEMORY_MIB}) | | {:.1} |\n\
         | memory, after load, MiB (≤ {MEMORY_MIB}) | {:.1} | {:.1} |\n\
         | CPU of a request, 32 connections, µs | {:.1} | {:.1} |\n\
         | median of a request, one connection, µs | {:.0} | {:.0} |\n\
         | CPU, to a handful (≤ {SLOWER}) | | {ratio:.3} |\n",
        environment.date,
        environment.commit,
        environment.rustc,
        environment.cpu,
        environment.load_average,
        plan.keys,
        plan.routes,
        started.mib(),
        used.mib(),
        few.process.memory()?.mib(),
        loaded.mib(),
        median(&cpu[0]),
        median(&cpu[1]),
        median(&latency[0]),
        median(&latency[1]),
    );
    say(&table);
    if let Some(file) = plan.results {
        std::fs::write(file, &table)?;
    }
    let memory = started.mib().max(used.mib()).max(loaded.mib());
    if start > START_SECONDS || memory > MEMORY_MIB || ratio > SLOWER {
        return Err("a promised figure was missed".into());
    }
    Ok(())
}

/// Adds keys and routes to the gateway's organization, beside the gateway; it learns of them when it
/// starts again. Answers the keys.
async fn fill(data: &Path, keys: usize, routes: usize) -> Outcome<Vec<MintedKey>> {
    let store = Store::open(&format!("sqlite://{}", data.join("turnpike.db").display())).await?;
    let source = KeySource::Master { setting: None, data_dir: data };
    let keyring = unlock(&store, &source).await?;
    let org = store.ensure_org("bench").await?.id;
    let seen = SeenUser {
        org,
        issuer: "bench",
        subject: "filler",
        email: None,
        roles: &[],
        groups: &["research".to_owned()],
        at: Timestamp::now(),
    };
    let user = store.ensure_user(&seen).await?.user.id;
    let mut minted = Vec::with_capacity(keys);
    let mut tx = store.write().await?;
    for number in 0..keys {
        let key = MintedKey::new(&keyring)?;
        tx.insert_key(&KeyRow {
            id: KeyId::random(),
            org_id: org,
            user_email: None,
            name: format!("key {number}"),
            key_prefix: key.prefix.clone(),
            hash: key.hash.to_vec(),
            created_by_user_id: user,
            user_id: Some(user),
            group_name: None,
            scopes: Vec::new(),
            created_at: Timestamp::now(),
            expires_at: None,
            revoked_at: None,
            user_groups: Vec::new(),
            person: None,
        })
        .await?;
        minted.push(key);
    }
    let providers = tx.providers(org).await?;
    for number in 0..routes {
        let provider = providers.get(number % providers.len()).ok_or("no provider")?;
        tx.insert_route(&route(provider, number)).await?;
    }
    tx.touch(org).await?;
    tx.commit().await?;
    store.close().await;
    Ok(minted)
}

fn route(provider: &ProviderRow, number: usize) -> RouteRow {
    RouteRow {
        id: RouteId::random(),
        org_id: provider.org_id,
        provider_id: provider.id,
        model_alias: format!("alias-{number}"),
        upstream_model: UPSTREAM_MODEL.to_owned(),
        enabled: true,
        priority: 0,
        retry_on_429_count: 0,
        retry_on_429_max_wait_secs: 0,
        bare_alias: true,
        request_timeout_secs: None,
        request_timeout_inherited: true,
        stream_idle_timeout_secs: None,
        stream_idle_timeout_inherited: true,
        max_concurrent_requests: None,
        created_at: Timestamp::now(),
        updated_at: Timestamp::now(),
    }
}

/// Has the gateway look every key up: whoever asks for a path that is none is told so only if the
/// key is known.
async fn use_all(target: &Target, keys: &[MintedKey]) -> Outcome<()> {
    let mut connection = Connection::open(target.addr).await?;
    for key in keys {
        let request = format!(
            "GET /v1/nowhere HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
            target.addr,
            key.plain.expose()
        );
        connection.send(request.as_bytes()).await?;
        let head = connection.head().await?;
        connection.body_length().await?;
        if head.status != 404 {
            return Err(format!("a key is answered {}", head.status).into());
        }
        if head.close {
            connection = Connection::open(target.addr).await?;
        }
    }
    target.settle().await
}

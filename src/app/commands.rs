//! One function per command.

use std::{future::Future, io::Write, process::ExitCode, time::Duration};

use super::{AppError, objections, parts, rotate, serve, site};
use crate::{
    admin, auth,
    cli::{
        Command, ConfigFile, EXIT_CONFIG, LinkRequest, NamedUser, NewServiceAccount,
        RotationRequest, ServiceAccount, TokenRequest,
    },
    config::{self, Config, LogFormat},
    healthcheck, observe,
};

/// How long tasks may take to notice that they are dropped.
const LAST_TASKS: Duration = Duration::from_secs(2);

/// Runs the command and tells how it went: errors go to stderr, as every log does.
pub fn run(command: Command) -> ExitCode {
    let done = match command {
        Command::Serve(file) => load_to_serve(&file).and_then(|config| serve_with(&config, false)),
        Command::Quickstart(file) => {
            load_to_serve(&file).and_then(|config| serve_with(&config, true))
        }
        Command::Check(file) => load_to_serve(&file).and_then(|_| say("configuration is valid")),
        Command::Token(request) => {
            load(&request.config).and_then(|config| token(&config, &request))
        }
        Command::ConsoleLink(request) => {
            load(&request.config).and_then(|config| console_link(&config, &request))
        }
        Command::RotateMasterKey(request) => {
            load(&request.config).and_then(|config| rotate_master_key(&config, &request))
        }
        Command::ServiceAccount(ServiceAccount::Create(new)) => {
            load(&new.config).and_then(|config| create_service_account(&config, &new))
        }
        Command::Openapi => say(admin::openapi()),
        Command::Healthcheck(file) => load(&file).and_then(|config| ask_health(&config)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "turnpike: {error}");
            ExitCode::from(if matches!(error, AppError::Config(_)) { EXIT_CONFIG } else { 1 })
        }
    }
}

fn load(file: &ConfigFile) -> Result<Config, AppError> {
    Ok(config::load_for_process(file.path.as_deref())?)
}

/// With everything in it that would keep the gateway from serving, as far as the configuration tells.
fn load_to_serve(file: &ConfigFile) -> Result<Config, AppError> {
    Ok(config::load_to_serve(file.path.as_deref(), objections::to)?)
}

/// Prints a line to stdout.
pub fn say(line: &str) -> Result<(), AppError> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| AppError::Io("stdout", error))
}

fn serve_with(config: &Config, quickstart: bool) -> Result<(), AppError> {
    let format = match config.log.format {
        LogFormat::Auto => observe::LogFormat::Auto,
        LogFormat::Json => observe::LogFormat::Json,
        LogFormat::Text => observe::LogFormat::Text,
    };
    observe::init_logging(format, &config.log.filter);
    block_on(config.server.threads, serve::serve(config, quickstart))
}

fn token(config: &Config, request: &TokenRequest) -> Result<(), AppError> {
    let token = block_on(1, async {
        let (store, keyring) = parts::unlock(config).await?;
        let NamedUser { org, user, role, groups } = &request.user;
        let token = auth::token(&store, &keyring, org, user, *role, groups, request.ttl).await?;
        store.close().await;
        Ok(token)
    })?;
    say(&token)
}

fn console_link(config: &Config, request: &LinkRequest) -> Result<(), AppError> {
    let NamedUser { org, user, role, groups } = &request.user;
    let path = block_on(1, async {
        let (store, keyring) = parts::unlock(config).await?;
        let invited = auth::Invited { org, user, role: *role, groups };
        let path = auth::invite(&store, &keyring, &invited).await?;
        store.close().await;
        Ok(path)
    })?;
    let url = site::console_url(config, config.server.listen, config.admin.listen);
    say(&format!("{url}{}", path.expose()))
}

fn rotate_master_key(config: &Config, request: &RotationRequest) -> Result<(), AppError> {
    say(&block_on(1, rotate::rotate(config, request))?)
}

fn create_service_account(config: &Config, new: &NewServiceAccount) -> Result<(), AppError> {
    let made = block_on(1, async {
        let (store, keyring) = parts::unlock(config).await?;
        let (org, name) = (&new.org, &new.name);
        let made = auth::create_service_account(&store, &keyring, org, name, new.role).await?;
        store.close().await;
        Ok(made)
    })?;
    let shown = serde_json::json!({
        "client_id": made.client_id, "client_secret": made.client_secret.expose(),
    });
    say(&shown.to_string())
}

fn ask_health(config: &Config) -> Result<(), AppError> {
    block_on(1, async { Ok(healthcheck::run(config).await?) })
}

fn block_on<T>(
    threads: usize,
    work: impl Future<Output = Result<T, AppError>>,
) -> Result<T, AppError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("turnpike")
        .enable_all()
        .build()
        .map_err(|error| AppError::Io("cannot start threads", error))?;
    let done = runtime.block_on(work);
    // Requests that outlasted the grace are dropped here, and thereby recorded.
    runtime.shutdown_timeout(LAST_TASKS);
    done
}

//! AWS: who the gateway is there, and roles of organizations that it assumes.
//!
//! The gateway's own credentials come from AWS's usual chain (environment, profiles, web identity,
//! container, instance metadata), by `aws-config`; `AWS_ENDPOINT_URL_STS` is honoured by it. STS:
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>.

mod http;
mod sign;
#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::error::CredentialsError};
use aws_sdk_sts::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_runtime_api::{client::result::ConnectorError, http::Response};
use futures_util::future::BoxFuture;
use moka::sync::Cache;
use tokio::sync::{Mutex, OnceCell};

pub use crate::secrets::AwsRole as Role;
pub use sign::{SignError, Signable, sign};

use self::http::Http;
use super::{CloudError, Renewed};
use crate::{
    domain::Timestamp,
    net::{Bounds, FetchError, Fetcher},
};

const BOUNDS: Bounds = Bounds { time: Duration::from_secs(5), bytes: 256 << 10 };
/// For one call of STS with its retries.
const PATIENCE: Duration = Duration::from_secs(12);
/// Where STS is asked that needs no region in particular.
const USUAL_REGION: &str = "us-east-1";
/// How long "no principal" is believed.
const NO_PRINCIPAL_FOR: Duration = Duration::from_secs(60);
/// Stands in the organization's `CloudTrail`.
const SESSION: &str = "turnpike";
/// Lifetime of an assumed role's credentials, seconds: the most that a role assumed by a role has.
const LIFETIME_SECS: i32 = 3600;
/// Roles whose credentials are kept.
const ROLES: u64 = 10_000;

/// Access to AWS. Clones share it.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    /// For STS.
    guarded: Fetcher,
    /// For the machine's own credentials: their addresses are nobody's choice but the operator's.
    platform: Fetcher,
    principal: Option<String>,
    config: OnceCell<SdkConfig>,
    /// What STS said of the gateway, and when it said nothing.
    asked: Mutex<Asked>,
    roles: Cache<Role, Arc<Renewed<Credentials>>>,
}

#[derive(Default)]
enum Asked {
    #[default]
    Never,
    Is(String),
    Nobody(Instant),
}

impl Aws {
    /// `guarded` is for addresses that others may choose, `platform` for the metadata services of
    /// the machine; `principal` is `aws.principal_arn`.
    #[must_use]
    pub fn new(guarded: Fetcher, platform: Fetcher, principal: Option<String>) -> Self {
        Self(Arc::new(Inner {
            guarded,
            platform,
            principal,
            config: OnceCell::new(),
            asked: Mutex::default(),
            roles: Cache::new(ROLES),
        }))
    }

    /// The principal that trust policies name; none where the gateway has no identity at AWS.
    pub async fn principal(&self) -> Option<String> {
        if let Some(configured) = &self.0.principal {
            return Some(configured.clone());
        }
        let mut asked = self.0.asked.lock().await;
        match &*asked {
            Asked::Is(arn) => return Some(arn.clone()),
            Asked::Nobody(at) if at.elapsed() < NO_PRINCIPAL_FOR => {
                return None;
            }
            _ => {}
        }
        let said = tokio::time::timeout(PATIENCE, self.ask())
            .await
            .unwrap_or_else(|_| Err(CloudError::own("AWS did not answer in time")));
        match said {
            Ok(arn) => {
                *asked = Asked::Is(arn.clone());
                Some(arn)
            }
            Err(error) => {
                tracing::info!(%error, "the gateway has no identity at AWS");
                *asked = Asked::Nobody(Instant::now());
                None
            }
        }
    }

    async fn ask(&self) -> Result<String, CloudError> {
        let answer = self.sts(None).await.get_caller_identity().send().await;
        let answer = answer.map_err(|error| fault(&error))?;
        let arn = answer.arn().ok_or_else(|| CloudError::own("STS named no principal"))?;
        Ok(as_trusted(arn))
    }

    /// Credentials of the role, kept and renewed.
    ///
    /// # Errors
    /// When STS refuses or cannot be asked.
    pub async fn credentials(&self, role: &Role) -> Result<Credentials, CloudError> {
        let kept = self.0.roles.get(role);
        if let Some(fresh) = kept.as_ref().and_then(|kept| kept.fresh()) {
            return Ok(fresh);
        }
        let kept = kept.unwrap_or_else(|| self.0.roles.get_with(role.clone(), Arc::default));
        let (own, role) = (self.clone(), role.clone());
        // Boxed: AWS's client makes futures of 20 KB.
        kept.get(move || -> BoxFuture<'static, _> {
            Box::pin(async move { own.assume(&role).await })
        })
        .await
    }

    /// A vendor refused the role's credentials: they are renewed before their time.
    pub fn doubt(&self, role: &Role) {
        if let Some(kept) = self.0.roles.get(role) {
            kept.doubt();
        }
    }

    /// Tries to assume the role now, whatever is kept.
    ///
    /// # Errors
    /// When STS refuses or cannot be asked.
    pub async fn validate(&self, role: &Role) -> Result<(), CloudError> {
        self.assume(role).await.map(drop)
    }

    async fn assume(&self, role: &Role) -> Result<(Credentials, Duration), CloudError> {
        let call = self
            .sts(Some(&role.region))
            .await
            .assume_role()
            .role_arn(&role.arn)
            .external_id(&role.external_id)
            .role_session_name(SESSION)
            .duration_seconds(LIFETIME_SECS)
            .send();
        let answer = call.await.map_err(|error| fault(&error))?;
        let made =
            answer.credentials().ok_or_else(|| CloudError::own("STS answered no credentials"))?;
        let ends = SystemTime::try_from(*made.expiration())
            .map_err(|_| CloudError::own("STS answered credentials without an end"))?;
        let credentials = Credentials::new(
            made.access_key_id(),
            made.secret_access_key(),
            Some(made.session_token().to_owned()),
            Some(ends),
            SESSION,
        );
        let left = made.expiration().secs().saturating_sub(Timestamp::now().unix_seconds());
        Ok((credentials, Duration::from_secs(u64::try_from(left).unwrap_or_default())))
    }

    async fn sts(&self, region: Option<&str>) -> Client {
        let shared = self.0.config.get_or_init(|| self.load()).await;
        let region = region.map(|name| Region::new(name.to_owned()));
        let region = region.or_else(|| shared.region().cloned());
        let config = aws_sdk_sts::config::Builder::from(shared)
            .http_client(Http { fetcher: self.0.guarded.clone(), bounds: BOUNDS })
            .timeout_config(TimeoutConfig::builder().operation_timeout(PATIENCE).build())
            .region(region.or_else(|| Some(Region::from_static(USUAL_REGION))))
            .build();
        Client::from_conf(config)
    }

    async fn load(&self) -> SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .http_client(Http { fetcher: self.0.platform.clone(), bounds: BOUNDS })
            .load()
            .await
    }
}

/// `arn:aws:sts::1:assumed-role/NAME/SESSION` is a session; a trust policy names its role.
fn as_trusted(arn: &str) -> String {
    let role = arn.split_once(":assumed-role/").and_then(|(account, session)| {
        let (role, _) = session.rsplit_once('/')?;
        let account = account.replacen(":sts:", ":iam:", 1);
        Some(format!("{account}:role/{role}"))
    });
    role.unwrap_or_else(|| arn.to_owned())
}

/// The words for a failure: STS's own message, or ours.
fn fault<E: ProvideErrorMetadata>(error: &SdkError<E, Response>) -> CloudError {
    let answered = |status: u16| {
        CloudError::own(format!("STS answered {status}, and not in its own error form"))
    };
    match error {
        SdkError::ServiceError(refused) => match refused.err().message() {
            Some(message) if !message.is_empty() => CloudError::vendor(message),
            _ => answered(refused.raw().status().as_u16()),
        },
        SdkError::ResponseError(odd) => answered(odd.raw().status().as_u16()),
        SdkError::TimeoutError(_) => CloudError::own("STS did not answer in time"),
        SdkError::DispatchFailure(failure) => dispatch(failure.as_connector_error()),
        _ => CloudError::own("STS cannot be asked: the request could not be made"),
    }
}

fn dispatch(error: Option<&ConnectorError>) -> CloudError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> =
        error.map(|error| error as &(dyn std::error::Error + 'static));
    while let Some(inner) = cause {
        if let Some(ours) = inner.downcast_ref::<FetchError>() {
            return CloudError::own(format!("STS cannot be asked: {ours}"));
        }
        if let Some(error) = inner.downcast_ref::<CredentialsError>() {
            tracing::warn!(%error, "no AWS credentials");
            return no_credentials();
        }
        cause = inner.source();
    }
    // What remains is that nothing was there to sign with.
    no_credentials()
}

fn no_credentials() -> CloudError {
    CloudError::own(
        "the gateway has no AWS credentials of its own to assume a role with; give it some by the \
         environment (AWS_ACCESS_KEY_ID …), a web identity, or the machine's or container's role",
    )
}

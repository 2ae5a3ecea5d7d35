//! The environment over the file: `TURNPIKE_<SECTION>__<KEY>`.

use super::{fault::Place, file::Setting, value::Given};

const PREFIX: &str = "TURNPIKE_";

/// Where clients keep their key, as quickstart proposes. It configures nothing, and who starts the
/// gateway from the same shell has made no mistake.
const CLIENT_KEY: &str = "TURNPIKE_KEY";

/// The settings among the variables. A name without `__` is returned whole, as a key outside every
/// section, so that it is reported as unknown.
pub(super) fn read(variables: &[(String, String)]) -> Vec<Setting> {
    variables.iter().filter_map(|(name, value)| setting(name, value)).collect()
}

/// The variable's name for a key.
pub(super) fn name_of(section: &str, key: &str) -> String {
    format!("{PREFIX}{}__{}", section.to_uppercase(), key.to_uppercase())
}

fn setting(name: &str, value: &str) -> Option<Setting> {
    let rest = name.strip_prefix(PREFIX)?;
    if name == CLIENT_KEY || is_service_link(rest) {
        return None;
    }
    let (section, key) = rest.split_once("__").unwrap_or(("", rest));
    Some(Setting {
        section: section.to_lowercase(),
        key: key.to_lowercase(),
        given: Given::Variable(value.to_owned()),
        place: Place::Environment(name.to_owned()),
    })
}

/// Kubernetes gives every container the addresses of the namespace's services in variables such as
/// `TURNPIKE_SERVICE_HOST` and `TURNPIKE_PORT_8080_TCP_ADDR` if a service is called `turnpike`:
/// <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>
fn is_service_link(rest: &str) -> bool {
    if rest.contains("__") {
        return false;
    }
    let name = format!("_{rest}");
    let has_port = name.split_once("_PORT_").is_some_and(|(_, after)| {
        after.split('_').next().is_some_and(|port| port.parse::<u16>().is_ok())
    });
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_PORT")
        || name.contains("_SERVICE_PORT_")
        || has_port
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let variables: Vec<_> =
            variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        read(&variables).into_iter().map(|s| (s.section, s.key)).collect()
    }

    #[test]
    fn section_and_key_are_parted_by_two_underscores() {
        assert_eq!(
            keys(&[("TURNPIKE_SERVER__MAX_BODY_MB", "8"), ("PATH", "/bin")]),
            [("server".to_owned(), "max_body_mb".to_owned())]
        );
    }

    #[test]
    fn the_names_of_kubernetes_service_links_are_left_alone() {
        for name in [
            "TURNPIKE_SERVICE_HOST",
            "TURNPIKE_SERVICE_PORT",
            "TURNPIKE_SERVICE_PORT_HTTP",
            "TURNPIKE_PORT",
            "TURNPIKE_PORT_8080_TCP",
            "TURNPIKE_PORT_8080_TCP_ADDR",
            "TURNPIKE_ADMIN_SERVICE_HOST",
            "TURNPIKE_ADMIN_PORT_9000_TCP_PROTO",
        ] {
            assert!(keys(&[(name, "tcp://10.0.0.1:8080")]).is_empty(), "{name}");
        }
    }

    #[test]
    fn the_key_of_a_client_in_the_same_shell_is_left_alone() {
        assert!(keys(&[("TURNPIKE_KEY", "bd-x")]).is_empty());
    }

    #[test]
    fn a_name_with_one_underscore_is_kept_to_be_reported() {
        assert_eq!(
            keys(&[("TURNPIKE_SERVER_LISTEN", "x")]),
            [(String::new(), "server_listen".to_owned())]
        );
    }
}

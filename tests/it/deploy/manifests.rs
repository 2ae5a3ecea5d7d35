//! Each manifest is read by a tool that knows its kind.

use std::{fs, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use super::tools::{deploy, passes, said, text, tool, yaml};
use crate::support::Gateway;

/// The most that systemd may find exposed in the unit: tenths, of a hundred.
const EXPOSED: &str = "--threshold=15";

#[test]
fn the_dockerfile_is_without_reproach() {
    passes(tool("deploy/bin/hadolint").arg(deploy("Dockerfile")));
}

#[test]
fn the_image_runs_as_nobody_and_asks_itself_how_it_is() {
    let dockerfile = text("Dockerfile");
    for line in ["USER 65532:65532", "    CMD [\"turnpike\", \"healthcheck\"]"] {
        assert!(dockerfile.lines().any(|found| found == line), "no {line}");
    }
}

#[test]
fn yaml_is_tidy_and_compose_knows_its_file() {
    let config = "{extends: default, rules: {document-start: disable, line-length: {max: 130}, \
                  comments: {min-spaces-from-content: 1}, braces: {max-spaces-inside: 1}}}";
    let mut lint = tool("deploy/bin/yamllint");
    lint.args(["--strict", "--config-data", config]);
    passes(
        lint.args(
            ["compose.yaml", "prometheus", "grafana/provisioning", "helm/turnpike/values.yaml"]
                .map(deploy),
        ),
    );
    let mut schema = tool("deploy/bin/check-jsonschema");
    passes(schema.args(["--builtin-schema", "vendor.compose-spec"]).arg(deploy("compose.yaml")));
}

#[test]
fn secrets_come_from_outside() {
    let compose = yaml(deploy("compose.yaml")).remove(0);
    let services = compose["services"].as_object().unwrap();
    let mut secrets = 0;
    for (service, definition) in services {
        for (name, value) in definition["environment"].as_object().into_iter().flatten() {
            let is_secret =
                ["PASSWORD", "KEY", "URL", "AUTH"].iter().any(|word| name.contains(word));
            if is_secret && name != "TURNPIKE_SERVER__PUBLIC_URL" {
                secrets += 1;
                let value = value.as_str().unwrap();
                assert!(value.contains(":?}"), "{service}: {name} is {value}");
            }
        }
    }
    assert!(secrets >= 8, "{secrets}");
}

/// What the gateway says about the settings that compose gives it.
#[tokio::test]
async fn the_gateway_accepts_what_compose_sets() {
    let compose = yaml(deploy("compose.yaml")).remove(0);
    let gateway = Gateway::configured().on_sqlite();
    let mut check = gateway.command();
    check.arg("check");
    for (name, value) in compose["services"]["one"]["environment"].as_object().unwrap() {
        check.env(name, filled_in(value.as_str().unwrap()));
    }
    let said = said(&check.output().unwrap());
    let faults: Vec<_> = said.lines().filter(|line| line.contains("TURNPIKE_")).collect();
    assert!(faults.is_empty(), "{said}");
}

/// Compose's variables, all with the same value: a password, a master key.
fn filled_in(value: &str) -> String {
    let key = "c2l4dHktZm91ciBoZXggZGlnaXRzIGFyZSAzMiBieXQ=";
    let mut filled = value.to_owned();
    while let Some((before, rest)) = filled.split_once("${") {
        let (name, after) = rest.split_once('}').unwrap();
        let with = if name.ends_with(":?") { key } else { "" };
        filled = format!("{before}{with}{after}");
    }
    filled
}

#[test]
fn containers_cannot_write_to_their_roots_or_gain_rights() {
    let compose = yaml(deploy("compose.yaml")).remove(0);
    for service in ["one", "two", "balancer", "redis", "prometheus", "grafana"] {
        let definition = &compose["services"][service];
        assert_eq!(definition["read_only"], true, "{service}");
        assert_eq!(definition["cap_drop"], serde_json::json!(["ALL"]), "{service}");
    }
}

#[test]
fn prometheus_reads_its_configuration_and_its_rules() {
    let mut check = tool("prometheus/promtool");
    passes(check.args(["check", "config"]).arg(deploy("prometheus/prometheus.yaml")));
}

#[test]
fn alerts_fire_when_they_should_and_not_before() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deploy/alerts.yaml");
    passes(tool("prometheus/promtool").args(["test", "rules", cases]));
}

#[test]
fn every_alert_is_explained() {
    let guide = fs::read_to_string(deploy("../docs/operations.md")).unwrap();
    for rule in yaml(deploy("prometheus/alerts.yaml"))[0]["groups"][0]["rules"].as_array().unwrap()
    {
        let alert = rule["alert"].as_str().unwrap();
        assert!(
            guide.contains(&format!("`{alert}`")),
            "docs/operations.md does not explain {alert}"
        );
    }
}

#[test]
fn dashboards_are_json_and_ask_the_provisioned_source() {
    let dashboard: Value = serde_json::from_str(&text("grafana/dashboards/turnpike.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: std::collections::BTreeSet<_> =
        panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
    }
}

#[test]
fn systemd_understands_the_unit_and_finds_little_exposed() {
    let folder = TempDir::new().unwrap();
    let unit = folder.path().join("turnpike.service");
    let program = "/usr/local/bin/turnpike";
    // It looks whether the program is there.
    let text = text("systemd/turnpike.service").replace(program, env!("CARGO_BIN_EXE_turnpike"));
    fs::write(&unit, text).unwrap();
    let verified = passes(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit));
    // It exits with 0 about keys that it does not know.
    let about_it = said(&verified);
    assert!(!about_it.contains("turnpike.service"), "{about_it}");
    let mut security = Command::new("systemd-analyze");
    passes(security.args(["security", "--offline=true", "--no-pager", EXPOSED]).arg(&unit));
}

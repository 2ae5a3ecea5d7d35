//! The chart, as Helm renders it.

use std::{fs, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use super::tools::{deploy, passes, said, tool, yaml};
use crate::support::Gateway;

const SHARED: &str = "database.existingSecret=database,masterKey.existingSecret=master-key";
const EVERYTHING: [&str; 4] = [
    "redis.existingSecret=redis,autoscaling.enabled=true,ingress.enabled=true,ingress.host=llm.example.com",
    "serviceMonitor.enabled=true,prometheusRule.enabled=true,networkPolicy.enabled=true",
    "config.admin.listen=0.0.0.0:8081,config.upstream.allow_addresses={10.0.0.0/8}",
    "config.auth.issuers[0].issuer=https://id.example.com,config.auth.issuers[0].audience=llm,\
     config.auth.issuers[0].organizations={acme,other}",
];
/// The oldest and the newest Kubernetes that the chart is held to.
const VERSIONS: [&str; 2] = ["1.30", "1.37"];

fn helm(arguments: &[&str], settings: &[&str]) -> Command {
    let mut command = tool("helm/helm");
    command.args(arguments).arg(deploy("helm/turnpike"));
    for setting in settings {
        command.args(["--set", setting]);
    }
    command
}

/// What the chart makes of these settings, in a file of its own.
struct Rendered {
    folder: TempDir,
    documents: Vec<Value>,
}

impl Rendered {
    fn with(settings: &[&str]) -> Self {
        let output = passes(&mut helm(&["template", "release"], settings));
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("all.yaml");
        fs::write(&file, &output.stdout).unwrap();
        let documents = yaml(&file);
        Self { folder, documents }
    }

    fn is_valid(&self) {
        for version in VERSIONS {
            let mut validate = tool("deploy/bin/kubernetes-validate");
            validate.args(["--strict", "--quiet", "-k", version]);
            passes(validate.arg(self.folder.path().join("all.yaml")));
        }
    }

    fn one(&self, kind: &str) -> &Value {
        let found = self.documents.iter().find(|document| document["kind"] == kind);
        found.unwrap_or_else(|| panic!("no {kind}"))
    }

    fn configuration(&self) -> &str {
        self.one("ConfigMap")["data"]["turnpike.toml"].as_str().unwrap()
    }
}

/// What Helm says to settings that it must refuse.
fn refused(settings: &[&str]) -> String {
    let output = helm(&["template", "release"], settings).output().unwrap();
    assert!(!output.status.success());
    said(&output)
}

#[test]
fn helm_has_nothing_to_say_against_it() {
    passes(&mut helm(&["lint", "--strict"], &[SHARED]));
}

#[test]
fn whatever_is_switched_on_kubernetes_knows_it() {
    Rendered::with(&[SHARED]).is_valid();
    Rendered::with(&["replicaCount=1,persistence.enabled=true"]).is_valid();
    let everything = Rendered::with(&[&[SHARED][..], &EVERYTHING].concat());
    everything.is_valid();
    for kind in ["HorizontalPodAutoscaler", "Ingress", "NetworkPolicy", "ServiceMonitor"] {
        everything.one(kind);
    }
}

#[test]
fn pods_run_as_nobody_on_a_root_that_they_cannot_write() {
    let rendered = Rendered::with(&[SHARED]);
    let pod = &rendered.one("Deployment")["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsUser"], 65532);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["automountServiceAccountToken"], false);
    let container = &pod["containers"][0]["securityContext"];
    assert_eq!(container["readOnlyRootFilesystem"], true);
    assert_eq!(container["allowPrivilegeEscalation"], false);
    assert_eq!(container["capabilities"]["drop"], serde_json::json!(["ALL"]));
}

#[test]
fn a_pod_is_given_the_time_that_its_configuration_takes_to_drain() {
    for (settings, seconds) in [
        (&[SHARED][..], 5 + 30 + 15),
        (&[SHARED, "preStopSeconds=0,config.server.shutdown_grace_secs=600"], 600 + 15),
    ] {
        let rendered = Rendered::with(settings);
        let pod = &rendered.one("Deployment")["spec"]["template"]["spec"];
        assert_eq!(pod["terminationGracePeriodSeconds"], seconds);
    }
}

#[test]
fn the_rule_about_gateways_that_are_gone_knows_them_by_whatever_scrapes_them() {
    let rules = yaml(deploy("prometheus/alerts.yaml")).remove(0);
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    let down = rules.iter().find(|rule| rule["alert"] == "TurnpikeDown").unwrap();
    let expression = down["expr"].as_str().unwrap();
    let jobs = expression.strip_prefix("up{job=~\".*").and_then(|rest| rest.split_once(".*\""));
    let (word, _) = jobs.unwrap_or_else(|| panic!("another rule: {expression}"));
    let prometheus = yaml(deploy("prometheus/prometheus.yaml")).remove(0);
    let job = prometheus["scrape_configs"][0]["job_name"].as_str().unwrap();
    assert!(job.contains(word), "{job}");
    // However the release is called.
    let settings =
        [SHARED, "serviceMonitor.enabled=true,fullnameOverride=llm,nameOverride=gateway"];
    let monitor = Rendered::with(&settings);
    let relabelings = &monitor.one("ServiceMonitor")["spec"]["endpoints"][0]["relabelings"];
    assert_eq!(relabelings, &serde_json::json!([{"targetLabel": "job", "replacement": word}]));
}

#[test]
fn its_alerts_are_those_of_prometheus() {
    let rendered = Rendered::with(&[SHARED, "prometheusRule.enabled=true"]);
    let alerts = yaml(deploy("prometheus/alerts.yaml")).remove(0);
    assert_eq!(rendered.one("PrometheusRule")["spec"], alerts);
}

#[tokio::test]
async fn the_gateway_accepts_the_configuration_that_it_makes() {
    let rendered = Rendered::with(&[&[SHARED][..], &EVERYTHING].concat());
    let file = rendered.folder.path().join("turnpike.toml");
    fs::write(&file, rendered.configuration()).unwrap();
    let gateway = Gateway::configured().on_sqlite();
    let mut check = gateway.command();
    passes(check.arg("check").arg("--config").arg(&file));
}

#[test]
fn what_would_fail_later_is_refused_with_the_remedy() {
    let several = refused(&[]);
    assert!(several.contains("set database.existingSecret"), "{several}");
    let lost = refused(&["replicaCount=1"]);
    assert!(lost.contains("persistence.enabled: true"), "{lost}");
    let keyless = refused(&["database.existingSecret=database"]);
    assert!(keyless.contains("set masterKey.existingSecret"), "{keyless}");
    let hasty = refused(&[SHARED, "config.server.shutdown_grace_secs=2"]);
    assert!(hasty.contains("drain_delay_ms"), "{hasty}");
    for secret in ["config.secrets.master_key=x", "config.storage.url=x", "config.redis.url=x"] {
        let open = refused(&[SHARED, secret]);
        assert!(open.contains("schema"), "{open}");
    }
    let typo = refused(&[SHARED, "autoscaling.enable=true"]);
    assert!(typo.contains("autoscaling"), "{typo}");
}

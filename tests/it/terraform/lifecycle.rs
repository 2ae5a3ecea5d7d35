//! A resource's life: apply, plan, change, plan, import, deletion behind its back, destroy.

use serde_json::{Value, json};

use super::{
    Kind, Provider, Reading,
    provider::{Attributes, Diagnostic, attributes, known},
};

/// Walks a resource through everything: `steps` are configurations, each of which changes the one
/// before; after each the plan is empty.
pub async fn lives(provider: &Provider, kind: Kind, steps: &[Value]) {
    let (first, changes) = steps.split_first().expect("a configuration");
    let mut config = attributes(first.clone());
    let mut state = create(provider, kind, &config).await.expect("apply");
    nothing_to_do(provider, kind, &config, &state).await;
    for step in changes {
        config = attributes(step.clone());
        state = update(provider, kind, &config, &state).await.expect("apply of a change");
        nothing_to_do(provider, kind, &config, &state).await;
    }
    let imported = import(provider, kind, &state).await;
    assert_eq!(imported, without(&state, kind.write_only), "an import is the state");
    if kind.reading == Reading::Singleton {
        return;
    }
    provider.delete(&one(kind, &state)).await;
    assert_eq!(read(provider, kind, &state).await, None, "deleted behind its back, it is gone");
    let state = create(provider, kind, &config).await.expect("apply of what was gone");
    nothing_to_do(provider, kind, &config, &state).await;
    provider.delete(&one(kind, &state)).await;
    assert_eq!(read(provider, kind, &state).await, None, "destroyed");
    provider.delete(&one(kind, &state)).await;
}

fn one(kind: Kind, state: &Attributes) -> String {
    format!("{}/{}", kind.path, state["id"].as_str().expect("an id"))
}

/// The fields of a body: those that are configured.
fn body(config: &Attributes, fields: &[&str]) -> Attributes {
    let given = config.iter().filter(|(name, _)| fields.contains(&name.as_str()));
    given.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Creates it as configured; answers the state.
pub async fn create(
    provider: &Provider,
    kind: Kind,
    config: &Attributes,
) -> Result<Attributes, Diagnostic> {
    if kind.reading == Reading::Singleton {
        return update(provider, kind, config, &Attributes::new()).await;
    }
    let sent = json!(body(config, kind.created_with));
    let mut answer = provider.call("POST", kind.path, Some(&sent)).await?;
    let id = answer["id"].as_str().expect("an id").to_owned();
    assert!(!id.is_empty());
    if kind.disabled_after && config.get("enabled") == Some(&json!(false)) {
        let path = format!("{}/{id}", kind.path);
        answer = provider.call("PUT", &path, Some(&json!({"enabled": false}))).await?;
    }
    Ok(applied(kind, config, answer))
}

/// Changes it as configured; answers the state.
async fn update(
    provider: &Provider,
    kind: Kind,
    config: &Attributes,
    state: &Attributes,
) -> Result<Attributes, Diagnostic> {
    // What is not configured keeps the value that the provider knows.
    let mut planned = state.clone();
    planned.retain(|_, value| !value.is_null());
    planned.extend(config.clone());
    let mut sent = body(&planned, kind.updated_with);
    for field in kind.always_updated_with {
        sent.insert((*field).to_owned(), config.get(*field).cloned().unwrap_or_default());
    }
    let path = match kind.reading {
        Reading::Singleton => kind.path.to_owned(),
        _ => one(kind, state),
    };
    let answer = provider.call("PUT", &path, Some(&json!(sent))).await?;
    Ok(applied(kind, config, answer))
}

/// The state after an apply. An answer that is not what was configured is an inconsistent result.
#[track_caller]
fn applied(kind: Kind, config: &Attributes, answer: Value) -> Attributes {
    let answer = attributes(answer);
    for (name, value) in config {
        if !kind.write_only.contains(&name.as_str()) {
            let echoed = known(&answer, name);
            assert_eq!(echoed, known(config, name), "inconsistent result: {name} was {value}");
        }
    }
    for secret in kind.write_only {
        assert!(!answer.contains_key(*secret), "{secret} must not be answered");
    }
    let mut state = seen(kind, &answer);
    state.extend(body(config, kind.write_only));
    state
}

/// The attributes that the provider reads.
fn seen(kind: Kind, answer: &Attributes) -> Attributes {
    kind.read.iter().map(|name| ((*name).to_owned(), known(answer, name))).collect()
}

fn without(state: &Attributes, names: &[&str]) -> Attributes {
    let kept = state.iter().filter(|(name, _)| !names.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Reads it again; none where it is gone.
async fn read(provider: &Provider, kind: Kind, state: &Attributes) -> Option<Attributes> {
    let answer = match kind.reading {
        Reading::ById => provider.read(&one(kind, state)).await?,
        Reading::Singleton => provider.read(kind.path).await?,
        Reading::ByList => {
            let rows = provider.read(kind.path).await.expect("the list");
            let mut rows = rows.as_array().expect("a bare array").iter();
            rows.find(|row| row["id"] == state["id"])?.clone()
        }
    };
    Some(seen(kind, &attributes(answer)))
}

/// Refreshes and plans: what was read is the state, and what is configured.
async fn nothing_to_do(provider: &Provider, kind: Kind, config: &Attributes, state: &Attributes) {
    for _ in 0..2 {
        let read = read(provider, kind, state).await.expect("it is there");
        assert_eq!(read, without(state, kind.write_only), "changed by itself");
        for name in config.keys().filter(|name| !kind.write_only.contains(&name.as_str())) {
            assert_eq!(known(&read, name), known(config, name), "planned: {name}");
        }
    }
}

async fn import(provider: &Provider, kind: Kind, state: &Attributes) -> Attributes {
    let known = body(state, &["id"]);
    read(provider, kind, &known).await.expect("it can be imported")
}

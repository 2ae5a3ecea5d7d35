//! Lists of routes, searched, sorted and paged.

use std::iter;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    error::AdminError,
    paging::{Listed, Listing},
    route_view::RouteView,
    sorting::{self, Entry, Order, Sorts, name, price},
};

/// Which routes, as text.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// `model`: the 1:1 rows, which enable a model on a provider. `alias`: the names that were given,
    /// which are those that can be called without a provider before them or lead to a model of
    /// another name.
    #[param(value_type = Option<RouteKind>, inline)]
    kind: Option<String>,
}

/// What a route is listed as
#[derive(ToSchema)]
#[schema(as = ModelRouteKind, rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a parameter that is read as text")]
enum RouteKind {
    Model,
    Alias,
}

/// The part of `views` that was asked for; they are by alias.
pub(super) fn part(
    views: Vec<RouteView>,
    which: &Which,
    listing: &Listing,
    order: &Order,
) -> Result<Listed<RouteView>, AdminError> {
    match which.kind.as_deref() {
        Some("model") => {
            let models = views.into_iter().filter(RouteView::is_enablement).collect();
            sorting::part(models, listing, order)
        }
        Some("alias") => {
            let given = aliases(views).filter(Alias::is_given).collect();
            Ok(routes_of(sorting::part(given, listing, order)?))
        }
        None => Ok(routes_of(sorting::part(aliases(views).collect(), listing, order)?)),
        Some(_) => Err(AdminError::bad_request("kind must be model or alias")),
    }
}

/// All routes of one name, in the order in which they are tried.
struct Alias(Vec<RouteView>);

impl Alias {
    fn name(&self) -> &str {
        self.0.first().map_or("", |route| &route.model_alias)
    }

    /// Whether it is more than a model's own name behind its provider's.
    fn is_given(&self) -> bool {
        self.0.iter().any(|route| route.bare_alias || !route.is_enablement())
    }
}

/// By name; those of one name follow each other in `views`.
fn aliases(views: Vec<RouteView>) -> impl Iterator<Item = Alias> {
    let mut views = views.into_iter().peekable();
    iter::from_fn(move || {
        let first = views.next()?;
        let name = first.model_alias.clone();
        let mut routes = vec![first];
        while let Some(next) = views.next_if(|next| next.model_alias == name) {
            routes.push(next);
        }
        Some(Alias(routes))
    })
}

fn routes_of(part: Listed<Alias>) -> Listed<RouteView> {
    let entries = part.entries.into_iter().flat_map(|alias| alias.0).collect();
    Listed { entries, next: part.next, total: part.total }
}

impl Entry for Alias {
    const LIST: &'static str = "aliases";
    const SORTS: Sorts<Self> = &[("alias", |alias| Some(name(alias.name())))];

    fn text(&self) -> String {
        self.0.iter().map(RouteView::text).collect::<Vec<_>>().join("\n")
    }

    fn identity(&self) -> String {
        self.name().to_owned()
    }
}

impl Entry for RouteView {
    const LIST: &'static str = "models";
    const SORTS: Sorts<Self> = &[
        ("alias", |route| Some(name(&route.model_alias))),
        ("provider", |route| Some(name(&route.provider_name))),
        ("input", |route| Some(price(route.effective_pricing.input_cost_per_million_tokens?))),
        ("output", |route| Some(price(route.effective_pricing.output_cost_per_million_tokens?))),
    ];

    /// Also as `provider/model`, as people read it.
    fn text(&self) -> String {
        format!("{}\n{}/{}", self.model_alias, self.provider_name, self.upstream_model)
    }

    fn identity(&self) -> String {
        format!("{}/{}", self.model_alias, self.provider_id)
    }
}

//! Pages of lists that are read whole. An organization's providers, routes, prices and policies are as few
//! as its administrators make them, and what is shown of each depends on others: they are searched, put
//! in order and cut into pages here, not by the database.

use std::cmp::Ordering;

use axum::http::HeaderName;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, PartialSchema as _,
    openapi::{Header, HeaderBuilder, RefOr},
};

use super::{
    error::AdminError,
    paging::{Cursor, Listed, Listing, NEXT_CURSOR, TOTAL_COUNT},
};
use crate::domain::{Price, Timestamp};

/// More digits than a number in a name has.
const DIGITS: usize = 20;

/// In which order, as text.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Order {
    /// What to sort by, with `-` before it for the last first. What is not known comes last. Pages for
    /// which it is not said are by the first that there is.
    #[param(max_length = 32)]
    sort: Option<String>,
}

/// The name of [`Order::sort`]: lists that have it tell what [`headers`] describes.
pub(super) const PARAMETER: &str = "sort";

/// The headers of such a list's answers.
pub(super) fn headers() -> [(String, RefOr<Header>); 2] {
    let next = HeaderBuilder::new()
        .schema(Some(String::schema()))
        .description(Some("Where the next page begins; absent on the last."));
    let total = HeaderBuilder::new()
        .schema(Some(u64::schema()))
        .description(Some("How many there are on all pages, of what limit counts."));
    let named =
        |name: HeaderName, header: HeaderBuilder| (name.as_str().to_owned(), header.build().into());
    [named(NEXT_CURSOR, next), named(TOTAL_COUNT, total)]
}

/// What an entry is sorted by. Texts stand for all kinds, so that cursors can carry them.
pub(super) type Key = Option<String>;

/// The names under which a list is sorted; the first is the order of pages that ask for none.
pub(super) type Sorts<T> = &'static [(&'static str, KeyOf<T>)];

type KeyOf<T> = fn(&T) -> Key;

/// An entry of a list that is read whole.
pub(super) trait Entry: 'static {
    /// What the list is of: cursors are of one list.
    const LIST: &'static str;
    const SORTS: Sorts<Self>;

    /// What a search looks at: each of its words must occur.
    fn text(&self) -> String;

    /// What no other entry has, and no change to this one takes away: it orders those that are alike.
    fn identity(&self) -> String;
}

/// Whether every word of a search occurs, in whatever case its letters A to Z are.
fn is_found(entry: &impl Entry, words: &[String]) -> bool {
    let text = entry.text().to_ascii_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// A name as people put it in order: `model-9` before `model-10`, whatever the case.
pub(super) fn name(text: &str) -> String {
    let mut key = String::with_capacity(text.len() + DIGITS);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|each: char| each.is_ascii_digit()).len();
        if digits == 0 {
            key.extend(first.to_lowercase());
            rest = &rest[first.len_utf8()..];
        } else {
            let (number, after) = rest.split_at(digits);
            key.extend(std::iter::repeat_n('0', DIGITS.saturating_sub(digits)));
            key.push_str(number);
            rest = after;
        }
    }
    key
}

/// A price.
pub(super) fn price(price: Price) -> String {
    number(price.units())
}

/// A number that is never negative.
pub(super) fn number(number: i64) -> String {
    format!("{number:020}")
}

/// A share in per cent, with two digits after the point.
pub(super) fn percentage(percentage: f64) -> String {
    format!("{percentage:020.2}")
}

/// A time.
pub(super) fn time(time: Timestamp) -> String {
    // From the first to the last, before the epoch too.
    format!("{:020}", time.0.wrapping_sub(i64::MIN).cast_unsigned())
}

/// Where a page ended.
#[derive(Serialize, Deserialize)]
struct End {
    /// The list and how it was sorted: elsewhere the place says nothing.
    of: String,
    at: Place,
}

/// Where an entry stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place(Key, String);

impl Place {
    fn compared(&self, other: &Self, descending: bool) -> Ordering {
        let keys = match (&self.0, &other.0) {
            (Some(mine), Some(theirs)) if descending => theirs.cmp(mine),
            (Some(mine), Some(theirs)) => mine.cmp(theirs),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        keys.then_with(|| self.1.cmp(&other.1))
    }
}

impl End {
    /// Opaque to clients.
    fn write(&self) -> Option<String> {
        serde_json::to_vec(self).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
    }

    /// The place, if the page was one of that list, so sorted.
    fn read(cursor: &str, of: &str) -> Result<Place, AdminError> {
        let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Cursor::refused())?;
        let end: Self = serde_json::from_slice(&json).map_err(|_| Cursor::refused())?;
        if end.of != of {
            let message = "cursor is of a list that was sorted or chosen otherwise; begin anew";
            return Err(AdminError::bad_request(message));
        }
        Ok(end.at)
    }
}

/// The entries that were asked for, in that order: all of them as they are where nothing was.
pub(super) fn part<T: Entry>(
    mut entries: Vec<T>,
    listing: &Listing,
    order: &Order,
) -> Result<Listed<T>, AdminError> {
    let (search, limit) = (listing.search()?, listing.limit()?);
    let (key, descending) = order.of::<T>()?;
    let of = format!("{} {}", T::LIST, order.sort.as_deref().unwrap_or_default());
    let after = listing.cursor().map(|cursor| End::read(cursor, &of)).transpose()?;
    if let Some(search) = search {
        let words = search.split_whitespace().map(str::to_ascii_lowercase);
        let words: Vec<String> = words.collect();
        entries.retain(|entry| is_found(entry, &words));
    }
    let total = entries.len();
    if limit.is_none() && order.sort.is_none() {
        return Ok(Listed { entries, next: None, total: Some(total) });
    }
    let placed = entries.into_iter().map(|entry| (Place(key(&entry), entry.identity()), entry));
    let mut placed: Vec<(Place, T)> = placed.collect();
    placed.sort_by(|(one, _), (other, _)| one.compared(other, descending));
    if let Some(after) = after {
        placed.retain(|(place, _)| place.compared(&after, descending).is_gt());
    }
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    let more = placed.len() > limit;
    placed.truncate(limit);
    let next = placed.last().filter(|_| more).map(|(place, _)| End { of, at: place.clone() });
    let next = next.and_then(|end| end.write());
    let entries = placed.into_iter().map(|(_, entry)| entry).collect();
    Ok(Listed { entries, next, total: Some(total) })
}

impl Order {
    /// Whether it is by this name, either way.
    pub(super) fn is_by(&self, name: &str) -> bool {
        self.sort.as_deref().is_some_and(|sort| sort.strip_prefix('-').unwrap_or(sort) == name)
    }

    /// What the entries are sorted by, and whether the last comes first.
    fn of<T: Entry>(&self) -> Result<(KeyOf<T>, bool), AdminError> {
        let sort = self.sort.as_deref();
        let descending = sort.is_some_and(|sort| sort.starts_with('-'));
        let found = match sort.map(|sort| sort.strip_prefix('-').unwrap_or(sort)) {
            Some(name) => T::SORTS.iter().find(|(each, _)| *each == name),
            None => T::SORTS.first(),
        };
        found.map(|(_, key)| (*key, descending)).ok_or_else(|| {
            let names: Vec<&str> = T::SORTS.iter().map(|(name, _)| *name).collect();
            AdminError::bad_request(format!(
                "sort must be one of {}, with - before it for the last first",
                names.join(", ")
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::{extract::Query, http::Uri};
    use uuid::Uuid;

    use super::*;

    struct Model(&'static str, Option<i64>);

    impl Entry for Model {
        const LIST: &'static str = "models";
        const SORTS: Sorts<Self> = &[
            ("name", |model| Some(name(model.0))),
            ("cost", |model| Some(price(Price::from_units(model.1?)))),
        ];

        fn text(&self) -> String {
            self.0.to_owned()
        }

        fn identity(&self) -> String {
            self.0.to_owned()
        }
    }

    const MODELS: [(&str, Option<i64>); 4] =
        [("gpt-4o", Some(5)), ("Claude-10", None), ("claude-9", Some(3)), ("mini", Some(5))];

    /// The names of a page of these, and where the next begins.
    fn page_of(
        models: &[(&'static str, Option<i64>)],
        query: &str,
    ) -> (Vec<&'static str>, Option<String>) {
        let uri: Uri = format!("/?{query}").parse().unwrap();
        let Query(listing) = Query::<Listing>::try_from_uri(&uri).unwrap();
        let Query(order) = Query::<Order>::try_from_uri(&uri).unwrap();
        let models = models.iter().map(|(name, cost)| Model(name, *cost)).collect();
        let part = part(models, &listing, &order).unwrap();
        (part.entries.iter().map(|model| model.0).collect(), part.next)
    }

    fn page(query: &str) -> (Vec<&'static str>, Option<String>) {
        page_of(&MODELS, query)
    }

    /// The names of all pages of so many, in their order.
    fn pages(query: &str, limit: usize) -> Vec<&'static str> {
        let (mut all, mut next) = page(&format!("{query}&limit={limit}"));
        while let Some(cursor) = next {
            let (names, further) = page(&format!("{query}&limit={limit}&cursor={cursor}"));
            assert!(!names.is_empty() && names.len() <= limit);
            all.extend(names);
            next = further;
        }
        all
    }

    #[test]
    fn a_list_of_which_no_part_is_asked_for_is_whole_and_in_its_own_order() {
        assert_eq!(page("").0, ["gpt-4o", "Claude-10", "claude-9", "mini"]);
        assert_eq!(page("q=CLAUDE").0, ["Claude-10", "claude-9"]);
        assert_eq!(page("q=10+claude").0, ["Claude-10"], "each word, in whatever order");
    }

    #[test]
    fn names_are_in_order_as_people_count() {
        assert_eq!(page("sort=name").0, ["claude-9", "Claude-10", "gpt-4o", "mini"]);
        assert_eq!(page("sort=-name").0, ["mini", "gpt-4o", "Claude-10", "claude-9"]);
    }

    #[test]
    fn what_is_not_known_is_last_both_ways_and_what_is_alike_keeps_one_order() {
        assert_eq!(page("sort=cost").0, ["claude-9", "gpt-4o", "mini", "Claude-10"]);
        assert_eq!(page("sort=-cost").0, ["gpt-4o", "mini", "claude-9", "Claude-10"]);
    }

    #[test]
    fn pages_of_any_size_are_the_list() {
        for sort in ["name", "-name", "cost", "-cost"] {
            let query = format!("sort={sort}");
            for limit in 1..=5 {
                assert_eq!(pages(&query, limit), page(&query).0, "{sort} by {limit}");
            }
        }
        assert_eq!(pages("q=claude", 1), ["claude-9", "Claude-10"]);
    }

    #[test]
    fn a_page_goes_on_though_the_entry_it_ended_with_is_gone() {
        let (_, next) = page("limit=2");
        let query = format!("limit=2&cursor={}", next.unwrap());
        let left = [MODELS[0], MODELS[2], MODELS[3]];
        assert_eq!(page_of(&left, &query).0, ["gpt-4o", "mini"]);
    }

    #[test]
    fn what_a_list_is_not_sorted_by_and_cursors_that_are_none_are_refused() {
        assert!(Order { sort: Some("colour".into()) }.of::<Model>().is_err());
        let of_keys = Cursor { ts: Timestamp(0), id: Uuid::nil() }.write();
        for cursor in ["", "%%%", "bnVsbA", &of_keys] {
            assert!(End::read(cursor, "models ").is_err(), "{cursor}");
        }
        let by_name = page("limit=1&sort=name").1.unwrap();
        for of in ["models ", "models -name", "models cost", "others name"] {
            assert!(End::read(&by_name, of).is_err(), "{of}");
        }
        assert!(End::read(&by_name, "models name").is_ok());
    }

    #[test]
    fn times_are_in_order_before_the_epoch_too() {
        let keys = [i64::MIN, -1, 0, 1, i64::MAX].map(|at| time(Timestamp(at)));
        assert!(keys.is_sorted());
    }
}

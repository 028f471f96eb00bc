//! The past: of one host, of the fleet, as JSON or as CSV.

use http::{HeaderValue, header};
use serde_json::json;
use warp::{Reply, reply::Response};

use super::{ApiError, call::Call};
use crate::{
    clock::now_unix_ms,
    history::{FleetAggregate, FleetRequest, HistoryRequest, fleet, query, to_csv},
    store::{AccountId, HostId, HostRecord},
    urgency::Urgent,
};

/// Points of an answer when nobody says how many: about as many as a chart has columns.
const POINTS_DEFAULT: usize = 600;
/// The window when nobody says which: the one that the dashboard's charts begin with.
const WINDOW_DEFAULT_MS: i64 = 15 * 60 * 1_000;
/// How far back series are looked for when nobody says: a disk that was taken out yesterday still has a past.
const SERIES_WINDOW_DEFAULT_MS: i64 = 24 * 60 * 60 * 1_000;

/// The parameters of a request, in order, decoded.
pub(super) type Parameters = Vec<(String, String)>;

pub(super) async fn host_history(id: String, call: Call, given: Parameters) -> Result<Response, ApiError> {
    let _urgent = Urgent::begin();
    let host = host(&call, id).await?;
    let (from_unix_ms, to_unix_ms) = window(&given, WINDOW_DEFAULT_MS)?;
    let request = HistoryRequest {
        series: series(&given),
        from_unix_ms,
        to_unix_ms,
        points: points(&given)?,
    };
    let history = query(&*call.api.store, &host, &request, now_unix_ms()).await?;
    if wants_csv(&call, &given) {
        return Ok(csv(to_csv(&history)));
    }
    Ok(warp::reply::json(&history).into_response())
}

pub(super) async fn host_series(id: String, call: Call, given: Parameters) -> Result<Response, ApiError> {
    let _urgent = Urgent::begin();
    let host = host(&call, id).await?;
    let (from, to) = window(&given, SERIES_WINDOW_DEFAULT_MS)?;
    let names = call.api.store.series_names(&host.id, from, to).await?;
    Ok(warp::reply::json(&json!({ "series": names })).into_response())
}

pub(super) async fn fleet_history(call: Call, given: Parameters) -> Result<Response, ApiError> {
    let _urgent = Urgent::begin();
    let account = call.identity()?.account;
    let (from_unix_ms, to_unix_ms) = window(&given, WINDOW_DEFAULT_MS)?;
    let asked = series(&given);
    let [series] = asked.as_slice() else {
        return Err(ApiError::bad_request(
            "the fleet's past takes exactly one series",
            "give series=NAME",
        ));
    };
    let aggregate = match value(&given, "aggregate") {
        None | Some("mean") => FleetAggregate::Mean,
        Some("sum") => FleetAggregate::Sum,
        Some("max") => FleetAggregate::Max,
        Some("p95") => FleetAggregate::P95,
        Some(other) => {
            let message = format!("there is no aggregate `{other}`");
            return Err(ApiError::bad_request(
                message,
                "give aggregate=sum, mean, max or p95",
            ));
        }
    };
    let request = FleetRequest {
        series: series.clone(),
        from_unix_ms,
        to_unix_ms,
        points: points(&given)?,
        aggregate,
        by: value(&given, "by").map(ToOwned::to_owned),
    };
    let hosts = call.api.store.hosts(&account).await?;
    let history = fleet(&*call.api.store, &hosts, &request).await?;
    Ok(warp::reply::json(&history).into_response())
}

/// The host of that id, if it is the caller's.
async fn host(call: &Call, id: String) -> Result<HostRecord, ApiError> {
    let account: AccountId = call.identity()?.account;
    let host = call.api.store.host(&account, &HostId(id)).await?;
    host.ok_or_else(|| ApiError::not_found("host"))
}

fn value<'a>(given: &'a Parameters, name: &str) -> Option<&'a str> {
    given
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

fn number<T: std::str::FromStr>(given: &Parameters, name: &str, default: T) -> Result<T, ApiError> {
    let Some(text) = value(given, name) else {
        return Ok(default);
    };
    let unfit = |_| {
        ApiError::bad_request(
            format!("`{name}={text}` is no number"),
            "give milliseconds since 1970",
        )
    };
    text.parse().map_err(unfit)
}

pub(super) fn window(given: &Parameters, default_ms: i64) -> Result<(i64, i64), ApiError> {
    let to = number(given, "to", now_unix_ms())?;
    let from = number(given, "from", to.saturating_sub(default_ms))?;
    Ok((from, to))
}

fn points(given: &Parameters) -> Result<usize, ApiError> {
    number(given, "points", POINTS_DEFAULT)
}

/// Names with commas between, in one parameter or in several.
fn series(given: &Parameters) -> Vec<String> {
    let lists = given
        .iter()
        .filter(|(key, _)| key == "series")
        .map(|(_, value)| value.as_str());
    let mut names: Vec<String> = Vec::new();
    for name in lists
        .flat_map(|list| list.split(','))
        .filter(|name| !name.is_empty())
    {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn wants_csv(call: &Call, given: &Parameters) -> bool {
    value(given, "format") == Some("csv")
        || call
            .headers
            .get(header::ACCEPT)
            .is_some_and(|accept| accept == "text/csv")
}

fn csv(text: String) -> Response {
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"history.csv\""),
    );
    response
}

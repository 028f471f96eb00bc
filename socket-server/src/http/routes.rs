//! The table of routes.

use std::{convert::Infallible, sync::Arc};

use hyper::upgrade::OnUpgrade;
use metric_flow_lifecycle::Shutdown;
use warp::{Filter, filters::BoxedFilter, reply::Response};

use super::{
    account_routes,
    call::{body, call},
    dashboard, deploy_routes, error, health, history_routes, host_routes, key_routes, socket_routes,
};
use crate::{accounts::Accounts, config::Config, fleet::Fleet, store::Store, telemetry::Telemetry};

/// The parts of the server that requests reach.
pub struct Api {
    /// The configuration.
    pub config: Config,
    /// Who may do what.
    pub accounts: Accounts,
    /// Hosts and viewers.
    pub fleet: Arc<Fleet>,
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// What is counted.
    pub telemetry: Arc<Telemetry>,
    /// Owns the sockets' tasks.
    pub sockets: Shutdown,
}

/// Every route; what none takes becomes an error in the API's form.
pub fn routes(api: &Arc<Api>) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + use<> {
    health_routes(api)
        .or(account_routes(api))
        .unify()
        .or(key_routes(api))
        .unify()
        .or(host_routes(api))
        .unify()
        .or(history_routes(api))
        .unify()
        .or(deploy_event_routes(api))
        .unify()
        .or(socket_routes(api))
        .unify()
        .or(dashboard_routes())
        .unify()
        .recover(error::rejected)
        .unify()
}

type Routes = BoxedFilter<(Response,)>;

/// Makes `path, method => handler` a route. The path comes first, so that another method is told apart from
/// another path.
macro_rules! route {
    ($call:expr, $method:ident $($segment:tt)/ + => $handler:path) => {
        warp::path!($($segment)/ +).and(warp::$method()).and($call.clone()).then($handler).map(reply).boxed()
    };
    ($call:expr, $method:ident $($segment:tt)/ +, body => $handler:path) => {
        warp::path!($($segment)/ +)
            .and(warp::$method())
            .and($call.clone())
            .and(body())
            .then($handler)
            .map(reply)
            .boxed()
    };
}

fn health_routes(api: &Arc<Api>) -> Routes {
    let call = call(Arc::clone(api));
    let live = route!(call, get "healthz" => health::live);
    let ready = route!(call, get "readyz" => health::ready);
    let metrics = route!(call, get "metrics" => health::metrics);
    live.or(ready).unify().or(metrics).unify().boxed()
}

fn account_routes(api: &Arc<Api>) -> Routes {
    let call = call(Arc::clone(api));
    let status = route!(call, get "api" / "v1" / "status" => account_routes::status);
    let set_up = route!(call, post "api" / "v1" / "setup", body => account_routes::set_up);
    let register = route!(call, post "api" / "v1" / "register", body => account_routes::register);
    let log_in = route!(call, post "api" / "v1" / "login", body => account_routes::log_in);
    let refresh = route!(call, post "api" / "v1" / "session" / "refresh" => account_routes::refresh);
    let log_out = route!(call, post "api" / "v1" / "session" / "logout" => account_routes::log_out);
    let account = route!(call, get "api" / "v1" / "account" => account_routes::account);
    let password =
        route!(call, put "api" / "v1" / "account" / "password", body => account_routes::change_password);
    let opening = status
        .or(set_up)
        .unify()
        .or(register)
        .unify()
        .or(log_in)
        .unify()
        .boxed();
    let session = refresh
        .or(log_out)
        .unify()
        .or(account)
        .unify()
        .or(password)
        .unify()
        .boxed();
    opening.or(session).unify().boxed()
}

fn key_routes(api: &Arc<Api>) -> Routes {
    let call = call(Arc::clone(api));
    let list = route!(call, get "api" / "v1" / "keys" => key_routes::list);
    let create = route!(call, post "api" / "v1" / "keys", body => key_routes::create);
    let revoke = route!(call, delete "api" / "v1" / "keys" / String => key_routes::revoke);
    let rotate = route!(call, post "api" / "v1" / "keys" / String / "rotate" => key_routes::rotate);
    list.or(create)
        .unify()
        .or(revoke)
        .unify()
        .or(rotate)
        .unify()
        .boxed()
}

fn host_routes(api: &Arc<Api>) -> Routes {
    let call = call(Arc::clone(api));
    let list = route!(call, get "api" / "v1" / "hosts" => host_routes::list);
    let change = route!(call, patch "api" / "v1" / "hosts" / String, body => host_routes::change);
    let delete = route!(call, delete "api" / "v1" / "hosts" / String => host_routes::delete);
    let ask = route!(call, get "api" / "v1" / "hosts" / String / "ask" / String => host_routes::ask);
    let answer =
        route!(call, get "api" / "v1" / "hosts" / String / "answers" / String => host_routes::last_answer);
    list.or(change)
        .unify()
        .or(delete)
        .unify()
        .or(ask)
        .unify()
        .or(answer)
        .unify()
        .boxed()
}

fn history_routes(api: &Arc<Api>) -> Routes {
    let call = call(Arc::clone(api));
    let parameters = warp::query::<history_routes::Parameters>();
    let history = warp::path!("api" / "v1" / "hosts" / String / "history")
        .and(warp::get())
        .and(call.clone())
        .and(parameters)
        .then(history_routes::host_history)
        .map(reply)
        .boxed();
    let series = warp::path!("api" / "v1" / "hosts" / String / "series")
        .and(warp::get())
        .and(call.clone())
        .and(parameters)
        .then(history_routes::host_series)
        .map(reply)
        .boxed();
    let fleet = warp::path!("api" / "v1" / "fleet" / "history")
        .and(warp::get())
        .and(call)
        .and(parameters)
        .then(history_routes::fleet_history)
        .map(reply)
        .boxed();
    history.or(series).unify().or(fleet).unify().boxed()
}

fn deploy_event_routes(api: &Arc<Api>) -> Routes {
    let call = call(Arc::clone(api));
    let told = route!(call, post "api" / "v1" / "deploy-events", body => deploy_routes::tell);
    let list = warp::path!("api" / "v1" / "deploy-events")
        .and(warp::get())
        .and(call)
        .and(warp::query::<history_routes::Parameters>())
        .then(deploy_routes::list)
        .map(reply)
        .boxed();
    told.or(list).unify().boxed()
}

fn socket_routes(api: &Arc<Api>) -> Routes {
    let call = call(Arc::clone(api));
    let ticket = route!(call, post "api" / "v1" / "live" / "ticket" => socket_routes::ticket);
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let live = warp::path!("api" / "v1" / "live")
        .and(warp::get())
        .and(call.clone())
        .and(query)
        .and(warp::ext::optional::<OnUpgrade>())
        .then(socket_routes::live)
        .map(reply)
        .boxed();
    let node = warp::path!("api" / "v1" / "node")
        .and(warp::get())
        .and(call)
        .and(warp::ext::optional::<OnUpgrade>())
        .then(socket_routes::node)
        .map(reply)
        .boxed();
    ticket.or(live).unify().or(node).unify().boxed()
}

fn dashboard_routes() -> Routes {
    let not_the_api = warp::path::full().and_then(async |path: warp::path::FullPath| {
        // An unknown call of the API is an error in the API's form, not a page.
        if path.as_str().starts_with("/api/") {
            Err(warp::reject::not_found())
        } else {
            Ok(path)
        }
    });
    not_the_api
        .and(warp::get().or(warp::head()).unify())
        .and(warp::header::headers_cloned())
        .map(|path: warp::path::FullPath, headers| reply(dashboard::file(path.as_str(), &headers)))
        .boxed()
}

fn reply(result: Result<Response, super::ApiError>) -> Response {
    use warp::Reply as _;
    match result {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

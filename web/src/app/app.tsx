import { useEffect } from "react";
import { Boundary } from "../ui/boundary";
import { Loading, Problem } from "../ui/states";
import { AccountPage } from "../views/account-page";
import { ComparePage } from "../views/compare-page";
import { FleetPage } from "../views/fleet-page";
import { GatePage } from "../views/gate-page";
import { HostPage } from "../views/host-page";
import { KeysPage } from "../views/keys-page";
import { Shell } from "../views/shell";
import { navigate, type Route, routeOf, useLocation } from "./router";
import { session, useSession } from "./services";

/** Picks the page: by the session first, then by the address. */
export function App() {
  const state = useSession();
  const { path } = useLocation();
  const route = routeOf(path);

  switch (state.phase) {
    case "starting":
      return (
        <main className="gate">
          <Loading what="Metric Flow" />
        </main>
      );
    case "failed":
      return (
        <main className="gate">
          <Problem error={state.error} retry={() => void session.start()} />
        </main>
      );
    case "signed_out":
      return <GatePage route={route} status={state.status} reason={state.reason} />;
    case "signed_in":
      return (
        <Shell account={state.account} route={route}>
          <Boundary key={path}>
            <Page route={route} />
          </Boundary>
        </Shell>
      );
  }
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case "fleet":
      return <FleetPage />;
    case "host":
      return <HostPage key={route.id} id={route.id} />;
    case "compare":
      return <ComparePage />;
    case "keys":
      return <KeysPage />;
    case "account":
      return <AccountPage />;
    case "setup":
    case "register":
    case "login":
      return <ToFleet />;
    case "missing":
      return <Missing />;
  }
}

/** A page for people who are not logged in yet, opened by someone who is. */
function ToFleet() {
  useEffect(() => navigate("/", { replace: true }), []);
  return null;
}

function Missing() {
  return (
    <div className="page narrow">
      <div className="empty">
        <h1>There is no such page</h1>
        <p>The address may be mistyped, or the page may have moved.</p>
        <a className="button" href="/">
          To the fleet
        </a>
      </div>
    </div>
  );
}

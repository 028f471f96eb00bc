import { type ReactNode, useEffect, useRef } from "react";
import type { Account } from "../api/types";
import type { Route } from "../app/router";
import { Mark } from "../ui/brand";
import { Link } from "../ui/link";
import { ConnectionBanner, Pulse } from "./connection";
import { ThemeSwitch } from "./theme-switch";

interface Props {
  account: Account;
  route: Route;
  children: ReactNode;
}

/** What surrounds each page of someone who is logged in. */
export function Shell({ account, route, children }: Props) {
  const main = useRef<HTMLElement>(null);
  const shown = useRef(route.page);
  // A screen reader goes on reading at the new page, not at the link that led there.
  useEffect(() => {
    if (shown.current === route.page) return;
    shown.current = route.page;
    main.current?.focus({ preventScroll: true });
  }, [route.page]);
  const fleetPages = ["fleet", "host", "compare"];
  return (
    <>
      <a className="button skip" href="#main">
        Skip to content
      </a>
      <header className="top">
        <Link href="/" className="brand" aria-label="Metric Flow, fleet">
          <Mark /> <span>Metric Flow</span>
        </Link>
        <nav aria-label="Pages">
          <Link href="/" aria-current={fleetPages.includes(route.page) ? "page" : undefined}>
            Fleet
          </Link>
          <Link href="/keys" aria-current={route.page === "keys" ? "page" : undefined}>
            Keys
          </Link>
          <Link
            href="/account"
            aria-current={route.page === "account" ? "page" : undefined}
            title={account.name}
          >
            Account
          </Link>
        </nav>
        <span className="grow" />
        <Pulse />
        <ThemeSwitch />
      </header>
      <ConnectionBanner />
      <main id="main" tabIndex={-1} ref={main}>
        {children}
      </main>
    </>
  );
}

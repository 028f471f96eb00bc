import { Component, type ReactNode } from "react";
import { type ApiError, asApiError } from "../api/errors";
import { Problem } from "./states";

interface State {
  error: ApiError | null;
}

/** A page with a defect says so; the header and the other pages stay. */
export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(cause: unknown): State {
    return { error: asApiError(cause) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <div className="page narrow">
        <h1>This page has met a defect</h1>
        <Problem error={error} retry={() => this.setState({ error: null })} />
      </div>
    );
  }
}

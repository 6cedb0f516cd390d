// Shows a message in place of an app that broke, or of which a part could not be loaded.
import { Component, type ReactNode } from "react";
import { PageCrash } from "./ErrorState";

export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? <PageCrash /> : this.props.children;
  }
}

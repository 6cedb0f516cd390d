// An address that leads nowhere.
import { Link } from "@tanstack/react-router";
import { EmptyState } from "../ui/EmptyState";

export function NotFoundPage() {
  return (
    <EmptyState title="There is no such page">
      The address may be old or mistyped. <Link to="/">Go to Today</Link>.
    </EmptyState>
  );
}

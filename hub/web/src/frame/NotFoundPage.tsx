// An address that leads nowhere.
import { Link } from "@tanstack/react-router";
import { Empty } from "../ui/states";

export function NotFoundPage() {
  return (
    <Empty title="There is no such page">
      The address may be old or mistyped. <Link to="/">Go to Today</Link>.
    </Empty>
  );
}

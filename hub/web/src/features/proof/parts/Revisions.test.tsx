import { cleanup, render, screen, within } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { toDocument } from "../verify/document";
import fixture from "../verify/ladder.fixture.json";
import { Revisions } from "./Revisions";

type LinkProps = { to: string; search?: { revision?: number }; children: ReactNode };

vi.mock("@tanstack/react-router", () => ({
  Link: ({ to, search, children }: LinkProps) => <a href={`${to}?${search?.revision ?? ""}`}>{children}</a>,
}));

const revision = {
  revision: 1,
  attested_at: "2026-06-01T09:45:05Z",
  import_wh: 324,
  export_wh: 0,
  quality: "estimated" as const,
  rules: [{ rule: "not_measured", says: "A part of the interval was not measured.", doubt: true }],
  merkle_root: "0a".repeat(32),
  interval_account: "1".repeat(32),
  chain_state: "final" as const,
  final_at: "2026-06-01T09:46:00Z",
  refusal: null,
  traded: true,
  billed: false,
};
const second = {
  ...revision,
  revision: 2,
  import_wh: 340,
  traded: false,
  chain_state: "refused" as const,
  refusal: "it comes too late",
};
const third = {
  ...revision,
  revision: 3,
  import_wh: 352,
  quality: "valid" as const,
  rules: [],
  traded: false,
  billed: true,
  chain_state: "waiting" as const,
};

function items(revisions: unknown[], linked = true): HTMLElement[] {
  render(<Revisions proof={toDocument({ ...fixture, revisions })} linked={linked} />);
  return screen.getAllByRole("listitem");
}

afterEach(cleanup);

test("every revision is told with its energy, quality and rules, where it stands and what follows it", () => {
  const [one, two, three] = items([revision, second, third]).map((item) => item.textContent);
  expect(one).toMatch(
    /Revision 1: 324 Wh taken, 0 Wh given, estimated\. The trades are computed from it: they stand\./,
  );
  expect(one).toMatch(
    /attested on the chain \(its account\); proven above.*A part of the interval was not measured\./,
  );
  expect(two).toMatch(/340 Wh taken, .*It was replaced\.not on the chain: it comes too late/);
  expect(three).toMatch(
    /352 Wh taken, 0 Wh given, valid\. The bill is computed from it\.not on the chain yet/,
  );
});

test("the others lead to their own ladders; in a file nothing does", () => {
  const [one, two] = items([revision, second]);
  expect(
    within(two as HTMLElement)
      .getByRole("link")
      .getAttribute("href"),
  ).toBe("/proof/$readingId?2");
  expect(within(one as HTMLElement).queryByText(/prove revision/)).toBeNull();
  cleanup();
  expect(items([revision, second], false)[1]?.querySelector("a")).toBeNull();
});

test("what was never corrected says that it may be", () => {
  items([{ ...revision, billed: true }]);
  expect(screen.getByText(/The trades and the bill are computed from it/)).toBeTruthy();
  expect(screen.getByText(/up to 40 days after the interval/)).toBeTruthy();
});

test("before an interval is attested there is no list", () => {
  render(<Revisions proof={toDocument({ ...fixture, revisions: [] })} linked />);
  expect(screen.queryByRole("list")).toBeNull();
});

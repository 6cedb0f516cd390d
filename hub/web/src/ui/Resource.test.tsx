import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { Problem } from "../api/problem";
import { Resource, ResourcePage } from "./Resource";

const SITE = { name: "Campus", timezone: "Europe/Zurich", sun_offset_s: 0, interval_s: 900, currency: "CHF" };

const query = (values: { data?: string; error?: unknown }) => ({
  data: values.data,
  error: values.error ?? null,
  isError: values.error !== undefined,
  dataUpdatedAt: Date.parse("2026-06-01T10:00:00Z"),
  refetch: vi.fn(async () => undefined),
});

/** Renders with the site in the cache, or with a hub that never gives it. */
function show(node: ReactNode, { withSite = true } = {}) {
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
  const queries = new QueryClient();
  if (withSite) queries.setQueryData(["site"], SITE);
  render(<QueryClientProvider client={queries}>{node}</QueryClientProvider>);
}

const STALE = /as of 12:00:00/;
const REFUSAL = new Problem(503, "unavailable", "The database rests.");

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("a skeleton stands for what loads, with a word for screen readers", () => {
  const text = query({});
  show(
    <Resource name="your text" queries={{ text }} skeleton={<i>skeleton</i>}>
      {(data) => data.text}
    </Resource>,
  );
  expect(screen.getByText("skeleton").parentElement?.getAttribute("aria-busy")).toBe("true");
  expect(screen.getByText("Loading your text")).toBeTruthy();
});

test("what failed says why, and every query is asked for again", async () => {
  const [good, bad] = [query({ data: "here" }), query({ error: REFUSAL })];
  show(
    <Resource name="both" queries={{ good, bad }} skeleton={null}>
      {(data) => data.good}
    </Resource>,
  );
  expect(screen.getByRole("alert").textContent).toContain("The database rests.");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect([good, bad].map(({ refetch }) => refetch.mock.calls.length)).toEqual([1, 1]);
});

test("a part of a page may have a shorter error", () => {
  show(
    <Resource name="it" queries={{ text: query({ error: REFUSAL }) }} skeleton={null} failed="Not now">
      {(data) => data.text}
    </Resource>,
  );
  expect(screen.getByText("Not now")).toBeTruthy();
});

test("what could not be refreshed stays, with its age above it or where the children put it", () => {
  const text = query({ data: "figures", error: REFUSAL });
  show(
    <Resource name="it" queries={{ text }} skeleton={null}>
      {(data) => <b>{data.text}</b>}
    </Resource>,
  );
  expect(screen.getByText("figures")).toBeTruthy();
  expect(screen.getByText(STALE)).toBeTruthy();
  cleanup();

  show(
    <Resource name="it" queries={{ text }} skeleton={null} staleNotice="inside">
      {(data, staleNotice) => (
        <main>
          {data.text}
          {staleNotice}
        </main>
      )}
    </Resource>,
  );
  expect(screen.getByRole("main").textContent).toMatch(STALE);
});

test("a page waits for the site", () => {
  const page = (
    <ResourcePage name="it" queries={{ text: query({ data: "figures" }) }} skeleton="skeleton">
      {(data, site) => `${data.text} in ${site.currency}`}
    </ResourcePage>
  );
  show(page, { withSite: false });
  expect(screen.getByText("skeleton")).toBeTruthy();
  cleanup();

  show(page);
  expect(screen.getByText("figures in CHF")).toBeTruthy();
});

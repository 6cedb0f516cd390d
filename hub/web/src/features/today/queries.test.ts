import { afterEach, expect, test, vi } from "vitest";
import { readBillLines } from "./queries";

afterEach(() => vi.unstubAllGlobals());

test("bill lines are read to the last page: the newest rows have their proofs", async () => {
  const pages: Record<string, { items: { start_at: string }[]; next_cursor: string | null }> = {
    first: { items: [{ start_at: "2026-06-01T09:30:00Z" }], next_cursor: "second" },
    second: { items: [{ start_at: "2026-06-01T09:45:00Z" }], next_cursor: null },
  };
  vi.stubGlobal("fetch", async (request: Request) =>
    Response.json(pages[new URL(request.url).searchParams.get("cursor") ?? "first"]),
  );
  const lines = await readBillLines("2026-06-01T09:30:00Z", "2026-06-01T10:00:00Z");
  expect([...lines.keys()]).toEqual(["2026-06-01T09:30:00Z", "2026-06-01T09:45:00Z"]);
});

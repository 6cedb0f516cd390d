// The hub's clock: countdowns and ages must not depend on a device whose own clock is wrong.

/** Differences up to this are the time that the answer took. */
const TOLERANCE_MS = 1000;

let offsetMs = 0;

/** Takes the time from an answer of the hub (RFC 3339). */
export function syncClock(hubNow: string): void {
  const newOffsetMs = Date.parse(hubNow) - Date.now();
  if (Number.isFinite(newOffsetMs) && Math.abs(newOffsetMs - offsetMs) > TOLERANCE_MS) offsetMs = newOffsetMs;
}

/** Converts a moment of this device's clock (ms since 1970) to the hub's. */
export const toHubTime = (deviceMs: number): Date => new Date(deviceMs + offsetMs);

/** The present moment on the hub's clock. */
export const hubNow = (): Date => toHubTime(Date.now());

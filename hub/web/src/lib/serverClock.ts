// The hub's clock: countdowns and ages must not depend on a device whose own clock is wrong.

let offsetMs = 0;

/** Remembers how far the hub's clock is from this device's, from an answer that says the time. */
export function learnTime(hubNow: string): void {
  const heard = Date.parse(hubNow) - Date.now();
  // Within a second it is the way of the answer, not the clock
  if (Number.isFinite(heard) && Math.abs(heard - offsetMs) > 1000) offsetMs = heard;
}

/** A moment of this device on the hub's clock. */
export const onHubClock = (deviceMs: number): Date => new Date(deviceMs + offsetMs);

/** The present moment on the hub's clock. */
export const hubNow = (): Date => onHubClock(Date.now());

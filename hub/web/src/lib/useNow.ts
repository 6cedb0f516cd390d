// The time on the hub's clock, once a second, for countdowns and ages.
import { useEffect, useState } from "react";
import { hubNow } from "./serverClock";

export function useNow(everyMs = 1000): Date {
  const [now, setNow] = useState(hubNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(hubNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

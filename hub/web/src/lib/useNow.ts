// The present moment on the hub's clock, renewed every second by default, for countdowns and ages.
import { useEffect, useState } from "react";
import { hubNow } from "./serverClock";

export function useNow(periodMs = 1000): Date {
  const [now, setNow] = useState(hubNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(hubNow()), periodMs);
    return () => clearInterval(timer);
  }, [periodMs]);
  return now;
}

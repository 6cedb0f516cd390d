// The meters of who is signed in, with the newest reading of each.
import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../api/client";

export function useMeters() {
  return useQuery({ queryKey: ["meters"], queryFn: () => unwrap(api.GET("/api/v1/meters")) });
}

// What the proof pages ask the hub.
import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import { type ProofDocument, toDocument } from "./verify/document";

export const READING_ID = /^[0-9a-f]{64}$/;

export function useProof(readingId: string, interval: string | undefined, revision: number | undefined) {
  return useQuery({
    queryKey: ["proof", readingId, interval ?? "", revision ?? 0],
    enabled: READING_ID.test(readingId),
    queryFn: async (): Promise<ProofDocument> =>
      toDocument(
        await unwrap(
          api.GET("/api/v1/readings/{reading_id}/proof", {
            params: {
              path: { reading_id: readingId },
              query: { ...(interval ? { interval } : {}), ...(revision ? { revision } : {}) },
            },
          }),
        ),
      ),
  });
}

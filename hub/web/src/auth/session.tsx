// Who is signed in: restores the session with the refresh cookie, signs in and out, and tells the pages.
import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { api, renewOnce, setAccessToken, unwrap, whenSignedOut } from "../api/client";
import { Problem } from "../api/problem";
import type { components } from "../api/schema";

export type User = components["schemas"]["User"];

type Session = {
  /** `silent`: the hub does not say whether there is a session. */
  state: "restoring" | "silent" | "out" | "in";
  user: User | null;
  /** Why the hub is silent. */
  failure: unknown;
  restore: () => Promise<void>;
  /** A sign-out on its way, or one that the hub did not take: the session lives on. */
  leaving: "asked" | "failed" | null;
  signIn: (email: string, password: string) => Promise<void>;
  signOut: () => Promise<void>;
};

const Context = createContext<Session | null>(null);

const AGAIN_MS = 5_000;

async function whoIsIn(): Promise<User | null> {
  if (!(await renewOnce())) return null;
  try {
    return await unwrap(api.GET("/api/v1/auth/me"));
  } catch (error) {
    if (error instanceof Problem && (error.status === 401 || error.status === 403)) return null;
    throw error;
  }
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [user, setUser] = useState<User | null>(null);
  const [restoring, setRestoring] = useState<"asked" | "failed" | null>("asked");
  const [failure, setFailure] = useState<unknown>(null);
  const [leaving, setLeaving] = useState<Session["leaving"]>(null);
  const queries = useQueryClient();

  const restore = useCallback(async () => {
    try {
      setUser(await whoIsIn());
      setRestoring(null);
    } catch (error) {
      setFailure(error);
      setRestoring("failed");
    }
  }, []);

  useEffect(() => {
    whenSignedOut(() => {
      setUser(null);
      setLeaving(null);
      queries.clear();
    });
    void restore();
  }, [queries, restore]);

  useEffect(() => {
    if (restoring !== "failed") return;
    const timer = setInterval(() => void restore(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [restoring, restore]);

  const signIn = useCallback(async (email: string, password: string) => {
    const answer = await unwrap(api.POST("/api/v1/auth/login", { body: { email, password } }));
    setAccessToken(answer.access_token);
    setUser(answer.user);
  }, []);

  const signOut = useCallback(async () => {
    setLeaving("asked");
    const answer = await api.POST("/api/v1/auth/logout").catch(() => null);
    if (!answer?.response.ok) {
      setLeaving("failed");
      return;
    }
    setLeaving(null);
    setAccessToken(null);
    setUser(null);
    queries.clear();
  }, [queries]);

  const known = user ? "in" : "out";
  const state = restoring === "asked" ? "restoring" : restoring === "failed" ? "silent" : known;
  const session = useMemo<Session>(
    () => ({ state, user, failure, leaving, restore, signIn, signOut }),
    [state, user, failure, leaving, restore, signIn, signOut],
  );
  return <Context.Provider value={session}>{children}</Context.Provider>;
}

export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error("useSession is used outside SessionProvider");
  return session;
}

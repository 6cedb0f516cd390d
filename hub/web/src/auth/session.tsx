// Who is signed in: restores the session with the refresh cookie, signs in and out, and tells the pages.
import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { api, renewOnce, setAccessToken, unwrap, whenSignedOut } from "../api/client";
import type { components } from "../api/schema";

export type User = components["schemas"]["User"];

type Session = {
  state: "restoring" | "out" | "in";
  user: User | null;
  signIn: (email: string, password: string) => Promise<void>;
  signOut: () => Promise<void>;
};

const Context = createContext<Session | null>(null);

async function restore(): Promise<User | null> {
  if (!(await renewOnce())) return null;
  return unwrap(api.GET("/api/v1/auth/me"));
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [user, setUser] = useState<User | null>(null);
  const [restoring, setRestoring] = useState(true);
  const queries = useQueryClient();

  useEffect(() => {
    whenSignedOut(() => {
      setUser(null);
      queries.clear();
    });
    restore()
      .then(setUser, () => setUser(null))
      .finally(() => setRestoring(false));
  }, [queries]);

  const signIn = useCallback(async (email: string, password: string) => {
    const answer = await unwrap(api.POST("/api/v1/auth/login", { body: { email, password } }));
    setAccessToken(answer.access_token);
    setUser(answer.user);
  }, []);

  const signOut = useCallback(async () => {
    await api.POST("/api/v1/auth/logout").catch(() => undefined);
    setAccessToken(null);
    setUser(null);
    queries.clear();
  }, [queries]);

  const state = restoring ? "restoring" : user ? "in" : "out";
  const session = useMemo<Session>(() => ({ state, user, signIn, signOut }), [state, user, signIn, signOut]);
  return <Context.Provider value={session}>{children}</Context.Provider>;
}

export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error("useSession is used outside SessionProvider");
  return session;
}

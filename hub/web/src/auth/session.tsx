// Who is signed in: restores the session with the refresh cookie, signs in and out, and tells the pages.
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { api, onSessionEnd, refreshOnce, setAccessToken, unwrap } from "../api/client";
import { Problem } from "../api/problem";
import type { components } from "../api/schema";

export type User = components["schemas"]["User"];

type Session = {
  /** `unknown`: the hub does not say whether there is a session. */
  state: "restoring" | "unknown" | "signed-out" | "signed-in";
  user: User | null;
  /** Why the state is unknown. */
  failure: unknown;
  restore: () => Promise<void>;
  /** A sign-out that was sent, or one that the hub did not take: the session lives on. */
  signOutState: "pending" | "failed" | null;
  signIn: (email: string, password: string) => Promise<void>;
  signOut: () => Promise<void>;
};

const Context = createContext<Session | null>(null);

const RETRY_MS = 5_000;

async function readUser(onConfirmed: () => void): Promise<User | null> {
  if (!(await refreshOnce())) return null;
  onConfirmed();
  try {
    return await unwrap(api.GET("/api/v1/auth/me"));
  } catch (error) {
    if (error instanceof Problem && (error.status === 401 || error.status === 403)) return null;
    throw error;
  }
}

type Props = {
  /** Called as soon as the hub confirms a session, before it says whose. Must stay the same between renders. */
  onConfirmed: () => void;
  children: ReactNode;
};

export function SessionProvider({ onConfirmed, children }: Props) {
  const [user, setUser] = useState<User | null>(null);
  const [restoreState, setRestoreState] = useState<"pending" | "failed" | null>("pending");
  const [failure, setFailure] = useState<unknown>(null);
  const [signOutState, setSignOutState] = useState<Session["signOutState"]>(null);

  const restore = useCallback(async () => {
    try {
      setUser(await readUser(onConfirmed));
      setRestoreState(null);
    } catch (error) {
      setFailure(error);
      setRestoreState("failed");
    }
  }, [onConfirmed]);

  useEffect(() => {
    onSessionEnd(() => {
      setUser(null);
      setSignOutState(null);
    });
    void restore();
  }, [restore]);

  useEffect(() => {
    if (restoreState !== "failed") return;
    const timer = setInterval(() => void restore(), RETRY_MS);
    return () => clearInterval(timer);
  }, [restoreState, restore]);

  const signIn = useCallback(async (email: string, password: string) => {
    const answer = await unwrap(api.POST("/api/v1/auth/login", { body: { email, password } }));
    setAccessToken(answer.access_token);
    setUser(answer.user);
  }, []);

  const signOut = useCallback(async () => {
    setSignOutState("pending");
    const answer = await api.POST("/api/v1/auth/logout").catch(() => null);
    if (!answer?.response.ok) {
      setSignOutState("failed");
      return;
    }
    setSignOutState(null);
    setAccessToken(null);
    setUser(null);
  }, []);

  const settled = user ? "signed-in" : "signed-out";
  const state = restoreState === "pending" ? "restoring" : restoreState === "failed" ? "unknown" : settled;
  const session = useMemo<Session>(
    () => ({ state, user, failure, signOutState, restore, signIn, signOut }),
    [state, user, failure, signOutState, restore, signIn, signOut],
  );
  return <Context.Provider value={session}>{children}</Context.Provider>;
}

export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error("useSession is used outside SessionProvider");
  return session;
}

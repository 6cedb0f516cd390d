// A sign-out that the hub did not take: one is still signed in, whatever one pressed.
import { useSession } from "../auth/session";
import { buttonClass } from "../ui/buttons";
import { StaleNote } from "../ui/states";
import styles from "./Frame.module.css";

export function SignOutFailed() {
  const { leaving, signOut } = useSession();
  if (leaving === null) return null;
  return (
    <div className={styles.leaving} role="alert">
      {leaving === "asked" ? (
        "Signing out"
      ) : (
        <>
          <StaleNote>You are still signed in on this device: the hub did not take your sign-out.</StaleNote>
          <button type="button" className={buttonClass} onClick={() => void signOut()}>
            Sign out again
          </button>
        </>
      )}
    </div>
  );
}

// An error in the place of a page or of a part of it: what happened, what to do, and a button that does it.
import ui from "./ui.module.css";

type Props = { title: string; text: string; action: string; onAction: () => unknown };

export function ErrorState({ title, text, action, onAction }: Props) {
  return (
    <div className={ui.state} role="alert">
      <h2>{title}</h2>
      <p className={ui.stateText}>{text}</p>
      <button type="button" className={ui.button} onClick={() => onAction()}>
        {action}
      </button>
    </div>
  );
}

/** A page that threw, or whose code could not be loaded: the page is lost, the app is not. */
export function PageCrash() {
  return (
    <ErrorState
      title="This page can not be shown"
      text="A part of it did not load, or holds what the app can not show. Nothing you did is lost. If it lasts, tell the operator."
      action="Load it again"
      onAction={() => window.location.reload()}
    />
  );
}

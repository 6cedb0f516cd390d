// The mark of a trade's side: a triangle up in the colour of what was sold, down in that of what was bought.
import ui from "./ui.module.css";

export function SideMark({ side, sizePx }: { side: "sell" | "buy"; sizePx: number }) {
  return (
    <span
      className={ui.sideMark}
      data-side={side}
      style={{ width: sizePx, height: sizePx }}
      aria-hidden="true"
    />
  );
}

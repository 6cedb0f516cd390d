// A grey shape that keeps the place of what is loading.
import ui from "./ui.module.css";

export function Skeleton({ width = "100%", height }: { width?: number | string; height: number }) {
  return <span className={ui.skeleton} style={{ width, height }} aria-hidden="true" />;
}

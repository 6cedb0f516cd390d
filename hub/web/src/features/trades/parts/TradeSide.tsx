// Sold or bought, as a mark and a word.
import { SideMark } from "../../../ui/SideMark";
import { sideLabel } from "../labels";
import type { Trade } from "../queries";
import styles from "../styles.module.css";

export function TradeSide({ side }: Pick<Trade, "side">) {
  return (
    <span className={styles.side}>
      <SideMark side={side} sizePx={10} />
      {sideLabel({ side })}
    </span>
  );
}

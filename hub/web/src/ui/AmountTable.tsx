// Amounts of money that add up, each exact to the micro.
import { exactMoney } from "../lib/format";
import ui from "./ui.module.css";

export type AmountRow = { name: string; micros: number; sum?: boolean };

export function AmountTable({ rows, currency }: { rows: readonly AmountRow[]; currency: string }) {
  return (
    <table className={ui.amounts}>
      <tbody>
        {rows.map(({ name, micros, sum = false }) => (
          <tr key={name} data-sum={sum}>
            <th scope="row">{name}</th>
            <td>{exactMoney(micros, currency)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

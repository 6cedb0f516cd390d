// How the day's saving comes about: what one got and paid, minus the same energy at the utility's tariffs only.
import { energy, exactMoney, price } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { Card } from "../../../ui/Card";
import type { Today } from "../queries";
import styles from "../styles.module.css";

type Row = { name: string; micros: number; sum?: boolean };

function rowsOf(today: Today): Row[] {
  const formula = today.saved_formula;
  return [
    { name: "From your neighbours", micros: formula.credit_micros },
    { name: "To your neighbours, charges included", micros: -formula.debit_micros },
    { name: "With the utility", micros: formula.utility_micros },
    { name: "Your total", micros: formula.total_micros, sum: true },
    { name: "The same energy with the utility only", micros: formula.baseline_micros },
    { name: "Saved: your total minus utility only", micros: formula.saved_micros, sum: true },
  ];
}

export function SavingFormula({ today, site }: { today: Today; site: Site }) {
  const formula = today.saved_formula;
  return (
    <Card title="How the saving comes about" className={styles.formula}>
      <table>
        <tbody>
          {rowsOf(today).map(({ name, micros, sum }) => (
            <tr key={name} data-sum={sum ?? false}>
              <th scope="row">{name}</th>
              <td>{exactMoney(micros, site.currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        {energy(formula.import_wh)} came in and {energy(formula.export_wh)} went out, interval by interval.
        The utility sells at {price(formula.import_tariff_mills)} and buys at{" "}
        {price(formula.export_tariff_mills)} per kWh. The table of the day below opens every interval to its
        proof.
      </p>
    </Card>
  );
}

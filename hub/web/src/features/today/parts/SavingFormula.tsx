// How the day's saving comes about: what was got and paid, minus the same energy at the utility's tariffs only.
import { energy, price } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { type AmountRow, AmountTable } from "../../../ui/AmountTable";
import { Card } from "../../../ui/Card";
import type { Today } from "../queries";
import styles from "../styles.module.css";

function amountRows({ saved_formula: formula }: Today): AmountRow[] {
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
      <AmountTable rows={amountRows(today)} currency={site.currency} />
      <p className={styles.note}>
        {energy(formula.import_wh)} came in and {energy(formula.export_wh)} went out, interval by interval.
        The utility sells at {price(formula.import_tariff_mills)} and buys at{" "}
        {price(formula.export_tariff_mills)} per kWh. The table of the day below opens every interval to its
        proof.
      </p>
    </Card>
  );
}

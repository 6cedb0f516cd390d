// What corrections changed of one's bill: one notice a day, which opens to its intervals.
import { useState } from "react";
import { signedMoney } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { Card } from "../../../ui/Card";
import ui from "../../../ui/ui.module.css";
import type { CorrectionNotice } from "../queries";
import styles from "../styles.module.css";
import { noticeIntervals, noticeSentence } from "../words";
import { CorrectionLines } from "./CorrectionLines";

function Notice({ notice, site }: { notice: CorrectionNotice; site: Site }) {
  const [open, setOpen] = useState(false);
  return (
    <li className={styles.notice}>
      <div className={styles.line}>
        <div>
          <p>{noticeSentence(notice)}</p>
          <p className={ui.quiet}>{noticeIntervals(notice, site)}</p>
        </div>
        <b className={styles.money}>{signedMoney(notice.change_micros, site.currency)}</b>
      </div>
      <button type="button" className={styles.opener} aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? "Hide the intervals" : "Which intervals, and why"}
      </button>
      {open ? <CorrectionLines notice={notice} site={site} /> : null}
    </li>
  );
}

export function CorrectionNotices({ notices, site }: { notices: readonly CorrectionNotice[]; site: Site }) {
  if (notices.length === 0) return null;
  return (
    <Card title="Your bill was corrected">
      <ul>
        {notices.map((notice) => (
          <Notice key={notice.day} notice={notice} site={site} />
        ))}
      </ul>
      <p className={ui.quiet}>
        What you traded stays as it was. The difference is with the utility, on the bill of the day of the
        correction.
      </p>
    </Card>
  );
}

/** Importing a file: look first, say who is who, then all of it or nothing. */

import { useState } from "preact/hooks";
import type { GroupView } from "../../data/model.ts";
import { Failure } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { plural, t } from "../../text/index.ts";
import { BalanceBars } from "../../ui/balance_bars.tsx";
import { Amount, formatDay } from "../../ui/content.tsx";
import { Button, Select } from "../../ui/controls.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Banner, Skeleton } from "../../ui/layout.tsx";
import { NeedsNetwork } from "../../ui/fetched.tsx";
import { toast } from "../../ui/toasts.tsx";
import { nameOf } from "../group_frame.tsx";
import {
  chosenFor,
  FILE_BYTES_MAX,
  FORMATS,
  NEW,
  otherErrors,
  requestOf,
  rowsToShow,
  UNDECIDED,
  withoutRefused,
  type Decisions,
  type Format,
  type ImportReport,
} from "./import_state.ts";
import { undoImport } from "./past_imports.tsx";

/** Rows that are shown until somebody asks for all. */
const ROWS_SHOWN = 12;
/** Nobody asked yet. */
const UNTOLD = "?";

interface Chosen {
  readonly name: string;
  readonly text: string;
}

export function Importer({ view, onImported }: { view: GroupView; onImported: () => void }) {
  const [file, setFile] = useState<Chosen | undefined>(undefined);
  const [decisions, setDecisions] = useState(UNDECIDED);
  const [report, setReport] = useState<ImportReport | undefined>(undefined);
  const [error, setError] = useState<unknown>(undefined);
  const [isBusy, setBusy] = useState(false);
  const [done, setDone] = useState(0);

  async function ask(text: string, decided: Decisions, dryRun: boolean): Promise<ImportReport | undefined> {
    setBusy(true);
    setError(undefined);
    try {
      return await store.post<ImportReport>(`/groups/${view.id}/import`, requestOf(text, decided, dryRun));
    } catch (failure) {
      setError(failure);
      return undefined;
    } finally {
      setBusy(false);
    }
  }

  async function look(chosen: Chosen, decided: Decisions): Promise<void> {
    setFile(chosen);
    setDecisions(decided);
    const found = await ask(chosen.text, decided, true);
    if (found) setReport(found);
  }

  async function choose(picked: File | undefined): Promise<void> {
    setReport(undefined);
    if (!picked) return;
    if (picked.size > FILE_BYTES_MAX) return setError(new Failure({ code: "too_large", status: 413, detail: t().insight.fileTooLarge }));
    await look({ name: picked.name, text: await picked.text() }, UNDECIDED);
  }

  async function carryOut(): Promise<void> {
    const result = file && (await ask(file.text, decisions, false));
    if (!result) return;
    setFile(undefined);
    setReport(undefined);
    setDone(done + 1);
    onImported();
    toast(t().insight.imported(result.counts.new), () => void undoImport(view.id, result.importId).then(onImported));
  }

  return (
    <div class="card stack">
      <FileChooser key={done} onChoose={(picked) => void choose(picked)} />
      {error !== undefined && <NeedsNetwork failure={error} onAgain={file ? () => void look(file, decisions) : undefined} />}
      {file && (error !== undefined || report) && (
        <FormatChooser decisions={decisions} found={report?.format} onDecide={(decided) => void look(file, decided)} />
      )}
      {isBusy && !report && <Skeleton lines={5} />}
      {file && report && (
        <Look view={view} report={report} decisions={decisions} isBusy={isBusy} onDecide={(decided) => void look(file, decided)} onImport={() => void carryOut()} />
      )}
    </div>
  );
}

function FileChooser({ onChoose }: { onChoose: (file: File | undefined) => void }) {
  return (
    <label class="field file">
      <span class="label">{t().insight.chooseFile}</span>
      <input
        class="input"
        type="file"
        accept=".json,.csv,.txt,application/json,text/csv"
        onChange={(event) => onChoose(event.currentTarget.files?.[0])}
      />
      <span class="hint">{t().insight.chooseFileHint}</span>
    </label>
  );
}

function FormatChooser({ decisions, found, onDecide }: {
  decisions: Decisions;
  found: Format | undefined;
  onDecide: (decisions: Decisions) => void;
}) {
  const automatic = found ? t().insight.formatFound(t().insight.formats[found]) : t().insight.formatAuto;
  return (
    <Select
      label={t().insight.format}
      value={decisions.format}
      choices={[{ value: "auto", label: automatic }, ...FORMATS.map((value) => ({ value, label: t().insight.formats[value] }))]}
      onChoose={(format) => onDecide({ ...decisions, format })}
    />
  );
}

// --- what would happen

interface LookProps {
  view: GroupView;
  report: ImportReport;
  decisions: Decisions;
  isBusy: boolean;
  onDecide: (decisions: Decisions) => void;
  onImport: () => void;
}

function Look({ view, report, decisions, isBusy, onDecide, onImport }: LookProps) {
  const { counts, possible } = report;
  const people = new Map(report.people.map(({ userId, name }) => [userId, name]));
  const bars = report.balances.map(({ userId, amount }) => ({
    id: userId,
    name: view.people.has(userId) ? nameOf(view, userId) : (people.get(userId) ?? "?"),
    fullName: view.people.get(userId)?.name,
    amount,
  }));
  return (
    <div class="stack" aria-busy={isBusy}>
      <People view={view} report={report} decisions={decisions} onDecide={onDecide} />
      {report.remarks.map((remark) => (
        <Banner key={remark}>{remark}</Banner>
      ))}
      {otherErrors(report).map(({ path, message }) => (
        <Banner key={path + message} tone="warning" icon="warning">
          {message}
        </Banner>
      ))}
      {counts.refused > 0 && (
        <Banner tone="warning" icon="warning">
          <p>{plural(counts.refused, { one: t().insight.refusedOne, other: t().insight.refused(counts.refused) })}</p>
          <Button kind="plain" onClick={() => onDecide(withoutRefused(report, decisions))}>
            {t().insight.leaveOut}
          </Button>
        </Banner>
      )}
      <Rows view={view} report={report} />
      {report.differences.length > 0 && <Banner tone="warning" icon="warning">{t().insight.differences(report.differences.length)}</Banner>}
      <h3>{t().insight.balancesAfter}</h3>
      <BalanceBars bars={bars} currency={view.group.currency} label={t().insight.balancesAfter} />
      {possible && counts.new > 0 && (
        <Button icon="upload" isBusy={isBusy} isWide onClick={onImport}>
          {plural(counts.new, { one: t().insight.importOne, other: t().insight.importMany(counts.new) })}
        </Button>
      )}
      {possible && counts.new === 0 && <Banner icon="check">{t().insight.nothingNew}</Banner>}
    </div>
  );
}

/** Who of the file is who: a member, or somebody new. */
function People({ view, report, decisions, onDecide }: Pick<LookProps, "view" | "report" | "decisions" | "onDecide">) {
  const members = view.members.map(({ userId, name }) => ({ value: userId, label: name }));
  return (
    <fieldset class="stack-small">
      <legend>{t().insight.whoIsWho}</legend>
      {report.people.map((person) => {
        const value = chosenFor(person, decisions);
        const untold = value === undefined ? [{ value: UNTOLD, label: t().insight.chooseWho }] : [];
        return (
          <Select
            key={person.key}
            label={person.name}
            value={value ?? UNTOLD}
            choices={[...untold, ...members, { value: NEW, label: t().insight.somebodyNew(person.name) }]}
            error={value === undefined ? t().insight.whoIsMeant : undefined}
            onChoose={(userId) => userId !== UNTOLD && onDecide({ ...decisions, people: { ...decisions.people, [person.key]: userId } })}
          />
        );
      })}
    </fieldset>
  );
}

function Rows({ view, report }: { view: GroupView; report: ImportReport }) {
  const [isAll, setAll] = useState(false);
  const rows = rowsToShow(report);
  return (
    <div class="stack-small">
      <h3>{t().insight.whatBecomes}</h3>
      <ul class="rows">
        {(isAll ? rows : rows.slice(0, ROWS_SHOWN)).map((row) => (
          <li class="import-row" key={row.row} data-status={row.status}>
            <Icon name={row.status === "new" ? "add" : row.status === "refused" ? "warning" : row.status === "present" ? "check" : "close"} size={18} />
            <span class="grow">
              {row.description ?? t().insight.rowNumber(row.row)}
              <span class="muted small block">
                {[t().insight.rowStatus[row.status], row.date && formatDay(row.date), row.reason].filter(Boolean).join(" · ")}
              </span>
            </span>
            {row.amount !== null && <Amount minor={row.amount} currency={view.group.currency} />}
          </li>
        ))}
      </ul>
      {!isAll && rows.length > ROWS_SHOWN && (
        <Button kind="plain" onClick={() => setAll(true)}>
          {t().insight.allRows(rows.length)}
        </Button>
      )}
    </div>
  );
}

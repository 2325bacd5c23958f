/** Files in and out of a group. */

import { useState } from "preact/hooks";
import type { ScreenProps } from "../../app.tsx";
import type { GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { today } from "../../ui/content.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Banner, Page, SectionTitle } from "../../ui/layout.tsx";
import { NeedsNetwork } from "../../ui/fetched.tsx";
import { saveFile } from "../../ui/files.ts";
import { WithGroup } from "../group_frame.tsx";
import { Importer } from "./import_form.tsx";
import { PastImports } from "./past_imports.tsx";

export function Files({ params }: ScreenProps) {
  return <WithGroup groupId={params["groupId"] ?? ""}>{(view) => <FilesOf view={view} />}</WithGroup>;
}

function FilesOf({ view }: { view: GroupView }) {
  const [imported, setImported] = useState(0);
  return (
    <Page title={t().insight.filesTitle} backTo={`/g/${view.id}`}>
      <SectionTitle>{t().insight.exportTitle}</SectionTitle>
      <Exports view={view} />
      {store.offers("importFile") && (
        <>
          <SectionTitle>{t().insight.importTitle}</SectionTitle>
          {view.me.role === "ADMIN" ? (
            <Importer view={view} onImported={() => setImported((before) => before + 1)} />
          ) : (
            <Banner>{t().insight.importAdmins}</Banner>
          )}
        </>
      )}
      {store.offers("listImports") && <PastImports view={view} version={imported} />}
    </Page>
  );
}

type ExportKind = "pdf" | "csv" | "spreadsheet" | "json";

const EXPORTS: readonly { kind: ExportKind; operation: string; path: string; ending: string }[] = [
  { kind: "pdf", operation: "exportPdf", path: "export.pdf", ending: "pdf" },
  { kind: "spreadsheet", operation: "exportCsv", path: "export.csv?bom=true", ending: "csv" },
  { kind: "csv", operation: "exportCsv", path: "export.csv", ending: "csv" },
  { kind: "json", operation: "exportJson", path: "export.json", ending: "json" },
];

function Exports({ view }: { view: GroupView }) {
  const [busy, setBusy] = useState<ExportKind | undefined>(undefined);
  const [error, setError] = useState<unknown>(undefined);

  async function fetchFile({ kind, path, ending }: (typeof EXPORTS)[number]): Promise<void> {
    setBusy(kind);
    setError(undefined);
    try {
      saveFile(await store.download(`/groups/${view.id}/${path}`), `${view.group.name} ${today()}.${ending}`);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(undefined);
    }
  }

  return (
    <>
      {view.waitingCount > 0 && <Banner icon="waiting">{t().insight.exportWithoutWaiting}</Banner>}
      <ul class="card card-flush">
        {EXPORTS.filter(({ operation }) => store.offers(operation)).map((file) => (
          <li key={file.kind}>
            <button class="list-row" type="button" aria-disabled={busy !== undefined} onClick={() => busy === undefined && void fetchFile(file)}>
              <span class="grow">
                <span class="strong block">{t().insight.exports[file.kind]}</span>
                <span class="muted small">{busy === file.kind ? t().common.loading : t().insight.exportHints[file.kind]}</span>
              </span>
              <Icon name="download" />
              <span class="visually-hidden">{t().insight.download}</span>
            </button>
          </li>
        ))}
      </ul>
      {error !== undefined && <NeedsNetwork failure={error} />}
    </>
  );
}

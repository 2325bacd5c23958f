/** Photos and files of an expense that is written: chosen, sent, shown; and a receipt read by the server. */

import { useEffect, useRef, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { Failure } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { formatMoney } from "../../ledger/money.ts";
import { locale, t } from "../../text/index.ts";
import { Button, IconButton } from "../../ui/controls.tsx";
import { Icon, type IconName } from "../../ui/icons.tsx";
import { Banner } from "../../ui/layout.tsx";
import { type ChosenFile, chosen, FILE_TYPES, forget, PICTURE_TYPES, uploadProblem } from "./files.ts";
import type { Doubts, ScannedReceipt } from "./scan.ts";

/** The server said that it reads no receipts: it isn't asked again while the page is open. */
const readsNone = signal(false);

/** Whether to offer it at all. */
export function canScan(): boolean {
  return store.offers("scanReceipt") && store.offers("uploadAttachment") && !readsNone.value;
}

export function canAttach(): boolean {
  return store.offers("uploadAttachment") && store.offers("addAttachment");
}

/** A button that opens the device's camera or files. */
export function FileButton({ label, icon, accept, kind = "quiet", onFile }: {
  label: string;
  icon: IconName;
  accept: string;
  kind?: "quiet" | "plain";
  onFile: (file: File) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button kind={kind} icon={icon} onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        class="visually-hidden"
        type="file"
        accept={accept}
        tabIndex={-1}
        aria-hidden="true"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file) onFile(file);
        }}
      />
    </>
  );
}

export function ReceiptFields({ groupId, files, onFiles, onScanned }: {
  groupId: string;
  files: readonly ChosenFile[];
  onFiles: (change: (files: readonly ChosenFile[]) => readonly ChosenFile[]) => void;
  onScanned: (scanned: ScannedReceipt) => void;
}) {
  const [reading, setReading] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const isOnline = store.connection.value === "connected";
  const line = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    // On a phone it would be behind the bar with "Save".
    if (reading) line.current?.scrollIntoView({ block: "center" });
  }, [reading]);
  const add = (file: File): ChosenFile => {
    const one = chosen(groupId, file);
    onFiles((before) => [...before, one]);
    setProblem(null);
    return one;
  };
  const scan = async (file: File) => {
    const one = add(file);
    setReading(true);
    try {
      const { id } = await one.uploaded;
      onScanned(await store.post<ScannedReceipt>(`/groups/${groupId}/receipts`, { attachmentId: id }));
    } catch (error) {
      setProblem(scanProblem(error));
    } finally {
      setReading(false);
    }
  };
  if (!isOnline && files.length === 0) {
    return (
      <Banner tone="warning" icon="offline">
        {t().expense.attachNeedsNetwork}
      </Banner>
    );
  }
  return (
    <div class="stack-small">
      <div class="row-wrap">
        {canScan() && (
          <FileButton label={t().expense.scanReceipt} icon="camera" accept={PICTURE_TYPES} onFile={(file) => void scan(file)} />
        )}
        <FileButton label={t().expense.takePhoto} icon="upload" accept={FILE_TYPES} onFile={add} />
      </div>
      {canScan() && <p class="small muted">{t().expense.scanHint}</p>}
      <p ref={line} role="status" class={reading ? "busy-line" : "visually-hidden"}>
        {reading ? t().expense.reading : ""}
      </p>
      {problem !== null && <Banner tone="danger" icon="warning">{problem}</Banner>}
      <ChosenFiles
        files={files}
        onRemove={(gone) => {
          forget(gone);
          onFiles((before) => before.filter((one) => one.key !== gone.key));
        }}
      />
    </div>
  );
}

function scanProblem(error: unknown): string {
  if (error instanceof Failure && error.status === 501) {
    readsNone.value = true;
    return t().expense.scanUnavailable;
  }
  if (error instanceof Failure && error.status === 422) return t().expense.scanNothing;
  return uploadProblem(error);
}

function ChosenFiles({ files, onRemove }: { files: readonly ChosenFile[]; onRemove: (file: ChosenFile) => void }) {
  if (files.length === 0) return null;
  return (
    <ul class="stack-small">
      {files.map((file) => (
        <ChosenRow key={file.key} file={file} onRemove={() => onRemove(file)} />
      ))}
    </ul>
  );
}

function ChosenRow({ file, onRemove }: { file: ChosenFile; onRemove: () => void }) {
  const [state, setState] = useState<string>(() => t().expense.uploading);
  useEffect(() => {
    file.uploaded.then(
      () => setState(t().expense.willBeAttached),
      (error: unknown) => setState(uploadProblem(error)),
    );
  }, [file]);
  const name = file.name || t().expense.unnamedFile;
  return (
    <li class="file-row">
      {file.isPicture ? (
        <img class="thumbnail" src={file.url} alt="" />
      ) : (
        <span class="icon-tile">
          <Icon name="receipt" />
        </span>
      )}
      <span class="grow">
        <span class="one-line file-name">{name}</span>
        <span class="small muted" role="status">
          {state}
        </span>
      </span>
      <IconButton icon="close" label={t().expense.removeFile(name)} onClick={onRemove} />
    </li>
  );
}

/** How sure the server was, and whether what it read adds up. */
export function ScanResult({ doubts, currency }: { doubts: Doubts; currency: string }) {
  const words = t().expense;
  const fields = [
    doubts.amount ? words.amount : "",
    doubts.description ? words.description : "",
    doubts.date ? words.date : "",
    ...doubts.items.map((name) => `“${name}”`),
  ].filter(Boolean);
  const difference = formatMoney(Math.abs(doubts.difference), currency, locale.value);
  const isFine = doubts.difference === 0 && fields.length === 0;
  return (
    <Banner tone={isFine ? "info" : "warning"} icon={isFine ? "check" : "warning"}>
      <p class="strong">{words.scanDone}</p>
      <p>
        {doubts.difference === 0
          ? words.scanAddsUp
          : doubts.difference > 0
            ? words.scanDiffers(difference)
            : words.scanExceeds(difference)}
      </p>
      {fields.length > 0 && <p>{words.scanUnsureFields(new Intl.ListFormat(locale.value).format(fields))}</p>}
    </Banner>
  );
}

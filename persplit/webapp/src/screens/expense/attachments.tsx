/** The photos and files of an expense: small pictures, opened large, added and removed. */

import { useEffect, useState } from "preact/hooks";
import type { ExpenseView, GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { Attachment } from "../../wire/types.ts";
import { Button } from "../../ui/controls.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Sheet } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { chosen, FILE_TYPES, forget, uploadProblem } from "./files.ts";
import { canAttach, FileButton } from "./receipt_fields.tsx";

export function Attachments({ view, expense }: { view: GroupView; expense: ExpenseView }) {
  const [isUploading, setUploading] = useState(false);
  const [opened, setOpened] = useState<Attachment | null>(null);
  const attachments = expense.attachments ?? [];
  const canAdd = canAttach() && expense.deletedAt === null && view.group.archivedAt === null;
  if (attachments.length === 0 && !canAdd) return null;
  const isOnline = store.connection.value === "connected";
  const add = async (file: File) => {
    const one = chosen(view.id, file);
    setUploading(true);
    try {
      const { id } = await one.uploaded;
      await store.send("attachment:add", view.id, { expenseId: expense.id, attachmentId: id, ...(one.name ? { name: one.name } : {}) });
      toast(t().expense.attached);
    } catch (error) {
      toast(uploadProblem(error));
    } finally {
      forget(one);
      setUploading(false);
    }
  };
  return (
    <section class="card stack-small">
      <h2>{t().expense.attachments}</h2>
      {attachments.length > 0 && (
        <ul class="thumbnails">
          {attachments.map((attachment) => (
            <li key={attachment.id}>
              <Thumbnail groupId={view.id} attachment={attachment} onOpen={() => setOpened(attachment)} />
            </li>
          ))}
        </ul>
      )}
      <p class={isUploading ? "busy-line" : "visually-hidden"} role="status">
        {isUploading ? t().expense.uploading : ""}
      </p>
      {canAdd &&
        (isOnline ? (
          <FileButton label={t().expense.attach} icon="camera" accept={FILE_TYPES} onFile={(file) => void add(file)} />
        ) : (
          <p class="small muted">{t().expense.attachNeedsNetwork}</p>
        ))}
      {opened && (
        <Opened
          view={view}
          expense={expense}
          attachment={opened}
          onClose={() => setOpened(null)}
        />
      )}
    </section>
  );
}

const isPicture = (attachment: Attachment): boolean => attachment.type.startsWith("image/");

function nameOfFile(attachment: Attachment): string {
  return attachment.name ?? (isPicture(attachment) ? t().expense.unnamedPhoto : t().expense.unnamedFile);
}

const FAILED = "failed";

/**
 * The file as an address to show it by; `null` while it is on its way, `FAILED` where it can't be had: that is tried again
 * when the connection changes.
 */
function useFile(path: string | null): string | null {
  const [url, setUrl] = useState<string | null>(null);
  const isThere = url !== null && url !== FAILED;
  useEffect(() => {
    if (path === null || isThere) return;
    let isGone = false;
    store.download(path).then(
      (blob) => {
        if (!isGone) setUrl(URL.createObjectURL(blob));
      },
      () => setUrl(FAILED),
    );
    return () => {
      isGone = true;
    };
  }, [path, url === FAILED && store.connection.value]);
  useEffect(
    () => () => {
      if (isThere) URL.revokeObjectURL(url);
    },
    [url],
  );
  return url;
}

function Thumbnail({ groupId, attachment, onOpen }: { groupId: string; attachment: Attachment; onOpen: () => void }) {
  const path = `/groups/${groupId}/attachments/${attachment.id}?thumbnail=true`;
  const url = useFile(isPicture(attachment) ? path : null);
  const name = nameOfFile(attachment);
  return (
    <button class="thumbnail-button" type="button" aria-label={t().expense.openFile(name)} onClick={onOpen}>
      {!isPicture(attachment) ? (
        <span class="thumbnail file-tile">
          <Icon name="receipt" />
          <span class="small one-line">{name}</span>
        </span>
      ) : url === null ? (
        <span class="thumbnail skeleton" />
      ) : url === FAILED ? (
        <span class="thumbnail file-tile">
          <Icon name="offline" />
        </span>
      ) : (
        <img class="thumbnail" src={url} alt="" />
      )}
    </button>
  );
}

function Opened({ view, expense, attachment, onClose }: {
  view: GroupView;
  expense: ExpenseView;
  attachment: Attachment;
  onClose: () => void;
}) {
  const url = useFile(`/groups/${view.id}/attachments/${attachment.id}`);
  const name = nameOfFile(attachment);
  return (
    <Sheet title={name} onClose={onClose}>
      {url === null ? (
        <span class="skeleton opened-picture" />
      ) : url === FAILED ? (
        <p>{t().expense.noPreview}</p>
      ) : (
        isPicture(attachment) && <img class="opened-picture" src={url} alt={name} />
      )}
      <div class="row-wrap">
        {url !== null && url !== FAILED && (
          <a class="button" data-kind="quiet" href={url} download={name}>
            <Icon name="download" size={20} />
            {t().expense.download}
          </a>
        )}
        {expense.deletedAt === null && (
          <Button
            kind="danger"
            icon="trash"
            onClick={() => {
              onClose();
              void detach(view, expense, attachment);
            }}
          >
            {t().common.delete}
          </Button>
        )}
      </div>
    </Sheet>
  );
}

async function detach(view: GroupView, expense: ExpenseView, attachment: Attachment): Promise<void> {
  const fields = { expenseId: expense.id, attachmentId: attachment.id };
  try {
    await store.send("attachment:remove", view.id, fields);
    toast(t().expense.fileRemoved, () => {
      const name = attachment.name === null ? {} : { name: attachment.name };
      store.send("attachment:add", view.id, { ...fields, ...name }).catch(toastFailure);
    });
  } catch (error) {
    toastFailure(error);
  }
}

/** Photos and files on their way to an expense: made small, sent to the group, and attached. */

import { Failure } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import type { RestSchemas } from "../../wire/types.ts";
import { failureText } from "../../ui/failures.ts";
import { toast } from "../../ui/toasts.tsx";

type Uploaded = RestSchemas["Uploaded"];

/** What the server takes. */
export const FILE_TYPES = "image/jpeg,image/png,image/webp,application/pdf";
export const PICTURE_TYPES = "image/jpeg,image/png,image/webp";
const FILE_BYTES_MAX = 10 * 1024 * 1024;
/** A receipt is read well at this size, and a phone's line carries it. */
const EDGE_PIXELS_MAX = 2_400;
const JPEG_QUALITY = 0.88;
const NAME_LENGTH_MAX = 100;

/** A file that was chosen. It is sent at once, so that saving does not wait for it. */
export interface ChosenFile {
  readonly key: number;
  readonly name: string;
  readonly isPicture: boolean;
  /** To show it; released with `forget`. */
  readonly url: string;
  readonly uploaded: Promise<Uploaded>;
}

let lastKey = 0;

/** Take a file. Its upload begins. */
export function chosen(groupId: string, file: File): ChosenFile {
  lastKey += 1;
  const uploaded = smaller(file).then((body) => store.upload<Uploaded>(`/groups/${groupId}/attachments`, body));
  uploaded.catch(() => undefined); // Whoever waits for it says what went wrong.
  return {
    key: lastKey,
    name: file.name.slice(-NAME_LENGTH_MAX),
    isPicture: file.type.startsWith("image/"),
    url: URL.createObjectURL(file),
    uploaded,
  };
}

/** Nobody shows it any more. */
export function forget(file: ChosenFile): void {
  URL.revokeObjectURL(file.url);
}

/** A large picture smaller; anything else as it is. Rejects with what is wrong in words. */
async function smaller(file: File): Promise<Blob> {
  const isPicture = file.type.startsWith("image/");
  if (!isPicture || file.type === "image/webp") return checked(file);
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = EDGE_PIXELS_MAX / Math.max(picture.width, picture.height);
    if (scale >= 1) return checked(file);
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const made = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
    return checked(made ?? file);
  } catch {
    return checked(file); // The browser can't read it: the server says whether it can.
  }
}

function checked(file: Blob): Blob {
  if (file.size > FILE_BYTES_MAX) {
    throw new Failure({ code: "too_large", status: 413, detail: t().expense.fileTooLarge });
  }
  return file;
}

/** Attach what was chosen once it is there, in the background. What can't be attached is said. */
export function attachWhenThere(groupId: string, expenseId: string, file: ChosenFile): void {
  file.uploaded
    .then((uploaded) =>
      store.send("attachment:add", groupId, { expenseId, attachmentId: uploaded.id, ...(file.name ? { name: file.name } : {}) }),
    )
    .then(
      () => forget(file),
      () => toast(t().expense.attachFailed(file.name || t().expense.unnamedFile)),
    );
}

/** Why a file didn't get there, in words. */
export function uploadProblem(error: unknown): string {
  if (error instanceof Failure && error.code === "offline") return t().expense.attachNeedsNetwork;
  if (error instanceof Failure && error.status === 415) return t().expense.fileNotSupported;
  return failureText(error);
}

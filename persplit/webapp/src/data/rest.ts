/** Requests to the server over REST, each with a bound on how long it waits. */

import { failureOf, offline } from "./failures.ts";
import type { Platform } from "./platform.ts";

/** How long to wait for an answer; a push of a hundred commands takes a second on a slow disk. */
const REQUEST_MS = 20_000;
/** For a photo of megabytes over a slow line; the server waits for two minutes. */
const FILE_MS = 150_000;
const API = "/api/v1";
/** By it the server knows its own page, and keeps the refresh token in a cookie that no script reads. */
const HEADERS = { "X-PerSplit-Client": "web" } as const;

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Request {
  readonly method: Method;
  /** Below `/api/v1`. */
  readonly path: string;
  /** An object, sent as JSON, or a file, sent as it is. */
  readonly body?: unknown;
  readonly token?: string;
  /** The idempotency key. */
  readonly key?: string;
}

export class Rest {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** The JSON of the answer; undefined where it is empty. Rejects with `Failure`. */
  async ask(request: Request): Promise<unknown> {
    const { response, body } = await this.#sent(request, API, (answer) => answer.text());
    return response.status === 204 ? undefined : jsonOf(response, body); // No Content
  }

  /** The file of the answer. Rejects with `Failure`. */
  async download(request: Request): Promise<Blob> {
    const { response, body } = await this.#sent(request, API, (answer) => answer.blob());
    return response.ok ? body : (jsonOf(response, await body.text()) as never);
  }

  /** A JSON document of the server's, not below `/api/v1`. Rejects with `Failure`. */
  async document(path: string): Promise<unknown> {
    const { response, body } = await this.#sent({ method: "GET", path }, "", (answer) => answer.text());
    return jsonOf(response, body);
  }

  async #sent<T>(
    request: Request,
    base: string,
    read: (response: Response) => Promise<T>,
  ): Promise<{ response: Response; body: T }> {
    const isFile = request.body instanceof Blob;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), isFile || request.path.includes("/attachments/") ? FILE_MS : REQUEST_MS);
    try {
      const response = await this.#platform.fetch(this.#platform.origin + base + request.path, {
        method: request.method,
        headers: headersOf(request),
        body: bodyOf(request.body),
        signal: patience.signal,
        credentials: "same-origin",
        cache: "no-store",
      });
      return { response, body: await read(response) };
    } catch (error) {
      throw offline(patience.signal.aborted ? "no answer in time" : `no answer: ${String(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

function bodyOf(body: unknown): BodyInit | null {
  if (body === undefined) {
    return null;
  }
  return body instanceof Blob ? body : JSON.stringify(body);
}

function headersOf({ body, token, key }: Request): Record<string, string> {
  const type = body instanceof Blob ? body.type || "application/octet-stream" : "application/json";
  return {
    ...HEADERS,
    ...(body === undefined ? {} : { "Content-Type": type }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(key === undefined ? {} : { "Idempotency-Key": key }),
  };
}

function jsonOf(response: Response, text: string): unknown {
  const type = response.headers.get("Content-Type") ?? "";
  if (!type.startsWith("application/json") && !type.startsWith("application/problem+json")) {
    // The sign-in page of a hotel's network answers anything with 200.
    throw offline(`something that isn't a PerSplit server answers, with status ${response.status}`);
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw offline("the answer broke off");
  }
  if (!response.ok) {
    throw failureOf({ status: response.status, ...(body as object) });
  }
  return body;
}

/**
 * Who is signed in, and the access token: in memory only. The refresh token is in a cookie that no script reads, so
 * every tab can renew; one at a time where the browser has locks.
 */

import { type ReadonlySignal, signal } from "@preact/signals";
import type { User } from "../wire/types.ts";
import type { Account } from "./database.ts";
import { asksToSignIn } from "./failures.ts";
import { Failure, type Maybe } from "./model.ts";
import type { Platform } from "./platform.ts";
import type { Replica } from "./replica.ts";
import type { Request, Rest } from "./rest.ts";

/** How long to wait for another tab that renews: one that sleeps with the lock in its hands holds up nobody. */
const RENEWAL_MS = 5_000;
/** Before it runs out the token is taken for over: the request has to arrive in time. */
const MARGIN_MS = 15_000;

export interface SignedIn {
  readonly user: User;
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
}

export interface Token {
  readonly userId: string;
  readonly text: string;
  /** Milliseconds, by this device's clock. */
  readonly until: number;
}

export class Session {
  readonly #platform: Platform;
  readonly #rest: Rest;
  readonly #replica: () => Promise<Replica>;
  readonly #account = signal<Maybe<Account>>(undefined);
  #token: Token | undefined;
  #renewing: Promise<Token> | undefined;
  #ending: Promise<void> | undefined;
  /** Told of each new token, and of each change of who is signed in. */
  onToken: (token: Token) => void = () => undefined;
  onAccount: () => void = () => undefined;

  constructor(platform: Platform, rest: Rest, replica: () => Promise<Replica>) {
    this.#platform = platform;
    this.#rest = rest;
    this.#replica = replica;
  }

  get account(): ReadonlySignal<Maybe<Account>> {
    return this.#account;
  }

  get userId(): string | undefined {
    return this.#account.value?.user.id;
  }

  /** Take over what is stored, as when another tab has changed it. */
  async reload(): Promise<void> {
    const stored = (await (await this.#replica()).account()) ?? null;
    if (stored?.user.id !== this.userId) {
      this.#token = undefined;
    }
    this.#account.value = stored;
  }

  /** A token that another tab has got. */
  hear(token: Token): void {
    if (token.userId === this.userId && token.until > (this.#token?.until ?? 0)) {
      this.#token = token;
    }
  }

  /** Sign in by one of the ways to do so. Rejects with `Failure`; `unsent` where another person's commands wait here. */
  async enter(path: string, body: unknown): Promise<unknown> {
    await this.#ending?.catch(() => undefined); // its answers would take the new cookie away
    const answer = (await this.#rest.ask({ method: "POST", path, body })) as SignedIn;
    const token = this.#tokenOf(answer);
    try {
      await (await this.#replica()).setAccount({ user: answer.user, isSignedOut: false });
    } catch (error) {
      await this.#rest.ask({ method: "POST", path: "/auth/logout", token: token.text }).catch(() => undefined);
      throw error;
    }
    await this.reload(); // it lets go of the token of whoever was signed in before
    this.#token = token;
    this.onAccount();
    this.onToken(token);
    return answer;
  }

  /** End the session on the server. Returns whether it has heard: else it is told once it can be. */
  async end(everywhere: boolean): Promise<boolean> {
    try {
      await this.ask({ method: "POST", path: everywhere ? "/auth/logout-all" : "/auth/logout" });
      return true;
    } catch (error) {
      if (everywhere || !(error instanceof Failure)) {
        throw error; // it would not be everywhere
      }
      return asksToSignIn(error.code); // it is over already
    } finally {
      this.#token = undefined;
    }
  }

  /** Ends the session whose cookie is still here from when there was no network, if there is one. */
  endEarlier(): Promise<void> {
    this.#ending ??= this.#endEarlier().finally(() => {
      this.#ending = undefined;
    });
    return this.#ending;
  }

  async #endEarlier(): Promise<void> {
    const replica = await this.#replica();
    if (this.#account.value !== null || !(await replica.isEnding())) {
      return;
    }
    try {
      const answer = (await this.#rest.ask({ method: "POST", path: "/auth/refresh", body: {} })) as SignedIn;
      await this.#rest.ask({ method: "POST", path: "/auth/logout", token: answer.accessToken });
    } catch (error) {
      if (!(error instanceof Failure) || !asksToSignIn(error.code)) {
        throw error;
      }
    }
    await replica.setEnding(false);
  }

  /** Keep another profile of who is signed in. */
  async setUser(user: User): Promise<void> {
    const account = this.#account.value;
    if (account != null && account.user.id === user.id && JSON.stringify(account.user) !== JSON.stringify(user)) {
      await (await this.#replica()).updateAccount(user.id, { user });
      await this.reload();
      this.onAccount();
    }
  }

  /** The server has ended the session; what is here stays. */
  async wasEnded(): Promise<void> {
    const account = this.#account.value;
    this.#token = undefined;
    if (account != null && !account.isSignedOut) {
      await (await this.#replica()).updateAccount(account.user.id, { isSignedOut: true });
      await this.reload();
      this.onAccount();
    }
  }

  /** A request as who is signed in; a token that is over is renewed on the way. Rejects with `Failure`. */
  ask(request: Request): Promise<unknown> {
    return this.#withToken((token) => this.#rest.ask({ ...request, token }));
  }

  download(request: Request): Promise<Blob> {
    return this.#withToken((token) => this.#rest.download({ ...request, token }));
  }

  async #withToken<T>(send: (token: string) => Promise<T>): Promise<T> {
    const asker = this.userId;
    const token = await this.#tokenFor(asker, () => this.token());
    try {
      return await send(token);
    } catch (error) {
      if (!(error instanceof Failure) || !asksToSignIn(error.code)) {
        throw error;
      }
    }
    return send(await this.#tokenFor(asker, () => this.renewed(token)));
  }

  /** Nothing that one has begun is asked for by another who has signed in meanwhile. */
  async #tokenFor(asker: string | undefined, get: () => Promise<string>): Promise<string> {
    this.#checkIs(asker);
    const token = await get();
    this.#checkIs(asker);
    return token;
  }

  #checkIs(asker: string | undefined): void {
    if (this.userId !== asker) {
      throw new Failure({ code: "token_missing", status: 401, detail: "somebody else has signed in meanwhile" });
    }
  }

  /** An access token that is good as far as this device can tell. Rejects with `Failure`. */
  async token(): Promise<string> {
    const known = this.#token;
    if (known !== undefined && known.until > this.#platform.now()) {
      return known.text;
    }
    return this.renewed(known?.text);
  }

  /** Another one than the one that the server refused. Rejects with `Failure`; where the session is over, it is so here. */
  async renewed(refused: string | undefined): Promise<string> {
    const account = this.#account.value;
    if (account == null || account.isSignedOut) {
      throw new Failure({ code: "token_missing", status: 401, detail: "nobody is signed in" });
    }
    this.#renewing ??= this.#alone(() => this.#renew(refused)).finally(() => {
      this.#renewing = undefined;
    });
    return (await this.#renewing).text;
  }

  /** One tab at a time, where the browser has locks; the server knows two that come at once for the same. */
  async #alone(work: () => Promise<Token>): Promise<Token> {
    const { locks, database } = this.#platform;
    if (locks === undefined) {
      return work();
    }
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), RENEWAL_MS);
    let isMine = false;
    try {
      return await locks.request(`${database}-refresh`, { signal: patience.signal }, () => {
        isMine = true;
        clearTimeout(timer);
        return work();
      });
    } catch (error) {
      if (isMine || !patience.signal.aborted) {
        throw error;
      }
      return work();
    }
  }

  async #renew(refused: string | undefined): Promise<Token> {
    const known = this.#token;
    if (known !== undefined && known.text !== refused && known.until > this.#platform.now()) {
      return known; // another tab was faster
    }
    let answer: SignedIn;
    try {
      answer = (await this.#rest.ask({ method: "POST", path: "/auth/refresh", body: {} })) as SignedIn;
    } catch (error) {
      if (error instanceof Failure && asksToSignIn(error.code)) {
        await this.wasEnded();
      }
      throw error;
    }
    if (answer.user.id !== this.userId) {
      await this.wasEnded(); // the cookie is somebody else's, who signed in meanwhile
      throw new Failure({ code: "token_invalid", status: 401, detail: "somebody else is signed in" });
    }
    this.#token = this.#tokenOf(answer);
    this.onToken(this.#token);
    await this.setUser(answer.user);
    return this.#token;
  }

  #tokenOf(answer: SignedIn): Token {
    return { userId: answer.user.id, text: answer.accessToken, until: this.#platform.now() + answer.expiresIn * 1000 - MARGIN_MS };
  }
}

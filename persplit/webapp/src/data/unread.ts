/** What others did that the person has not seen, by group: counted here, and set right by the server. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Mark } from "./database.ts";
import type { GroupChange, Replica } from "./replica.ts";
import type { Session } from "./session.ts";

interface Counted {
  readonly groups: readonly { readonly groupId: string; readonly readSeq: number; readonly unread: number }[];
}

export class Unread {
  readonly #session: Session;
  readonly #replica: () => Promise<Replica>;
  readonly #marks = signal<ReadonlyMap<string, Mark>>(new Map());
  readonly in: ReadonlySignal<ReadonlyMap<string, number>>;
  readonly total: ReadonlySignal<number>;
  onChanged: () => void = () => undefined;

  constructor(session: Session, replica: () => Promise<Replica>) {
    this.#session = session;
    this.#replica = replica;
    this.in = computed(
      () => new Map(Array.from(this.#marks.value, ([groupId, mark]) => [groupId, mark.unread] as const).filter(([, n]) => n > 0)),
    );
    this.total = computed(() => Array.from(this.in.value.values()).reduce((sum, count) => sum + count, 0));
  }

  /** Read what is stored. */
  async reload(): Promise<void> {
    const marks = await (await this.#replica()).marks();
    this.#marks.value = new Map(marks.map((mark) => [mark.groupId, mark]));
  }

  async #keep(marks: readonly Mark[]): Promise<void> {
    this.#marks.value = new Map([...this.#marks.value, ...marks.map((mark) => [mark.groupId, mark] as const)]);
    await (await this.#replica()).setMarks(marks, this.#session.userId ?? "");
    this.onChanged();
  }

  /** New events have come. */
  async heard(change: GroupChange): Promise<void> {
    if (change.record === null) {
      await this.reload();
      return;
    }
    if (change.isWhole || (change.events.length > 1 && !this.#marks.value.has(change.groupId))) {
      return; // the past of a group that is new here: the server says what of it counts
    }
    const mark = this.#markOf(change.groupId);
    const me = this.#session.userId;
    const news = change.events.filter((event) => event.by !== me && event.seq > mark.seq).length;
    if (news > 0) {
      await this.#keep([{ ...mark, unread: mark.unread + news }]);
    }
  }

  #markOf(groupId: string): Mark {
    return this.#marks.value.get(groupId) ?? { groupId, seq: 0, unread: 0, isUnsent: false };
  }

  /** Everything up to `seq` counts as seen, on every device once the server has heard it. */
  async read(groupId: string, seq: number): Promise<void> {
    const mark = this.#markOf(groupId);
    if (mark.unread === 0 && !mark.isUnsent) {
      return;
    }
    await this.#keep([{ groupId, seq: Math.max(seq, mark.seq), unread: 0, isUnsent: true }]);
    await this.#send(groupId);
  }

  async #send(groupId: string): Promise<void> {
    const mark = this.#markOf(groupId);
    await this.#session.ask({ method: "POST", path: `/groups/${encodeURIComponent(groupId)}/read`, body: { seq: mark.seq } });
    if (this.#markOf(groupId).seq === mark.seq) {
      await this.#keep([{ ...this.#markOf(groupId), isUnsent: false }]);
    }
  }

  /** The person has read the group elsewhere. `head`: the seq that is held of it. */
  async readElsewhere(groupId: string, seq: number, head: number): Promise<void> {
    if (seq >= head) {
      await this.#keep([{ groupId, seq, unread: 0, isUnsent: false }]);
    } else if (seq > this.#markOf(groupId).seq) {
      await this.count();
    }
  }

  /** Tell the server what it hasn't heard, and take its counts. */
  async count(): Promise<void> {
    for (const mark of this.#marks.value.values()) {
      if (mark.isUnsent) {
        await this.#send(mark.groupId);
      }
    }
    const counted = (await this.#session.ask({ method: "GET", path: "/activity/unread" })) as Counted;
    await this.#keep(
      counted.groups.map(({ groupId, readSeq, unread }) => ({ groupId, seq: readSeq, unread, isUnsent: false })),
    );
  }
}

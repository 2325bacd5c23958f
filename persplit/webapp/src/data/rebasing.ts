/**
 * Provisional state: what the server has, and then each waiting command decided on top of it, in order.
 *
 * Pure. It is thrown away and made anew whenever the server's part changes, so nothing of a command is ever counted
 * beside its event: a command leaves the outbox in the transaction that takes in what it caused.
 */

import { type Asking, type Command, decide } from "../ledger/decide.ts";
import { Refusal } from "../ledger/errors.ts";
import { apply } from "../ledger/fold.ts";
import type { Comment, Expense, LedgerEvent, Settlement } from "../ledger/shapes.ts";
import type { GroupState } from "../ledger/state.ts";
import { commandOf, type Queued } from "./outbox.ts";

/** The server's present versions. */
export interface Present {
  expense(id: string): Expense | undefined;
  settlement(id: string): Settlement | undefined;
  comments(expenseId: string): readonly Comment[];
}

export interface Person {
  readonly id: string;
  readonly name: string;
}

export class Provisional {
  state: GroupState | null;
  readonly expenses = new Map<string, Expense>();
  readonly settlements = new Map<string, Settlement>();
  readonly comments = new Map<string, Comment>();
  /** By the id of a thing, the commands that change it. */
  readonly changedBy = new Map<string, string[]>();
  readonly #me: Person;
  readonly #present: Present;

  constructor(state: GroupState | null, present: Present, me: Person, waiting: Iterable<Queued>) {
    this.state = state;
    this.#present = present;
    this.#me = me;
    for (const queued of waiting) {
      this.#rebase(queued);
    }
  }

  /** A command that doesn't fit any more changes nothing here; the server judges. */
  #rebase(queued: Queued): void {
    try {
      const event = this.decided(commandOf(queued), queued.at);
      if (event !== null) {
        this.take(event);
      }
    } catch (error) {
      if (!(error instanceof Refusal)) {
        throw error;
      }
    }
  }

  /** The event that the command would make now; null: nothing to show. Nothing changes. Throws `Refusal`. */
  decided(command: Command, at: string): LedgerEvent | null {
    const now = this.state !== null && this.state.at > at ? this.state.at : at;
    const asking: Asking = {
      actorId: this.#me.id,
      actorName: this.#me.name,
      now,
      expense: (id) => this.expenses.get(id) ?? this.#present.expense(id),
      settlement: (id) => this.settlements.get(id) ?? this.#present.settlement(id),
      comments: (expenseId) => this.commentsOn(expenseId),
    };
    return decide(this.state, command, asking);
  }

  /** The comments on an expense as the waiting commands leave them. */
  commentsOn(expenseId: string): Comment[] {
    const comments = new Map(this.#present.comments(expenseId).map((comment) => [comment.id, comment]));
    for (const comment of this.comments.values()) {
      if (comment.expenseId === expenseId) {
        comments.set(comment.id, comment);
      }
    }
    return [...comments.values()];
  }

  /** Apply what `decided` gave. */
  take(event: LedgerEvent): void {
    this.state = apply(this.state, event);
    if ("expense" in event) {
      this.#changed(this.expenses, event.expense, event.commandId);
    } else if ("settlement" in event) {
      this.#changed(this.settlements, event.settlement, event.commandId);
      if (event.loan !== undefined) {
        this.#changes(event.loan.id, event.commandId);
      }
    } else if ("loan" in event) {
      this.#changes(event.loan.id, event.commandId);
    } else if ("comment" in event) {
      this.#changed(this.comments, event.comment, event.commandId);
    }
  }

  #changed<T extends { readonly id: string }>(things: Map<string, T>, thing: T, commandId: string): void {
    things.set(thing.id, thing);
    this.#changes(thing.id, commandId);
  }

  #changes(id: string, commandId: string): void {
    this.changedBy.set(id, [...(this.changedBy.get(id) ?? []), commandId]);
  }
}

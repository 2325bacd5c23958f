/** What people say about an expense: it appears as it is said, and one's own can be taken back. */

import { useState } from "preact/hooks";
import type { CommentView, GroupView } from "../../data/model.ts";
import { store } from "../../data/store.ts";
import { t } from "../../text/index.ts";
import { Button, IconButton, TextField } from "../../ui/controls.tsx";
import { formatMoment, WaitingMark } from "../../ui/content.tsx";
import { Skeleton } from "../../ui/layout.tsx";
import { toast, toastFailure } from "../../ui/toasts.tsx";
import { nameOf } from "../group_frame.tsx";
import { Face } from "./person_row.tsx";

const TEXT_LENGTH_MAX = 1_000;

export function Comments({ view, expenseId }: { view: GroupView; expenseId: string }) {
  const comments = store.comments(view.id, expenseId).value;
  const [text, setText] = useState("");
  const send = async () => {
    const said = text.trim();
    if (said === "") return;
    setText("");
    try {
      await store.send("comment:add", view.id, { expenseId, text: said });
    } catch (error) {
      setText(said);
      toastFailure(error);
    }
  };
  return (
    <section class="card stack-small">
      <h2>{t().expense.comments}</h2>
      {comments === undefined ? (
        <Skeleton lines={2} />
      ) : comments === null || comments.length === 0 ? (
        <p class="small muted">{t().expense.noComments}</p>
      ) : (
        <ol class="comments" aria-live="polite">
          {comments.map((comment) => (
            <CommentRow key={comment.id} view={view} comment={comment} />
          ))}
        </ol>
      )}
      <form
        class="comment-form"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <TextField
          label={t().expense.comment}
          isLabelHidden
          placeholder={t().expense.commentExample}
          maxLength={TEXT_LENGTH_MAX}
          value={text}
          onInput={setText}
        />
        <Button type="submit" kind="quiet" isBusy={text.trim() === ""}>
          {t().expense.sendComment}
        </Button>
      </form>
    </section>
  );
}

function CommentRow({ view, comment }: { view: GroupView; comment: CommentView }) {
  const isMine = comment.createdBy === view.me.userId;
  const name = nameOf(view, comment.createdBy);
  return (
    <li class="comment">
      <Face view={view} id={comment.createdBy} />
      <div class="grow">
        <p class="small muted">
          <span class="strong">{name}</span> · {formatMoment(comment.createdAt)} <WaitingMark waiting={comment.waiting} />
        </p>
        <p class="notes">{comment.text}</p>
      </div>
      {isMine && <IconButton icon="trash" label={t().expense.deleteComment} onClick={() => void remove(view, comment)} />}
    </li>
  );
}

async function remove(view: GroupView, comment: CommentView): Promise<void> {
  const { expenseId, text } = comment;
  try {
    await store.send("comment:delete", view.id, { expenseId, commentId: comment.id });
    toast(t().expense.commentDeleted, () => {
      store.send("comment:add", view.id, { expenseId, text }).catch(toastFailure);
    });
  } catch (error) {
    toastFailure(error);
  }
}

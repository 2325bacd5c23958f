/** How often an expense comes again, and until when. */

import { t } from "../../text/index.ts";
import { Segments, Select, TextField } from "../../ui/controls.tsx";
import type { FormProblems } from "./form_fields.ts";
import type { Frequency, RepeatForm } from "./form_state.ts";
import { fieldProblemText } from "./split_words.ts";

const FREQUENCIES: readonly Frequency[] = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];

export function RepeatFields({ repeat, start, problems, onChange }: {
  repeat: RepeatForm;
  start: string;
  problems: FormProblems;
  onChange: (repeat: RepeatForm) => void;
}) {
  const words = t().expense;
  return (
    <div class="stack-small">
      <p class="small muted">{words.becomesRecurring}</p>
      <div class="form-pair">
        <Select
          label={words.frequency}
          value={repeat.frequency}
          choices={FREQUENCIES.map((value) => ({ value, label: words.frequencies[value] }))}
          onChoose={(frequency) => onChange({ ...repeat, frequency })}
        />
        <TextField
          label={words.interval(repeat.frequency)}
          inputMode="numeric"
          value={repeat.interval}
          error={fieldProblemText(problems.interval, words.needCount)}
          onInput={(interval) => onChange({ ...repeat, interval })}
        />
      </div>
      <Segments
        label={words.ends}
        value={repeat.ends}
        choices={[
          { value: "never", label: words.endNever },
          { value: "on", label: words.endOn },
          { value: "after", label: words.endAfter },
        ]}
        onChoose={(ends) => onChange({ ...repeat, ends })}
      />
      {repeat.ends === "on" && (
        <TextField
          label={words.endDay}
          type="date"
          min={start}
          value={repeat.endDay}
          error={fieldProblemText(problems.endDay, words.needDate)}
          onInput={(endDay) => onChange({ ...repeat, endDay })}
        />
      )}
      {repeat.ends === "after" && (
        <TextField
          label={words.endCount}
          inputMode="numeric"
          value={repeat.count}
          error={fieldProblemText(problems.count, words.needCount)}
          onInput={(count) => onChange({ ...repeat, count })}
        />
      )}
    </div>
  );
}

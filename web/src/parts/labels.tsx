import type { LabelCount } from '../api/types';
import { number } from '../lib/format';

const kChips = 14;

/**
 * Chooses labels. A few are chips; many are a list to choose from, with the chosen ones as chips. None chosen means all.
 */
export function LabelFilter({ labels, chosen, onChange }: { labels: LabelCount[]; chosen: string[]; onChange: (labels: string[]) => void }) {
  if (labels.length === 0) return null;
  const toggle = (label: string): void => onChange(chosen.includes(label) ? chosen.filter((other) => other !== label) : [...chosen, label]);
  const chips = labels.length <= kChips ? labels : labels.filter(({ label }) => chosen.includes(label));
  return (
    <fieldset class="labels">
      <legend>
        Labels
        {chosen.length > 0 && (
          <button type="button" class="quiet" onClick={() => onChange([])}>
            all
          </button>
        )}
      </legend>
      {labels.length > kChips && (
        <select
          aria-label="Add a label to the filter"
          value=""
          onChange={(event) => {
            const label = event.currentTarget.value;
            event.currentTarget.value = '';
            if (label) toggle(label);
          }}
        >
          <option value="">Choose a label…</option>
          {labels.map(({ label, count }) => (
            <option value={label} key={label} disabled={chosen.includes(label)}>
              {label} ({number(count)})
            </option>
          ))}
        </select>
      )}
      <div class="chips">
        {chips.map(({ label, count }) => (
          <button type="button" class="chip" key={label} aria-pressed={chosen.includes(label)} title={`${number(count)} images`} onClick={() => toggle(label)}>
            {label}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

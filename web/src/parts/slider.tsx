import { useEffect, useRef, useState } from 'preact/hooks';

interface Props {
  label: string;
  value: number;
  least: number;
  most: number;
  text: (value: number) => string;
  onValue: (value: number) => void;
}

const kRest = 120; // ms

/**
 * A slider that shows every step and reports where it comes to rest: browsers stop counting the history's entries when a page writes
 * the address sixty times a second.
 */
export function Slider({ label, value, least, most, text, onValue }: Props) {
  const [draft, setDraft] = useState<number>();
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const report = useRef(onValue);
  report.current = onValue;
  useEffect(() => setDraft(undefined), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const shown = draft ?? value;
  const input = (next: number): void => {
    setDraft(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => report.current(next), kRest);
  };
  return (
    <label class="slider">
      <span aria-hidden="true">{label}</span>
      <span aria-hidden="true">{text(shown)}</span>
      <input
        type="range"
        min={least}
        max={most}
        step={1}
        value={shown}
        aria-label={label}
        aria-valuetext={text(shown)}
        onInput={(event) => input(Number(event.currentTarget.value))}
      />
    </label>
  );
}

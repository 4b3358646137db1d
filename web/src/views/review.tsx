import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { api, Problem } from '../api/client';
import type { Collection, Duplicate, DuplicateGroup, DuplicateLevel, StoredImage, Verdict } from '../api/types';
import { bytes, keyTail, number, plural } from '../lib/format';
import { navigate, useKeys, useRequest } from '../lib/hooks';
import { nextOffset, nextOpen, pairName, pairsOf, remembered, reviewedLevels, type Pair } from '../lib/review';
import { routeHash, wholeParam } from '../lib/route';
import { DifferencePicture } from '../parts/difference';
import { Thumbnail } from '../parts/picture';
import { Slider } from '../parts/slider';
import { Announcement, Empty, ProblemBox } from '../parts/states';

const kPage = 50;
const kTitles: Record<DuplicateLevel, string> = {
  'near-duplicate': 'Near duplicates',
  'same-pixels': 'Same pixels',
  'same-bytes': 'Same bytes',
  'same-class': 'Same class',
};

export function ReviewView({ info, params }: { info: Collection; params: URLSearchParams }) {
  const levels = reviewedLevels(info);
  const level = levels.find((name) => name === params.get('level')) ?? levels[0];
  const radius = level === 'near-duplicate' ? wholeParam(params, 'radius', 0, Math.floor(info.bits / 2)) : undefined;
  if (!level) {
    return (
      <div class="centre">
        <Empty title="No review here">
          <p>This service does not offer the review of duplicates.</p>
        </Empty>
      </div>
    );
  }
  return <Review key={`${level} ${radius}`} info={info} level={level} radius={radius} />;
}

function Review({ info, level, radius }: { info: Collection; level: DuplicateLevel; radius: number | undefined }) {
  const first = useRequest(`duplicates ${level} ${radius}`, (signal) => api.duplicates({ level, radius, offset: 0, limit: kPage }, signal), 120);
  const open = (next: { level?: DuplicateLevel; radius?: number }): void => {
    const query: Record<string, string> = { level: next.level ?? level };
    const wanted = 'radius' in next ? next.radius : radius;
    if (wanted !== undefined && query.level === 'near-duplicate') query.radius = String(wanted);
    navigate(routeHash('review', query), true);
  };
  const shownRadius = radius ?? first.value?.radius ?? 0;
  return (
    <div class="review">
      <div class="bar">
        <h1>Duplicates</h1>
        <label class="field">
          <span>Level</span>
          <select value={level} onChange={(event) => open({ level: event.currentTarget.value as DuplicateLevel })}>
            {reviewedLevels(info).map((name) => (
              <option value={name} key={name}>
                {kTitles[name]}
              </option>
            ))}
          </select>
        </label>
        {level === 'near-duplicate' && (
          <Slider label="Radius" value={shownRadius} least={0} most={Math.max(1, Math.floor(info.bits / 4))} text={(value) => plural(value, 'bit')} onValue={(value) => open({ radius: value })} />
        )}
        <p class="soft" role="status">
          {!first.value ? '' : first.value.total === 0 ? 'no groups' : `${plural(first.value.total, 'group')}, ${plural(first.value.others, 'image')} beside those kept`}
        </p>
      </div>
      {first.problem ? (
        <div class="centre">
          <ProblemBox problem={first.problem} onRetry={first.retry} />
        </div>
      ) : !first.value ? (
        <p class="centre soft" role="status">
          Looking for duplicates…
        </p>
      ) : first.value.groups.length === 0 ? (
        <div class="centre">
          <Empty title="No duplicates">
            <p>{level === 'near-duplicate' ? `No two images are within ${plural(shownRadius, 'bit')}. A larger radius looks further.` : 'No two images are the same on this level.'}</p>
          </Empty>
        </div>
      ) : (
        <Decide info={info} level={level} radius={radius} start={first.value.groups} total={first.value.total} />
      )}
    </div>
  );
}

interface DecideProps {
  info: Collection;
  level: DuplicateLevel;
  radius: number | undefined;
  start: DuplicateGroup[];
  total: number;
}

function Decide({ info, level, radius, start, total }: DecideProps) {
  const [groups, setGroups] = useState(start);
  const [decided, setDecided] = useState<ReadonlyMap<string, Verdict>>(() => new Map(remembered(start)));
  const [history, setHistory] = useState<{ verdict: Verdict; before: boolean | null; at: number }[]>([]);
  const [at, setAt] = useState(() => Math.max(0, nextOpen(pairsOf(start), decided, 0)));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [said, setSaid] = useState('');
  // Verdicts that came while the one before was being sent: who is quick loses none. `running` ends when its outcome is on the page.
  const waiting = useRef<string[]>([]);
  const running = useRef(false);
  const pairs = pairsOf(groups);
  const pair = pairs[at];

  const attempt = async (work: () => Promise<void>): Promise<void> => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
    } catch (error) {
      waiting.current = [];
      setProblem(error instanceof Problem ? error : new Problem(-1, 'The page made a mistake', String(error)));
    } finally {
      setBusy(false);
    }
  };
  const decide = async (duplicate: boolean): Promise<void> => {
    if (!pair) return;
    await attempt(async () => {
      const verdict: Verdict = { a: pair.keeper.id, b: pair.other.id, duplicate };
      const before = await api.decide(verdict);
      const next = new Map(decided).set(pairName(verdict.a, verdict.b), verdict);
      setDecided(next);
      setHistory([...history, { verdict, before, at }]);
      setSaid(duplicate ? 'Duplicate.' : 'Not a duplicate.');
      const following = nextOpen(pairs, next, at + 1);
      setAt(following < 0 ? pairs.length : following);
    });
  };
  const undo = async (): Promise<void> => {
    const last = history[history.length - 1];
    if (!last) return;
    await attempt(async () => {
      const { a, b } = last.verdict;
      const next = new Map(decided);
      if (last.before === null) {
        await api.undecide(a, b);
        next.delete(pairName(a, b));
      } else {
        await api.decide({ a, b, duplicate: last.before });
        next.set(pairName(a, b), { a, b, duplicate: last.before });
      }
      setDecided(next);
      setHistory(history.slice(0, -1));
      setSaid('Undone.');
      setAt(last.at);
    });
  };
  const more = (): Promise<void> =>
    attempt(async () => {
      const answer = await api.duplicates({ level, radius, offset: nextOffset(groups, decided), limit: kPage });
      const known = new Set(pairs.map(({ keeper, other }) => pairName(keeper.id, other.id)));
      const fresh = answer.groups.filter((group) => pairsOf([group]).some(({ keeper, other }) => !known.has(pairName(keeper.id, other.id))));
      const next = new Map([...remembered(fresh), ...decided]);
      setGroups([...groups, ...fresh]);
      setDecided(next);
      const following = nextOpen(pairsOf([...groups, ...fresh]), next, pairs.length);
      if (following >= 0) setAt(following);
    });
  const step = (by: number): void => setAt(Math.min(Math.max(at + by, 0), pairs.length));
  const acts: Record<string, () => void> = {
    d: () => void decide(true),
    n: () => void decide(false),
    u: () => void undo(),
    j: () => step(1),
    k: () => step(-1),
    ArrowRight: () => step(1),
    ArrowLeft: () => step(-1),
  };
  useKeys((key, event) => {
    const act = acts[key];
    if (!act) return;
    event.preventDefault();
    if (!running.current) act();
    else if ('dnu'.includes(key)) waiting.current.push(key);
  });
  useLayoutEffect(() => {
    if (busy) return;
    running.current = false;
    // One that does nothing (undo without a verdict) lets the next go.
    while (!running.current && waiting.current.length > 0) acts[waiting.current.shift()!]!();
  }, [busy]);

  const undoButton = (
    <button type="button" disabled={history.length === 0} onClick={() => void undo()}>
      Undo <kbd>U</kbd>
    </button>
  );
  return (
    <div class="decide">
      <Announcement text={pair ? `${said} Pair ${at + 1} of ${pairs.length}.` : `${said} All pairs seen.`} />
      {problem && <ProblemBox problem={problem} onDismiss={() => setProblem(undefined)} />}
      {pair ? (
        <>
          <Trio pair={pair} verdict={decided.get(pairName(pair.keeper.id, pair.other.id))} />
          <div class="verdicts">
            <button type="button" class="primary" onClick={() => void decide(true)}>
              Duplicate <kbd>D</kbd>
            </button>
            <button type="button" onClick={() => void decide(false)}>
              Not a duplicate <kbd>N</kbd>
            </button>
            {undoButton}
            <span class="steps">
              <button type="button" aria-label="Previous pair" disabled={at === 0} onClick={() => step(-1)}>
                ←
              </button>
              <span>
                {number(at + 1)} of {number(pairs.length)}
                {total > groups.length && ' loaded'}
              </span>
              <button type="button" aria-label="Next pair" onClick={() => step(1)}>
                →
              </button>
            </span>
          </div>
          <Facts info={info} keeper={pair.keeper} other={pair.other} />
          <GroupStrip pair={pair} decided={decided} onPick={(other) => setAt(pairs.findIndex((p) => p.group === pair.group && p.other === other))} />
        </>
      ) : (
        <End decided={decided} open={nextOpen(pairs, decided, 0)} more={total > groups.length ? () => void more() : undefined} onOpen={setAt} undo={undoButton} />
      )}
    </div>
  );
}

function End(props: { decided: ReadonlyMap<string, Verdict>; open: number; more?: () => void; onOpen: (at: number) => void; undo: ComponentChildren }) {
  const duplicates = [...props.decided.values()].filter((verdict) => verdict.duplicate).length;
  return (
    <Empty title={props.open < 0 ? 'All decided' : 'End of the list'}>
      <p>
        {plural(duplicates, 'duplicate')}, {number(props.decided.size - duplicates)} kept apart. Verdicts are remembered; no file has been touched.
      </p>
      <p class="actions">
        {props.more && (
          <button type="button" class="primary" onClick={props.more}>
            Load more groups
          </button>
        )}
        {props.open >= 0 && (
          <button type="button" onClick={() => props.onOpen(props.open)}>
            To the pairs without a verdict
          </button>
        )}
        {props.undo}
      </p>
    </Empty>
  );
}

function Trio({ pair, verdict }: { pair: Pair; verdict?: Verdict }) {
  const { keeper, other } = pair;
  return (
    <div class="trio">
      <Side image={keeper} role="Keep" />
      <Side image={other} role={verdict ? (verdict.duplicate ? 'Duplicate' : 'Not a duplicate') : 'Duplicate?'} verdict={verdict} />
      <DifferencePicture a={keeper.id} b={other.id} />
    </div>
  );
}

function Side({ image, role, verdict }: { image: StoredImage; role: string; verdict?: Verdict }) {
  return (
    <figure class={verdict ? (verdict.duplicate ? 'is-duplicate' : 'is-apart') : ''}>
      <div class="frame">
        <Thumbnail id={image.id} size={384} alt={keyTail(image.key)} />
      </div>
      <figcaption>
        <b>{role}</b> <span title={image.key}>{keyTail(image.key)}</span>
      </figcaption>
    </figure>
  );
}

/** What is known of both, line by line; lines that differ are marked. */
function Facts({ info, keeper, other }: { info: Collection; keeper: StoredImage; other: Duplicate }) {
  const dimensions = (image: StoredImage): string => (image.width && image.height ? `${image.width} × ${image.height}` : '');
  const folder = (key: string): string => key.slice(0, key.lastIndexOf('/') + 1);
  const lines: [string, string, string][] = [
    ['Pixels', dimensions(keeper), dimensions(other)],
    ['File', keeper.bytes ? bytes(keeper.bytes) : '', other.bytes ? bytes(other.bytes) : ''],
    ['Label', keeper.label ?? '', other.label ?? ''],
    ['Name', keeper.key.slice(folder(keeper.key).length), other.key.slice(folder(other.key).length)],
    ['Folder', folder(keeper.key), folder(other.key)],
  ];
  return (
    <table class="facts-table">
      <caption class="unseen">The two images compared</caption>
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">Fact</span>
          </th>
          <th scope="col">Keep</th>
          <th scope="col">Other</th>
        </tr>
      </thead>
      <tbody>
        {lines
          .filter(([, a, b]) => a || b)
          .map(([name, a, b]) => (
            <tr key={name} class={a === b ? '' : 'differs'}>
              <th scope="row">{name}</th>
              <td>{a || '–'}</td>
              <td>
                {b || '–'}
                {a !== b && <span class="unseen"> (differs)</span>}
              </td>
            </tr>
          ))}
        <tr>
          <th scope="row">The two</th>
          <td colSpan={2}>
            {kTitles[other.level].toLowerCase()}
            {other.level === 'near-duplicate' && `, ${other.distance} of ${info.bits} bits differ`}
          </td>
        </tr>
      </tbody>
    </table>
  );
}

function GroupStrip({ pair, decided, onPick }: { pair: Pair; decided: ReadonlyMap<string, Verdict>; onPick: (other: StoredImage) => void }) {
  const { keep, others, size } = pair.group;
  if (others.length < 2) return null;
  return (
    <section class="strip" aria-label="This group">
      <h2>
        {number(size + 1)} images in this group{size > others.length && `, the nearest ${number(others.length)} shown`}
      </h2>
      <ul>
        {[keep, ...others].map((image) => {
          const verdict = decided.get(pairName(pair.keeper.id, image.id));
          const state = image === pair.keeper ? 'keep' : verdict ? (verdict.duplicate ? 'duplicate' : 'apart') : 'open';
          return (
            <li key={image.id} class={`is-${state}`}>
              <button type="button" disabled={image === pair.keeper} aria-current={image === pair.other ? 'true' : undefined} onClick={() => onPick(image)}>
                <span class="frame">
                  <Thumbnail id={image.id} size={96} alt={keyTail(image.key)} />
                </span>
                <small>{state}</small>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

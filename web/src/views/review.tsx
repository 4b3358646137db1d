import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { api, Problem } from '../api/client';
import type { Collection, DuplicateGroup, DuplicateLevel, GroupMember, Verdict } from '../api/types';
import { bytes, keyTail, number, plural } from '../lib/format';
import { navigate, useKeys, useRequest } from '../lib/hooks';
import { nextOffset, nextOpen, pairName, pairsOf, type Pair } from '../lib/review';
import { routeHash, wholeParam } from '../lib/route';
import { DifferencePicture } from '../parts/difference';
import { Thumbnail } from '../parts/picture';
import { Slider } from '../parts/slider';
import { Announcement, Empty, ProblemBox } from '../parts/states';

const kPage = 50;
const kLevels: [DuplicateLevel, string][] = [
  ['near-duplicate', 'Near duplicates'],
  ['same-pixels', 'Same pixels'],
  ['same-bytes', 'Same bytes'],
];

export function ReviewView({ info, params }: { info: Collection; params: URLSearchParams }) {
  const level = kLevels.find(([name]) => name === params.get('level'))?.[0] ?? 'near-duplicate';
  const radius = wholeParam(params, 'radius', 0, info.bits);
  if (!info.duplicates) {
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
            {kLevels.map(([name, title]) => (
              <option value={name} key={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        {level === 'near-duplicate' && (
          <Slider label="Radius" value={shownRadius} least={0} most={Math.max(1, Math.floor(info.bits / 4))} text={(value) => plural(value, 'bit')} onValue={(value) => open({ radius: value })} />
        )}
        <p class="soft" role="status">
          {first.value ? plural(first.value.total, 'group') : ''}
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
  const [decided, setDecided] = useState<ReadonlyMap<string, Verdict>>(new Map());
  const [history, setHistory] = useState<{ verdict: Verdict; at: number }[]>([]);
  const [at, setAt] = useState(0);
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
      await api.decide([verdict]);
      const next = new Map(decided).set(pairName(verdict.a, verdict.b), verdict);
      setDecided(next);
      setHistory([...history, { verdict, at }]);
      setSaid(duplicate ? 'Duplicate.' : 'Not a duplicate.');
      const following = nextOpen(pairs, next, at + 1);
      setAt(following < 0 ? pairs.length : following);
    });
  };
  const undo = async (): Promise<void> => {
    const last = history[history.length - 1];
    if (!last) return;
    await attempt(async () => {
      await api.undecide([last.verdict]);
      const next = new Map(decided);
      next.delete(pairName(last.verdict.a, last.verdict.b));
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
      setGroups([...groups, ...fresh]);
      const following = nextOpen(pairsOf([...groups, ...fresh]), decided, pairs.length);
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

function Side({ image, role, verdict }: { image: GroupMember; role: string; verdict?: Verdict }) {
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
function Facts({ info, keeper, other }: { info: Collection; keeper: GroupMember; other: GroupMember }) {
  const dimensions = (image: GroupMember): string => (image.width && image.height ? `${image.width} × ${image.height}` : '');
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
        {other.distance !== undefined && (
          <tr>
            <th scope="row">Codes</th>
            <td colSpan={2}>
              {other.distance} of {info.bits} bits differ
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function GroupStrip({ pair, decided, onPick }: { pair: Pair; decided: ReadonlyMap<string, Verdict>; onPick: (other: GroupMember) => void }) {
  if (pair.group.images.length < 3) return null;
  return (
    <section class="strip" aria-label="This group">
      <h2>{pair.group.images.length} images in this group</h2>
      <ul>
        {pair.group.images.map((image) => {
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
